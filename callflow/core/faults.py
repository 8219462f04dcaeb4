"""What is wrong where the core cannot see it, past tense: disks, the database, the machine's clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from callflow.core.centre_facts import AlarmKind
from callflow.core.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultReported(Event):
    """Something about a disk, the database or another part is wrong, which only its reporter sees.

    Attributes:
        kind: one of `centre_facts.REPORTED`.
        subject: which part, '' where there is only one.
        detail: what is wrong and what to do, one line, without personal data.
        lasting: it stands until a `FaultMended`; else it is one incident, and old news after a while.
    """

    kind: AlarmKind
    subject: str
    detail: str
    lasting: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultMended(Event):
    """A fault that was reported is over, or never was: alarms of an earlier life end so."""

    kind: AlarmKind
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockSet(Event):
    """The engine's clock followed the machine's, which had been set anew; no call is live.

    Attributes:
        before: what it showed at the moment that is `at` now.
    """

    before: datetime
