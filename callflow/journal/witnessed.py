"""Events that the core never decides on, but that must be provable: looks at people's data, erasures, losses.

They stand in the chains beside the core's events, so that who looked, who erased and what was lost cannot be denied.
"""

from __future__ import annotations

from dataclasses import dataclass

from callflow.core.events import Event
from callflow.core.ids import CallId


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRecorded(Event):
    """Somebody looked at a recording or at a person's data.

    Attributes:
        who: login in callflow, or `cli:<system user>`.
        what: `call`, `calls`, `recording`, `report`, `export`, …
        call: the call looked at; None when it was a list.
        purpose: why, in the person's words or the command's name.
    """

    who: str
    what: str
    call: CallId | None
    purpose: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PayloadsErased(Event):
    """Payloads were erased by law; their envelopes and digests stay and the chain still verifies."""

    chain_id: str
    seqs: tuple[int, ...]
    who: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EntriesLost(Event):
    """Entries whose number was given but that reached no disk: every disk failed until memory was full."""

    first: int
    last: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UnwritableEvent(Event):
    """An event that could not be put into words, a defect of ours: its place in the order is kept.

    Attributes:
        name: the event's class. fault: the error's class, without its text, which could hold personal data.
    """

    name: str
    fault: str
