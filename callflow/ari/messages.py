"""Reads one frame of the event websocket: an event, an answer to a request, or something to be counted and skipped."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from callflow.ari.errors import MalformedMessage
from callflow.ari.protocol.event_types import EVENTS, Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer to a request that went over the websocket.

    Attributes:
        body: JSON, or None.
    """

    request: str
    status: int
    reason: str
    body: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusable:
    """A frame that is no event we know.

    Attributes:
        kind: the type it claims, '' when it has none; never a caller's data.
        why: what is wrong with it.
    """

    kind: str
    why: str


def read_message(frame: str | bytes) -> Event | Answer | Unusable:
    """Read a frame. Never raises: a message that Asterisk got wrong must not end the listening."""
    try:
        raw = json.loads(frame)
    except (ValueError, RecursionError):
        return Unusable(kind="", why="no JSON")
    kind = raw.get("type") if isinstance(raw, dict) else None
    if not isinstance(kind, str):
        return Unusable(kind="", why="no type")
    try:
        if kind == "RESTResponse":
            return _answer(raw)
        read = EVENTS.get(kind)
        return Unusable(kind=kind[:64], why="unknown type") if read is None else read(raw)
    except MalformedMessage as error:
        return Unusable(kind=kind[:64], why=f"field {error.field}")
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return Unusable(kind=kind[:64], why="malformed")


def _answer(raw: dict[str, Any]) -> Answer:
    body = raw.get("message_body")
    return Answer(
        request=str(raw["request_id"]),
        status=int(raw["status_code"]),
        reason=str(raw["reason_phrase"]),
        body=json.loads(body) if body else None,
    )
