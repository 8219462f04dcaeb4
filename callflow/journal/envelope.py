"""An entry of the journal: the envelope that stays for ever, and the payload that the law may erase.

Both are canonical JSON (RFC 8785), so that a digest of the text is a digest of the meaning. The envelope holds no
personal field; the payload holds the event and the commands decided on it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any, Final, cast

import rfc8785

from callflow.core.commands import Command
from callflow.core.events import Event, TimerFired
from callflow.core.ids import CallId, CentreId, offer_of_channel
from callflow.core.switchboard import CORE_VERSION
from callflow.core.timers import TimerKind
from callflow.journal.codec import encode_command, encode_event
from callflow.journal.upcasters import split_tag, tag_of

_TIMERS_OF_CALLS: Final = frozenset(
    {
        TimerKind.NODE_INPUT,
        TimerKind.NODE_PROMPT,
        TimerKind.CALL_RELEASE,
        TimerKind.LAST_RESORT,
        TimerKind.SEEK_AGAIN,
        TimerKind.ANNOUNCE,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What is said of an entry for ever.

    Attributes:
        seq: the entry's number in its writer's order; counts up, gaps only where a loss is declared.
        at: when it happened.
        type: the event's name. version: of that type's fields.
        call: the call it is about; None when it is about none or several.
        core_version: which core decided.
    """

    seq: int
    at: datetime
    type: str
    version: int
    centre: CentreId
    call: CallId | None
    core_version: str

    def document(self) -> dict[str, Any]:
        """As a JSON document."""
        return {
            "seq": self.seq,
            "at": self.at.astimezone(UTC).isoformat(),
            "type": self.type,
            "version": self.version,
            "centre": self.centre,
            "call": self.call,
            "core_version": self.core_version,
        }

    @classmethod
    def of_document(cls, document: dict[str, Any]) -> Envelope:
        """From a JSON document.

        Raises:
            KeyError, TypeError, ValueError: when it is none of ours.
        """
        return cls(
            seq=int(document["seq"]),
            at=datetime.fromisoformat(document["at"]),
            type=str(document["type"]),
            version=int(document["version"]),
            centre=CentreId(document["centre"]),
            call=None if document["call"] is None else CallId(document["call"]),
            core_version=str(document["core_version"]),
        )


def envelope_of(event: Event, seq: int, centre: CentreId, core: str) -> Envelope:
    """The envelope of an event."""
    name, version = split_tag(tag_of(type(event).__name__))
    return Envelope(
        seq=seq, at=event.at, type=name, version=version, centre=centre, call=call_of(event), core_version=core
    )


def payload_of(event: Event, decided: Sequence[Command]) -> dict[str, Any]:
    """The payload: the event, and the commands that the core decided on it, in their order."""
    return {"event": encode_event(event), "commands": [encode_command(command) for command in decided]}


def call_of(event: Event) -> CallId | None:
    """The call that an event is about."""
    if isinstance(event, TimerFired):
        if event.timer.kind in _TIMERS_OF_CALLS:
            return CallId(event.timer.subject)
        leg = offer_of_channel(event.timer.subject)
        return leg[0] if leg else None
    return cast("CallId | None", getattr(event, "call", None))


def canonical(document: dict[str, Any]) -> str:
    """The document as RFC 8785 text.

    Half of a surrogate pair, which the outside can send in a JSON escape, has no UTF-8 form: it is replaced.
    """
    try:
        return rfc8785.dumps(document).decode("utf-8")
    except (UnicodeEncodeError, rfc8785.CanonicalizationError):
        return rfc8785.dumps(_without_surrogates(document)).decode("utf-8")


def _without_surrogates(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case dict():
            return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
        case list():
            return [_without_surrogates(item) for item in value]
        case _:
            return value


@cache
def core_version() -> str:
    """Which core decides: its number, and a digest of the sources of `core` and `flows`, since any change counts."""
    digest = hashlib.sha256()
    for package in ("callflow.core", "callflow.flows"):
        sources = (entry for entry in files(package).iterdir() if entry.name.endswith((".py", ".json")))
        for source in sorted(sources, key=lambda entry: entry.name):
            digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    return f"{CORE_VERSION}+{digest.hexdigest()[:12]}"
