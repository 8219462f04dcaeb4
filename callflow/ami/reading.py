"""Reads AMI's messages: what they say of a trunk that is watched, or of the fallback queue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from callflow.core.ids import TrunkRoute

FALLBACK_QUEUE: Final = "callflow-fallback"
_WATCH: Final = "watch-"
"""The endpoint that asks a trunk's far end whether it is there is named so, see pjsip.conf."""
_TRUNK: Final = "trunk-"
_DEVICE: Final = f"PJSIP/{_WATCH}"
_NOT_THERE: Final = frozenset({"INVALID", "UNKNOWN"})


@dataclass(frozen=True, slots=True)
class TrunkSeen:
    """A trunk's far end answers, or does not."""

    trunk: TrunkRoute
    reachable: bool


@dataclass(frozen=True, slots=True)
class QueueSeen:
    """So many callers are in the fallback queue."""

    waiting: int


Seen = TrunkSeen | QueueSeen


def read_event(event: Mapping[str, Any]) -> Seen | None:
    """What an event says; None = nothing that concerns us, or nothing that can be read."""
    match _text(event, "event"):
        case "ContactStatus":
            name, status = _text(event, "aor"), _text(event, "contactstatus")
            if name.startswith(_WATCH) and status in ("Reachable", "Unreachable"):
                return TrunkSeen(_trunk(name), status == "Reachable")
        case "QueueCallerJoin" | "QueueCallerLeave" if _text(event, "queue") == FALLBACK_QUEUE:
            return _queue(_text(event, "count"))
    return None


def read_queue(summary: list[Mapping[str, Any]]) -> QueueSeen | None:
    """What the answer to QueueSummary says of the fallback queue; None = there is no such queue."""
    for each in summary:
        if _text(each, "event") == "QueueSummary" and _text(each, "queue") == FALLBACK_QUEUE:
            return _queue(_text(each, "callers"))
    return None


def read_devices(states: list[Mapping[str, Any]]) -> Iterator[TrunkSeen]:
    """What the answer to DeviceStateList says of trunks that are watched.

    Until Asterisk has asked for the first time, and got an answer or none, it lists an endpoint as unavailable.
    """
    for each in states:
        device, state = _text(each, "device"), _text(each, "state")
        if device.startswith(_DEVICE) and state and state not in _NOT_THERE:
            yield TrunkSeen(_trunk(device.removeprefix("PJSIP/")), state != "UNAVAILABLE")


def _trunk(watch: str) -> TrunkRoute:
    return TrunkRoute(_TRUNK + watch.removeprefix(_WATCH))


def _queue(count: str) -> QueueSeen | None:
    return QueueSeen(int(count)) if count.isdecimal() and len(count) < 7 else None


def _text(message: Mapping[str, Any], field: str) -> str:
    """A field's value; '' where it is missing, or stands twice."""
    value = message.get(field, "")
    return value if isinstance(value, str) else ""
