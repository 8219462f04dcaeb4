"""One event's turn: the ledger, the time, and the commands decided so far. Every handler works on a Turn."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from callflow.core.centre_facts import AlarmCleared, AlarmKind, AlarmRaised
from callflow.core.commands import CancelTimer, Command, Note, StartTimer
from callflow.core.facts import Fact
from callflow.core.ledger import Ledger
from callflow.core.timers import Timer, TimerKind

ALARM_LASTS_SECONDS: Final = 300.0
"""An alarm about one incident, not a condition, stands this long after the last such incident."""


@dataclass(slots=True)
class Turn:
    """What a handler needs, and where its decisions go."""

    ledger: Ledger
    at: datetime
    commands: list[Command] = field(default_factory=list)

    def do(self, *commands: Command) -> None:
        """Decide on these commands, in this order."""
        self.commands.extend(commands)

    def note(self, fact: Fact) -> None:
        """Tell the record and the live views."""
        self.commands.append(Note(fact=fact, centre=self.ledger.settings.centre))

    def start(self, kind: TimerKind, subject: str, seconds: float) -> None:
        """Start or move a timer."""
        timer = Timer(kind, subject)
        self.ledger.put_timer(timer, self.at + timedelta(seconds=seconds))
        self.commands.append(StartTimer(timer=timer, seconds=seconds))

    def cancel(self, subject: str, *kinds: TimerKind) -> None:
        """Cancel these timers where they run."""
        for kind in kinds:
            timer = Timer(kind, subject)
            if self.ledger.drop_timer(timer):
                self.commands.append(CancelTimer(timer=timer))

    def runs(self, kind: TimerKind, subject: str) -> bool:
        """Whether the timer runs."""
        return f"{kind}:{subject}" in self.ledger.state.timers

    def alarm(self, kind: AlarmKind, subject: str, detail: str) -> None:
        """Raise an alarm that stands until `clear`."""
        raised = AlarmRaised(at=self.at, kind=kind, subject=subject, detail=detail)
        if self.ledger.put_alarm(raised):
            self.note(raised)

    def clear(self, kind: AlarmKind, subject: str) -> None:
        """Clear an alarm where it stands."""
        if self.ledger.drop_alarm(kind, subject):
            self.note(AlarmCleared(at=self.at, kind=kind, subject=subject))

    def incident(self, kind: AlarmKind, subject: str, detail: str) -> None:
        """Raise an alarm about one incident; it clears by itself when none follows."""
        self.alarm(kind, subject, detail)
        self.start(TimerKind.INCIDENT, f"{kind}/{subject}", ALARM_LASTS_SECONDS)
