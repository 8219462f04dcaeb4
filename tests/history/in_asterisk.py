"""Asks a running Asterisk, over ARI, what it has now."""

from __future__ import annotations

import base64
import json
import urllib.request
from datetime import datetime
from typing import Any, Final

from callflow.settings import Settings

from .collect import channel_id
from .findings import Standing

_WITHIN_SECONDS: Final = 2.0


def standing_of(settings: Settings, *, everybody_hung_up: bool) -> Standing | None:
    """What stands there; None = it does not answer. Blocks.

    Args:
        everybody_hung_up: whether the testers have no call any more.
    """
    try:
        status = _get(settings, "asterisk/info?filter=status")["status"]
        channels = frozenset(channel_id(channel["id"]) for channel in _get(settings, "channels"))
    except OSError:
        return None
    since = datetime.strptime(status["startup_time"], "%Y-%m-%dT%H:%M:%S.%f%z").replace(microsecond=0)
    return Standing(since=since, channels=channels, everybody_hung_up=everybody_hung_up)


def _get(settings: Settings, what: str) -> Any:
    login = base64.b64encode(f"{settings.ari_user}:{settings.secret('ari_password')}".encode()).decode()
    request = urllib.request.Request(f"{settings.ari_url}/{what}", headers={"Authorization": f"Basic {login}"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=_WITHIN_SECONDS) as response:  # noqa: S310 - our own Asterisk
        return json.load(response)
