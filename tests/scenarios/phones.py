"""How simulated phones behave when they are rung: each ringing takes the next behaviour, the last one for ever."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from callflow.core.ids import ChannelId, OfferId

HUNG_UP = 16
BUSY = 17
NO_ANSWER = 19
REFUSED = 21
LOST = 44


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """What a phone does with one call.

    Attributes:
        registered: False = it cannot even be rung.
        rings: False = it never says that it rings.
        answers: False = it refuses with `cause`.
        after_seconds: of ringing; None = it never does anything.
        speaks_after_seconds: from the answer; None = nothing is ever said.
        talks_seconds: from the answer until the leg ends with `cause`; None = until the other side ends it.
    """

    registered: bool = True
    rings: bool = True
    answers: bool = True
    after_seconds: float | None = None
    speaks_after_seconds: float | None = 0.5
    talks_seconds: float | None = None
    cause: int = HUNG_UP


def answers(after_seconds: float = 2.0, *, talks_seconds: float | None = None) -> Behaviour:
    """Answer, say something, talk, hang up."""
    return Behaviour(after_seconds=after_seconds, talks_seconds=talks_seconds)


def says_nothing(after_seconds: float = 2.0, *, talks_seconds: float | None = None) -> Behaviour:
    """Answer and stay silent: a machine, a forgotten receiver, a dead line."""
    return replace(answers(after_seconds, talks_seconds=talks_seconds), speaks_after_seconds=None)


def vanishes(after_seconds: float = 2.0, *, talks_seconds: float = 5.0) -> Behaviour:
    """Answer, and be lost without a hang-up."""
    return Behaviour(after_seconds=after_seconds, talks_seconds=talks_seconds, cause=LOST)


def declines(after_seconds: float = 0.05, *, cause: int = REFUSED) -> Behaviour:
    """Refuse."""
    return Behaviour(answers=False, after_seconds=after_seconds, cause=cause)


def busy() -> Behaviour:
    """Refuse as busy at once."""
    return declines(0.01, cause=BUSY)


def never_answers() -> Behaviour:
    """Ring for ever."""
    return Behaviour()


def unplugged() -> Behaviour:
    """Be registered still, and not be there."""
    return Behaviour(rings=False)


def unregistered() -> Behaviour:
    """Not be there: Asterisk cannot ring it."""
    return Behaviour(registered=False)


@dataclass
class SimulatedPhone:
    """One phone: an operator's, a citizen's, or a number outside, which takes any number of calls.

    Attributes:
        foreign: channels on it that the system has nothing to do with. codes: of feature codes that it dialled.
        whispers: prompts that were played to it alone during calls. told: likewise after a dialled code.
    """

    behaviours: Sequence[Behaviour]
    lines: int = 1
    online: bool = True
    legs: set[OfferId] = field(default_factory=set)
    foreign: set[ChannelId] = field(default_factory=set)
    codes: set[ChannelId] = field(default_factory=set)
    rung: list[float] = field(default_factory=list)
    whispers: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def take(self, seconds: float) -> Behaviour:
        """The behaviour for the ringing that begins now."""
        behaviour = self.behaviours[min(len(self.rung), len(self.behaviours) - 1)]
        self.rung.append(seconds)
        if not self.online:
            return unregistered()
        return busy() if len(self.legs) + len(self.codes) >= self.lines else behaviour
