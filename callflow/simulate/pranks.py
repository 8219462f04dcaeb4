"""Lets the real `core/prank.py` judge every call of a simulated city, and counts whom it hit.

Each call is judged before anybody knows what it is, on what operators had said until then, as in a centre.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final

from callflow.core.city import Classification, PrankPolicy
from callflow.core.events import CallerHistory, PastDisposition
from callflow.core.prank import GENUINE, Assessment, assess
from callflow.simulate.mixes import Assumptions, Mix
from callflow.simulate.population import BAD_NUMBERS, Group, Population, SimulatedCall

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
_MOST_DISPOSITIONS: Final = 50
_BASE_RATE: Final = timedelta(days=180)


@dataclass(frozen=True, slots=True, kw_only=True)
class Harm:
    """What genuine callers of one group met.

    Attributes:
        calls: their genuine calls. flagged, warned, later: how many of these were.
        later_seconds: the most that one of them stood later among equals.
        flagged_in_a_row: for each time that a number of the group came under a flag, how many genuine calls it made
            until the flag was off.
    """

    group: Group
    calls: int
    flagged: int
    warned: int
    later: int
    later_seconds: float
    flagged_in_a_row: tuple[int, ...]

    @property
    def until_cleared(self) -> float | None:
        """The mean of `flagged_in_a_row`; None where nobody was flagged."""
        return sum(self.flagged_in_a_row) / len(self.flagged_in_a_row) if self.flagged_in_a_row else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one mix; counted after the settling days, calls with a number for `recall`.

    Attributes:
        pranks, pranks_flagged: of all that came with a number. of_pranksters…: of those by people who do it again.
        ghosts_flagged: silent calls from numbers that have pranked; neither right nor wrong.
    """

    mix: Mix
    calls: int
    pranks: int
    pranks_flagged: int
    pranks_of_pranksters: int
    pranks_of_pranksters_flagged: int
    genuine: int
    genuine_flagged: int
    ghosts: int
    ghosts_flagged: int
    harms: tuple[Harm, ...]

    @property
    def precision(self) -> float | None:
        """Of the flagged calls with a voice, how many were pranks; None where nothing was flagged."""
        flagged = self.pranks_flagged + self.genuine_flagged
        return self.pranks_flagged / flagged if flagged else None

    @property
    def recall(self) -> float:
        """Of the pranks with a number, how many were flagged."""
        return self.pranks_flagged / self.pranks

    @property
    def recall_of_pranksters(self) -> float:
        """Of the pranks by people who do it again and again, how many were flagged."""
        return self.pranks_of_pranksters_flagged / self.pranks_of_pranksters


@dataclass(frozen=True, slots=True)
class _Judged:
    call: SimulatedCall
    assessment: Assessment


@dataclass(slots=True)
class _Memory:
    """What operators said until now, as the engine's read model holds it."""

    calls: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    words: dict[str, deque[PastDisposition]] = field(
        default_factory=lambda: defaultdict(lambda: deque(maxlen=_MOST_DISPOSITIONS))
    )
    recent: deque[PastDisposition] = field(default_factory=deque)
    pranks: int = 0

    def history(self, number: str | None, at: datetime) -> CallerHistory:
        while self.recent and at - self.recent[0].at > _BASE_RATE:
            self.pranks -= self.recent.popleft().classification is Classification.PRANK
        return CallerHistory(
            calls=0 if number is None else self.calls.get(number, 0),
            dispositions=() if number is None else tuple(reversed(self.words.get(number, ()))),
            centre_pranks=self.pranks,
            centre_calls=len(self.recent),
        )

    def note(self, number: str | None, at: datetime, word: Classification | None) -> None:
        if number is not None:
            self.calls[number] += 1
        if word is None:
            return
        said = PastDisposition(at=at, classification=word)
        if number is not None:
            self.words[number].append(said)
        if word is not Classification.GHOST:
            self.recent.append(said)
            self.pranks += word is Classification.PRANK


def simulate(mix: Mix, assumed: Assumptions, policy: PrankPolicy, seed: int) -> Outcome:
    """One city for `assumed.days`; the same seed gives the same outcome."""
    random = Random(f"{seed} {mix.name}")  # noqa: S311 - no secret
    memory = _Memory()
    judged = []
    for call in Population(mix, assumed, random).calls():
        at = START + timedelta(days=call.day)
        found = assess(
            memory.history(call.number, at),
            known=call.number is not None,
            verified=call.verified,
            at=at,
            policy=policy,
        )
        memory.note(call.number, at, _word(call, mix, assumed, random))
        if call.day >= assumed.settling_days:
            judged.append(_Judged(call, found))
    return _outcome(mix, judged)


def _word(call: SimulatedCall, mix: Mix, assumed: Assumptions, random: Random) -> Classification | None:
    """What an operator says of the call; None = nothing, or nobody answered."""
    match call.kind:
        case Classification.PRANK:
            confirmed, opposite = assumed.confirm_prank, Classification.NORMAL
        case Classification.GHOST:
            confirmed, opposite = assumed.confirm_ghost, Classification.GHOST
        case _:
            confirmed, opposite = assumed.confirm_genuine, Classification.PRANK
    if random.random() >= mix.answered * confirmed:
        return None
    return opposite if random.random() < assumed.wrong else call.kind


def _outcome(mix: Mix, judged: Sequence[_Judged]) -> Outcome:
    pranks = [one for one in judged if one.call.kind is Classification.PRANK and one.call.number is not None]
    by_pranksters = [one for one in pranks if one.call.group is Group.PRANKSTER]
    genuine = [one for one in judged if one.call.kind in GENUINE]
    ghosts = [one for one in judged if one.call.kind is Classification.GHOST]
    return Outcome(
        mix=mix,
        calls=len(judged),
        pranks=len(pranks),
        pranks_flagged=_flagged(pranks),
        pranks_of_pranksters=len(by_pranksters),
        pranks_of_pranksters_flagged=_flagged(by_pranksters),
        genuine=len(genuine),
        genuine_flagged=_flagged(genuine),
        ghosts=len(ghosts),
        ghosts_flagged=_flagged(ghosts),
        harms=tuple(_harm(group, genuine) for group in (*BAD_NUMBERS, Group.WITHOUT_PAST, Group.WITHOUT_NUMBER)),
    )


def _flagged(judged: Sequence[_Judged]) -> int:
    return sum(one.assessment.flagged for one in judged)


def _harm(group: Group, genuine: Sequence[_Judged]) -> Harm:
    mine = [one for one in genuine if one.call.group is group]
    return Harm(
        group=group,
        calls=len(mine),
        flagged=_flagged(mine),
        warned=sum(one.assessment.warned for one in mine),
        later=sum(one.assessment.later_seconds > 0 for one in mine),
        later_seconds=max((one.assessment.later_seconds for one in mine), default=0.0),
        flagged_in_a_row=_in_a_row(mine),
    )


def _in_a_row(judged: Sequence[_Judged]) -> tuple[int, ...]:
    """The lengths of each number's runs of flagged calls, in the order in which they ended or were left open."""
    running: dict[str, int] = defaultdict(int)
    ended: list[int] = []
    for one in judged:
        number = one.call.number
        if number is None:
            continue
        if one.assessment.flagged:
            running[number] += 1
        elif running[number]:
            ended.append(running.pop(number))
    return (*ended, *(length for length in running.values() if length))
