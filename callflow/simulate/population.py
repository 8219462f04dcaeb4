"""Draws the calls of a simulated city in their order: who really calls, over which number, and what the call is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from random import Random
from typing import TypeVar

from callflow.core.city import Classification
from callflow.simulate.mixes import Assumptions, Mix

_T = TypeVar("_T")


class Group(StrEnum):
    """Who calls, as nobody at the centre can know."""

    PRANKSTER = "prankster"
    PRANKS_ONCE = "pranks_once"
    FORGER = "forger"
    WITHOUT_NUMBER = "without_number"
    WITHOUT_PAST = "without_past"
    SHARED_PHONE = "shared_phone"
    RECYCLED_NUMBER = "recycled_number"
    VICTIM = "victim"


BAD_NUMBERS = (Group.SHARED_PHONE, Group.RECYCLED_NUMBER, Group.VICTIM)
"""Genuine callers whose number others have pranked from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedCall:
    """One call.

    Attributes:
        day: when, in days from the beginning.
        kind: what it truly is.
    """

    day: float
    number: str | None
    verified: bool
    kind: Classification
    group: Group


@dataclass(frozen=True, slots=True)
class _Prankster:
    number: str
    begins: float
    ends: float
    weight: float


class Population:
    """A city's callers.

    Only `Random.random` is drawn from: its sequence for a seed is the same on every platform and Python.
    """

    def __init__(self, mix: Mix, assumed: Assumptions, random: Random) -> None:
        self._mix = mix
        self._assumed = assumed
        self._random = random
        self._once = 0
        self._pranksters = tuple(
            _Prankster(f"prankster-{rank}", begins, begins + assumed.prankster_days, 1 / (rank + 1))
            for rank in range(assumed.pranksters)
            # some began before the simulation does, and some go on after it
            for begins in (random.random() * (assumed.days + assumed.prankster_days) - assumed.prankster_days,)
        )

    def calls(self) -> Iterator[SimulatedCall]:
        """All calls, in their order."""
        days = sorted(
            self._random.random() * self._assumed.days for _ in range(self._assumed.days * self._assumed.calls_per_day)
        )
        kinds, weights = zip(*self._mix.kinds, strict=True)
        for day in days:
            kind = self._one_of(kinds, weights)
            group = self._group(kind)
            number, group = self._number(group, day, kind)
            verified = (
                number is not None and group is not Group.FORGER and self._random.random() < self._assumed.verified
            )
            yield SimulatedCall(day=day, number=number, verified=verified, kind=kind, group=group)

    def _group(self, kind: Classification) -> Group:
        assumed = self._assumed
        match kind:
            case Classification.PRANK:
                shares = {
                    Group.PRANKSTER: assumed.prank_by_pranksters,
                    Group.SHARED_PHONE: assumed.prank_from_shared_phones,
                    Group.FORGER: assumed.prank_forged,
                    Group.WITHOUT_NUMBER: assumed.prank_without_number,
                }
                rest = Group.PRANKS_ONCE
            case Classification.GHOST:
                shares = {
                    Group.PRANKSTER: assumed.ghost_by_pranksters,
                    Group.SHARED_PHONE: assumed.ghost_from_shared_phones,
                    Group.WITHOUT_NUMBER: assumed.ghost_without_number,
                }
                rest = Group.WITHOUT_PAST
            case _:
                shares = {
                    Group.SHARED_PHONE: assumed.genuine_from_shared_phones,
                    Group.RECYCLED_NUMBER: assumed.genuine_from_recycled_numbers,
                    Group.VICTIM: assumed.genuine_by_victims,
                    Group.WITHOUT_NUMBER: assumed.genuine_without_number,
                }
                rest = Group.WITHOUT_PAST
        return self._one_of((*shares, rest), (*shares.values(), 1 - sum(shares.values())))

    def _number(self, group: Group, day: float, kind: Classification) -> tuple[str | None, Group]:
        """A number for this group; where it has nobody on that day, the call is somebody's without a past."""
        match group:
            case Group.WITHOUT_NUMBER:
                return None, group
            case Group.SHARED_PHONE:
                return f"shared-{self._below(self._assumed.shared_phones)}", group
            case Group.VICTIM | Group.FORGER:
                return f"victim-{self._below(self._assumed.victims)}", group
            case Group.PRANKSTER:
                active = [each for each in self._pranksters if each.begins <= day < each.ends]
                if active:
                    return self._one_of(active, [each.weight for each in active]).number, group
            case Group.RECYCLED_NUMBER:
                free = [each for each in self._pranksters if each.ends + self._assumed.recycled_after_days <= day]
                if free:
                    return self._one_of(free, [1.0] * len(free)).number, group
        self._once += 1
        return f"once-{self._once}", Group.PRANKS_ONCE if kind is Classification.PRANK else Group.WITHOUT_PAST

    def _below(self, count: int) -> int:
        return int(self._random.random() * count)

    def _one_of(self, things: Sequence[_T], weights: Sequence[float]) -> _T:
        place = self._random.random() * sum(weights)
        for thing, up_to in zip(things, accumulate(weights), strict=True):
            if place < up_to:
                return thing
        return things[-1]
