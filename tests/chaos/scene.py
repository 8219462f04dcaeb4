"""Brings one probed caller exactly into each phase of a call, on a whole installation; waits for events, not for time.

Six callers at once, so that one fault strikes all phases: dewi, a caller and the police talk three-way; siti talks;
rina has just hung up and wraps up; budi's phone rings; one waits, for nobody else is there; one hears the greeting.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from callflow.demo.cast import OPERATOR_HZ, OUTSIDE_HZ, Cast, Placed, gather_cast
from callflow.demo.layout import CALLERS_BIND, OPERATORS, lay_out
from callflow.demo.phones.call import IncomingCall
from callflow.demo.phones.errors import PhoneRefused
from callflow.demo.phones.phone import Phone
from callflow.demo.ports import free_port
from callflow.demo.stage import Progress, Stage

from .grounds import Ground, Kind, set_ground

PEOPLE_HZ: Final = {**OPERATOR_HZ, "siti": 1550.0, "rina": 910.0}
"""siti's usual 620 Hz is a note of the waiting music, too, which must not be taken for a person."""
PERSONS_HZ: Final = (*PEOPLE_HZ.values(), *OUTSIDE_HZ.values())
"""Whoever plays one of these tones is a person."""
QUEUE: Final = {"wrap_up_seconds": 5.0}
"""Long enough to be struck in, and short enough for everybody to be served afterwards."""
_TO_PEOPLE: Final = "2"
"""The key of the default flow that leads straight to an operator."""


class Phase(StrEnum):
    """Where a caller is when the fault comes; ARRIVING dials a moment after it came."""

    GREETING = "greeting"
    QUEUE = "queue"
    OFFERING = "offering"
    TALKING = "talking"
    THREE_WAY = "three-way"
    WRAP_UP = "wrap-up"
    ARRIVING = "arriving"


@dataclass(slots=True)
class Probed:
    """One caller in a phase; `began` is on the monotonic clock: the INVITE."""

    phase: Phase
    placed: Placed
    began: float


@dataclass(slots=True)
class Scene:
    """The installation with its people.

    Attributes:
        crowd: a second phone of citizens, for one phone holds four calls.
        dialled: every probed caller of this scene's life.
    """

    ground: Ground
    cast: Cast
    crowd: Phone
    dialled: list[Probed] = field(default_factory=list)
    _second: bool = False

    @property
    def stage(self) -> Stage:
        """The installation's processes."""
        return self.ground.stage

    async def take_places(self) -> None:
        """Everybody registered and signed out, nobody in a call; signed in to the web anew, for that may have died."""
        cast = self.cast
        await self.hang_up_all()
        for console in (cast.supervisor, *cast.consoles.values()):
            await console.__aenter__()
        await cast.take_places()
        await self.crowd.answer_by_hand()
        for login in cast.consoles:
            await cast.register(login)
            await cast.supervisor.move(login, "sign-out")

    async def place(self, phases: Sequence[Phase], last_moment: Callable[[], Awaitable[None]]) -> dict[Phase, Probed]:
        """Bring a caller into each of these phases, in an order in which none disturbs another.

        Args:
            phases: which; ARRIVING is not placed but dialled by `dial`.
            last_moment: awaited before the last step, after which the fault must come at once: a wrap-up is short.
        """
        drivers: tuple[tuple[Phase, Callable[[], Awaitable[Probed]]], ...] = (
            (Phase.THREE_WAY, self._three_way),
            (Phase.TALKING, lambda: self._talks(Phase.TALKING, "siti")),
            (Phase.WRAP_UP, lambda: self._talks(Phase.WRAP_UP, "rina")),
            (Phase.OFFERING, self._offered),
            (Phase.QUEUE, self._waits),
            (Phase.GREETING, self._greeted),
        )
        found = {phase: await bring() for phase, bring in drivers if phase in phases}
        await last_moment()
        if (leaving := found.get(Phase.WRAP_UP)) is not None:
            await leaving.placed.phone.hang_up()
            await self.cast.operator_is("rina", "wrap_up")
            classified = {"classification": "normal"}
            await self.cast.consoles["rina"].ask("POST", f"/calls/{leaving.placed.call}/classification", classified)
        return found

    async def dial(self, phase: Phase, *, engine: bool = True) -> Probed:
        """A citizen dials, from the two phones in turn."""
        cast = self.cast
        usual = cast.citizens
        cast.citizens, self._second = (self.crowd if self._second else usual), not self._second
        began = time.monotonic()
        try:
            placed = await cast.dial(engine=engine)
        finally:
            cast.citizens = usual
        probed = Probed(phase, placed, began)
        self.dialled.append(probed)
        return probed

    async def answer_everything(self) -> None:
        """From now on everybody picks up after a second, and who lets a phone ring takes that call."""
        for login, hz in PEOPLE_HZ.items():
            await self.cast.desk.auto_answer(line=login, after_seconds=1.0, tone_hz=hz)
        for call in self.cast.desk.calls.values():
            rings = call.end is None and isinstance(call, IncomingCall) and not call.recording
            if rings and isinstance(call, IncomingCall):
                await call.play_tone(PEOPLE_HZ[call.line])
                await call.answer()

    async def hang_up_all(self) -> None:
        """End every call of every phone; one that ends in the same moment is over, too."""
        for phone in (*self.cast.phones, self.crowd):
            for call in phone.calls.values():
                if call.end is None:
                    with suppress(PhoneRefused):
                        await call.hang_up()

    async def _signs_in(self, login: str) -> None:
        await self.cast.consoles[login].move(login, "sign-in")

        def ready(shown: dict[str, Any]) -> bool:
            one = next(each for each in shown["operators"] if each["operator"] == login)
            return bool(one["state"] == "available" and one["online"])

        await self.cast.observer.until(f"{login} ready", ready)

    async def _to_people(self, phase: Phase) -> Probed:
        probed = await self.dial(phase)
        await probed.placed.phone.send_dtmf(_TO_PEOPLE)
        return probed

    async def _talks(self, phase: Phase, login: str) -> Probed:
        await self._signs_in(login)
        await self.cast.desk.auto_answer(line=login, after_seconds=0.2, tone_hz=PEOPLE_HZ[login])
        probed = await self._to_people(phase)
        person = await self.cast.picked_up(login)
        await self.cast.fact(probed.placed, "CallConnected", operator=login)
        await self.cast.talk(probed.placed, person, 0.5)
        return probed

    async def _three_way(self) -> Probed:
        probed = await self._talks(Phase.THREE_WAY, "dewi")
        asked = {"action": "join", "target": "polisi"}
        await self.cast.consoles["dewi"].ask("POST", "/operators/dewi/talk", asked)
        await self.cast.fact(probed.placed, "PartySpoke", name="polisi")
        return probed

    async def _offered(self) -> Probed:
        await self._signs_in("budi")
        await self.cast.desk.answer_by_hand("budi")
        probed = await self._to_people(Phase.OFFERING)
        await self.cast.fact(probed.placed, "OfferMade", operator="budi")
        return probed

    async def _waits(self) -> Probed:
        probed = await self._to_people(Phase.QUEUE)
        await self.cast.fact(probed.placed, "CallQueued")
        return probed

    async def _greeted(self) -> Probed:
        probed = await self.dial(Phase.GREETING)
        await probed.placed.phone.wait_heard(1.0)
        return probed


@asynccontextmanager
async def set_scene(kind: Kind, folder: Path, progress: Progress) -> AsyncIterator[Scene]:
    """Bring an installation of this kind and its people up, and all down at the end."""
    operators = (*OPERATORS, ("rina", "Rina Wulandari", ()))
    # a port of its own for each web: who was told what is known by the web's address
    layout = lay_out(folder / "centre", http_port=free_port(), queue=QUEUE, operators=operators)
    async with (
        set_ground(kind, layout, folder / "ground", progress) as ground,
        gather_cast(ground.stage, folder / "phones") as cast,
        Phone.start(bind=CALLERS_BIND, name="crowd", recordings=folder / "phones") as crowd,
    ):
        yield Scene(ground, cast, crowd)
