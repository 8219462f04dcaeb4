"""Marks where a page of a list ended: a time and an id, and which list, as text that nobody needs to understand."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime

from callflow.storage.errors import BadCursor


def cursor_after(order: str, at: datetime, name: str) -> str:
    """The cursor of a page that ended with this row; `order` names the list and its order."""
    return base64.urlsafe_b64encode(json.dumps([order, at.isoformat(), name]).encode()).decode()


def position_of(cursor: str, order: str) -> tuple[datetime, str]:
    """The last row of the page before.

    Raises:
        BadCursor: when this list, in this order, never gave it out.
    """
    try:
        given, written, name = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        at = datetime.fromisoformat(written)
    except (ValueError, TypeError, binascii.Error) as error:
        raise BadCursor(cursor) from error
    if given != order or at.tzinfo is None or not isinstance(name, str):
        raise BadCursor(cursor)
    return at, name
