"""What is published of who calls 112, and what a simulation has to assume beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from callflow.core.city import Classification


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """The calls of one place.

    Attributes:
        kinds: how many of each kind; only the proportions count.
        answered: the share of calls that reach a person, who alone can say what a call was.
        source: what is published, and what is assumed in its place.
    """

    name: str
    kinds: tuple[tuple[Classification, int], ...]
    answered: float
    source: str

    def share(self, *kinds: Classification) -> float:
        """The share of these kinds among all calls."""
        return sum(count for kind, count in self.kinds if kind in kinds) / sum(count for _, count in self.kinds)


_PURWOREJO: Final = (
    (Classification.PRANK, 1147),
    (Classification.GHOST, 1170),
    (Classification.INFORMASI, 455),
    (Classification.NORMAL, 30),
)

MIXES: Final = (
    Mix(
        name="Purworejo",
        kinds=_PURWOREJO,
        answered=1.0,
        source="2,802 calls = 1,147 prank + 1,170 ghost + 455 information + 30 real; each taken as answered",
    ),
    Mix(
        name="Jakarta 2024",
        kinds=_PURWOREJO,
        answered=1 - 370_817 / 637_292,
        source="637,292 calls, 370,817 dropped before an answer; kinds are not published, Purworejo's stand for them",
    ),
    Mix(
        name="Kota Batu",
        kinds=_PURWOREJO,
        answered=1_308 / 61_897,
        source="61,897 arrived, 1,308 answered; kinds are not published, Purworejo's stand for them",
    ),
    Mix(
        name="Banyuwangi",
        kinds=(
            (Classification.PRANK, 5),
            (Classification.GHOST, 5),
            (Classification.INFORMASI, 60),
            (Classification.NORMAL, 30),
        ),
        answered=1.0,
        source="about 100 calls a day, mostly public services and emergencies; 5 % prank and 5 % ghost are assumed",
    ),
)
"""The published mixes; where a place does not publish something, `source` says what stands in its place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """What nobody publishes. Shares of one group of fields add up to less than 1; the rest is the last that is named.

    Attributes:
        days, calls_per_day: what is simulated. settling_days: at the beginning, not counted.
        pranksters: people who prank again and again, each for `prankster_days`, a few of them most often.
        shared_phones: family phones from which a child pranks and a parent calls for help.
        victims: honest people whose numbers others forge.
        recycled_after_days: so long after its prankster a number may belong to somebody else.
        prank_…: from whom pranks come; the rest from people who do it once.
        genuine_…: from whom genuine calls come; the rest from people without any past.
        ghost_…: likewise.
        verified: the share of calls over trunks that vouch for numbers; forged ones never come over them.
        confirm_…: how often an operator says what an answered call was.
        wrong: how often that word is the opposite of the truth.
    """

    days: int = 180
    calls_per_day: int = 100
    settling_days: int = 30
    pranksters: int = 60
    prankster_days: float = 60.0
    shared_phones: int = 25
    victims: int = 15
    recycled_after_days: float = 30.0
    prank_by_pranksters: float = 0.55
    prank_from_shared_phones: float = 0.08
    prank_forged: float = 0.04
    prank_without_number: float = 0.08
    genuine_from_shared_phones: float = 0.03
    genuine_from_recycled_numbers: float = 0.02
    genuine_by_victims: float = 0.02
    genuine_without_number: float = 0.05
    ghost_by_pranksters: float = 0.20
    ghost_from_shared_phones: float = 0.05
    ghost_without_number: float = 0.15
    verified: float = 0.8
    confirm_prank: float = 0.7
    confirm_genuine: float = 0.8
    confirm_ghost: float = 0.5
    wrong: float = 0.01


ASSUMPTIONS: Final = Assumptions()
