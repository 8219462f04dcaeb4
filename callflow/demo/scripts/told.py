"""What a script says of each of its calls: how the call must stand in the record, and what its tracks must hold."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from callflow.core.facts import Direction, HangupParty, Stage
from callflow.demo.cast import CALLER_HZ, OPERATOR_HZ, Cast, Placed

MENU: Final = "welcome"
"""The default flow's menu."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """How one call of a script must stand in the record.

    Attributes:
        path: steps as `node:exit`.
        outcomes: of its offers, in order; None = not compared.
        parties: names of those brought in beside the person, in order.
        consultations: how many there were, each with a track of its own.
        classification: what was said of it, if anything.
        flagged: the caller's number is under suspicion.
        tones: track suffix to the tones that must be in it.
        absent: track suffix to the tones that must not.
    """

    placed: Placed
    stage: Stage
    path: tuple[str, ...]
    operator: str | None = None
    destination: str | None = None
    ended_by: HangupParty = HangupParty.CALLER
    outcomes: tuple[str, ...] | None = None
    parties: tuple[str, ...] = ()
    consultations: int = 0
    classification: str | None = None
    flagged: bool = False
    direction: Direction = Direction.INBOUND
    tones: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    absent: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    fallback: bool = False


def served(
    placed: Placed,
    way: str,
    operator: str,
    *,
    caller_hz: float = CALLER_HZ,
    ended_by: HangupParty = HangupParty.CALLER,
    outcomes: tuple[str, ...] = ("answered",),
) -> Told:
    """A call that left the menu by this exit and that one operator took to its end."""
    return Told(
        placed=placed,
        stage=Stage.ANSWERED,
        path=(f"{MENU}:{way}",),
        operator=operator,
        ended_by=ended_by,
        outcomes=outcomes,
        tones=both(caller_hz, OPERATOR_HZ[operator]),
    )


Script = Callable[[Cast], Awaitable[list[Told]]]


def both(caller_hz: float, *persons_hz: float) -> dict[str, tuple[float, ...]]:
    """The tracks of a call in which the citizen spoke with these people."""
    return {"-in": (caller_hz,), "-out": persons_hz}
