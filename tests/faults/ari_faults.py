"""What may go wrong between an engine and Asterisk, as values: what becomes of which requests and of which events."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

EVENT_KINDS_OF_OURS: Final = frozenset({"RESTResponse"})
"""Frames of the event websocket that are no events."""


@dataclass(frozen=True, slots=True)
class Requests:
    """Some of ARI's requests.

    Attributes:
        method: like POST; '' = any.
        path: a regular expression for the whole path below /ari/, without its query.
    """

    method: str = ""
    path: str = ".*"

    def fit(self, method: str, path: str) -> bool:
        """Whether a request is one of these."""
        return self.method in ("", method) and re.fullmatch(self.path, path) is not None


EVERYTHING: Final = Requests()
CLAIM: Final = Requests("POST", "events/claim")
ANSWER: Final = Requests("POST", "channels/[^/]+/answer")
PLAY: Final = Requests("POST", "channels/[^/]+/play(/.*)?")
STOP: Final = Requests("DELETE", "playbacks/.*")
ORIGINATE: Final = Requests("POST", "channels(/[^/]+)?")
CONTINUE: Final = Requests("POST", "channels/[^/]+/continue")
HANG_UP: Final = Requests("DELETE", "channels/[^/]+")
VARIABLE: Final = Requests("", "channels/[^/]+/variable")
BRIDGE: Final = Requests("POST", "bridges(/[^/]+)?")
ADD: Final = Requests("POST", "bridges/[^/]+/addChannel")
STOCK: Final = Requests("GET", "applications/[^/]+|channels|bridges")
SUBSCRIBE: Final = Requests("", "applications/[^/]+/subscription")


class Way(Enum):
    """What becomes of a request."""

    REFUSED = auto()
    """Answered with an error status; Asterisk never sees it."""
    LATE = auto()
    """Reaches Asterisk after a while."""
    ANSWERED_LATE = auto()
    """Done at once, and answered after a while."""
    SWALLOWED = auto()
    """Never reaches Asterisk, and is never answered."""
    UNANSWERED = auto()
    """Done, and never answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What becomes of some requests.

    Attributes:
        status: with which they are refused.
        seconds: by which they or their answers are late.
    """

    way: Way
    requests: Requests = EVERYTHING
    status: int = 500
    seconds: float = 0.0


class Distortion:
    """Changes the events on their way to the engine; one frame in, any number out."""

    def __init__(self, kinds: Iterable[str] = ()) -> None:
        self._kinds = frozenset(kinds)

    def passed_on(self, frame: str) -> list[str]:
        """The frames that the engine gets for one of Asterisk's."""
        kind = _kind(frame)
        if kind in EVENT_KINDS_OF_OURS or (self._kinds and kind not in self._kinds):
            return [frame]
        return self._distort(frame)

    def _distort(self, frame: str) -> list[str]:
        raise NotImplementedError


class Lost(Distortion):
    """Events that never come."""

    def _distort(self, frame: str) -> list[str]:
        return []


class Doubled(Distortion):
    """Events that come twice."""

    def _distort(self, frame: str) -> list[str]:
        return [frame, frame]


class Swapped(Distortion):
    """Events that come after their successors, in pairs."""

    def __init__(self, kinds: Iterable[str] = ()) -> None:
        super().__init__(kinds)
        self._kept: list[str] = []

    def _distort(self, frame: str) -> list[str]:
        if not self._kept:
            self._kept.append(frame)
            return []
        return [frame, self._kept.pop()]


class Garbled(Distortion):
    """Events that are cut off, of no known type, or without their fields, in turn, and then come whole."""

    def __init__(self, kinds: Iterable[str] = ()) -> None:
        super().__init__(kinds)
        self._turn = 0

    def _distort(self, frame: str) -> list[str]:
        self._turn += 1
        event: dict[str, Any] = json.loads(frame)
        match self._turn % 3:
            case 0:
                return [frame[: len(frame) // 2], frame]
            case 1:
                return [json.dumps(event | {"type": "NeverHeardOf"}), frame]
            case _:
                return [json.dumps({"type": event["type"], "application": event.get("application")}), frame]


def _kind(frame: str) -> str:
    found = re.search(r'"type"\s*:\s*"(\w+)"', frame)
    if frame.startswith("{"):
        try:
            return str(json.loads(frame).get("type", ""))
        except ValueError:
            pass
    return "" if found is None else found[1]
