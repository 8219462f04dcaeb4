"""What the journal must be in itself: numbers without gaps, calls opened before and closed once, one talk a person.

One pass over the entries; what is kept is a few values a call, so thousands of calls are no matter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from callflow.core.centre_facts import OperatorMoved
from callflow.core.facts import (
    CallClassified,
    CallConnected,
    CallEnded,
    CallFact,
    CallHandedBack,
    CallOpened,
    CallServedInFallback,
    Direction,
    OperatorLeft,
    PersonLost,
    RecordingMissing,
    RecordingStored,
    Stage,
)

from .findings import Acknowledged, Finding, Projected, Rule, Written

_OPENING: Final = (CallOpened, CallServedInFallback)
_NUMBERED: Final = (OperatorMoved, CallClassified)
"""Facts whose rows in the database bear the entry's number."""
_GAVE_UP: Final = frozenset({Stage.ABANDONED_IN_IVR, Stage.ABANDONED_IN_QUEUE})


@dataclass(slots=True)
class JournalCall:
    """What the journal says of one call.

    Attributes:
        ends: how often it was closed. stage: by the last end. audio: measured, or told why not.
        answered: somebody spoke with the caller.
        handed_back: when, each time; claimed: when opened, each time.
    """

    arrived_at: datetime | None = None
    opened: int = 0
    ends: int = 0
    fallback_ends: int = 0
    in_fallback: bool = False
    stage: Stage | None = None
    answered: bool = False
    audio: bool = False
    inbound: bool = True
    open: bool = False
    claimed: list[datetime] = field(default_factory=list)
    handed_back: list[datetime] = field(default_factory=list)
    connected: list[datetime] = field(default_factory=list)
    person: str | None = None


class JournalReading:
    """Takes entries one after the other; `findings` grows, `calls` is for the rules that compare witnesses."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.calls: dict[str, JournalCall] = {}
        self._last: dict[str, int] = {}
        self._talks: dict[str, str] = {}
        self._kept: dict[tuple[str, int], str] = {}
        self._counts: Counter[tuple[str, str]] = Counter()
        self._numbered: set[tuple[str, int]] = set()

    def take(self, entry: Written) -> None:
        """The writer's next entry."""
        last = self._last.get(entry.writer)
        if last is not None and entry.seq != last + 1 + entry.lost:
            self._find(Rule.NO_GAP, f"{entry.writer} {entry.seq}", f"comes after {last}")
        self._last[entry.writer] = entry.seq
        self._kept[entry.writer, entry.seq] = entry.event
        self._counts[entry.writer, entry.event] += 1
        if any(isinstance(fact, _NUMBERED) for fact in entry.facts):
            self._numbered.add((entry.writer, entry.seq))
        for fact in entry.facts:
            if isinstance(fact, CallFact):
                self._take_fact(fact, f"{entry.writer} {entry.seq}: {type(fact).__name__}")

    def not_kept(self, acknowledged: Iterable[Acknowledged], projected: Projected | None) -> Iterator[Finding]:
        """What clients were told is kept, and the journal or, where it is known, the database does not say."""
        uncounted: Counter[tuple[str, str]] = Counter()
        for told in acknowledged:
            if told.seq is None:
                uncounted[told.writer, told.event] += 1
                continue
            about = f"{told.writer} {told.seq}"
            found = self._kept.get((told.writer, told.seq))
            if found != told.event:
                yield Finding(Rule.KEPT, about, f"{told.event} was acknowledged, {found} stands there")
            elif projected is not None and projected.reached.get(told.writer, 0) < told.seq:
                yield Finding(Rule.KEPT, about, f"{told.event} was acknowledged and has not come to the database")
            elif (
                projected is not None
                and (told.writer, told.seq) in self._numbered
                and told.seq not in projected.numbered
            ):
                yield Finding(Rule.KEPT, about, f"{told.event} was acknowledged and has no row in the database")
        for (writer, event), count in uncounted.items():
            there = self._counts[writer, event]
            if there < count:
                yield Finding(Rule.KEPT, writer, f"{count} {event} were acknowledged, {there} stand there")

    def _take_fact(self, fact: CallFact, where: str) -> None:
        call = self.calls.setdefault(fact.call, JournalCall())
        if not (call.opened or call.fallback_ends) and not isinstance(fact, _OPENING):
            self._find(Rule.ORDER, fact.call, f"{where} before it was opened")
        match fact:
            case CallOpened():
                self._opened(fact, call, where)
            case CallEnded():
                self._ended(fact, call, where)
            case CallHandedBack():
                call.handed_back.append(fact.at)
                self._closed(fact, call)
            case CallServedInFallback():
                self._served(fact, call, where)
            case CallConnected():
                self._connected(fact, call, where)
            case PersonLost() | OperatorLeft():
                self._let_go(fact.call, call)
            case RecordingStored() | RecordingMissing():
                call.audio = True

    def _opened(self, fact: CallOpened, call: JournalCall, where: str) -> None:
        if call.open:
            self._find(Rule.ONE_OWNER, fact.call, f"{where}: it is open already")
        if call.ends:
            self._find(Rule.ORDER, fact.call, f"{where}: it was closed already")
        if fact.arrived_at > fact.at:
            self._find(Rule.TIMES, fact.call, f"{where} opened before it arrived")
        call.opened += 1
        call.open = True
        call.arrived_at = fact.arrived_at
        call.inbound = fact.direction is Direction.INBOUND
        call.claimed.append(fact.at)

    def _ended(self, fact: CallEnded, call: JournalCall, where: str) -> None:
        call.ends += 1
        if call.ends > 1:
            self._find(Rule.ORDER, fact.call, f"{where}: it was closed already")
        if not (call.fallback_ends and fact.stage in _GAVE_UP):
            call.stage = fact.stage  # whom we had connected was answered by us, whoever tells of it first
        self._closed(fact, call)

    def _served(self, fact: CallServedInFallback, call: JournalCall, where: str) -> None:
        """Asterisk's word: it corrects an engine that was away and, back again, took the caller for one who gave up."""
        call.fallback_ends += 1
        call.in_fallback = call.in_fallback or fact.in_fallback
        if call.fallback_ends > 1:
            self._find(Rule.ORDER, fact.call, f"{where}: the fallback closed it already")
        if call.stage is None or call.stage in _GAVE_UP:
            call.stage = Stage.HANDLED_IN_FALLBACK
        call.arrived_at = call.arrived_at or fact.arrived_at
        call.answered = call.answered or fact.answered_at is not None
        if fact.ended_at < fact.arrived_at or (fact.answered_at and fact.answered_at < fact.arrived_at):
            self._find(Rule.TIMES, fact.call, f"{where}: ended or answered before it arrived")
        self._closed(fact, call)

    def _connected(self, fact: CallConnected, call: JournalCall, where: str) -> None:
        call.answered = True
        call.connected.append(fact.at)
        self._let_go(fact.call, call)
        if fact.operator is None:
            return
        other = self._talks.get(fact.operator)
        if other is not None and other != fact.call:
            self._find(Rule.ONE_TALK, str(fact.operator), f"{where}: in {fact.call} while in {other}")
        self._talks[fact.operator] = fact.call
        call.person = fact.operator

    def _closed(self, fact: CallFact, call: JournalCall) -> None:
        call.open = False
        if call.arrived_at is not None and fact.at < call.arrived_at:
            self._find(Rule.TIMES, fact.call, "ended before it arrived")
        self._let_go(fact.call, call)

    def _let_go(self, name: str, call: JournalCall) -> None:
        if call.person is not None and self._talks.get(call.person) == name:
            del self._talks[call.person]
        call.person = None

    def _find(self, rule: Rule, about: str, evidence: str) -> None:
        self.findings.append(Finding(rule, about, evidence))
