"""An installation whose engine reaches Asterisk through a proxy, with a caller in every phase when a fault comes.

Each caller is then waited for until a person is heard at the caller's own phone, by whichever way; the longest silence
until then is that caller's limbo.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from callflow.demo.audio import longest_silence_seconds, tone_present
from callflow.demo.cast import OPERATOR_HZ, OUTSIDE_HZ, Cast, Placed, gather_cast
from callflow.demo.layout import CALLERS_BIND, lay_out
from callflow.demo.phones.call import PhoneCall
from callflow.demo.phones.phone import Phone
from callflow.demo.ports import free_port
from callflow.demo.stage import Stage, environment, set_stage
from callflow.engine.client import EngineClient
from callflow.flows.default import default_flow_text
from callflow.supervisor import Supervisor

from ..faults.ari_proxy import AriProxy, ari_proxy  # noqa: TID252
from .aftermath import STRAIGHT_TO_PEOPLE

PERSON_SECONDS = 75.0
"""A caller who hears nobody by then is lost: greeting, a round of phones and the last resort are over."""
LIMBO_SECONDS = 10.0
_A_PERSON = (*OPERATOR_HZ.values(), *OUTSIDE_HZ.values())


@dataclass(slots=True)
class Fate:
    """What became of one caller.

    Attributes:
        heard_after_seconds: from the fault, or the call's beginning, until a person was heard; None = never.
        limbo_seconds: the longest silence until then.
    """

    phase: str
    heard_after_seconds: float | None
    limbo_seconds: float

    @property
    def lost(self) -> bool:
        """Whether this caller is lost, as DOMAIN.md has it."""
        return self.heard_after_seconds is None or self.limbo_seconds > LIMBO_SECONDS


@dataclass(slots=True)
class FaultStage:
    """The installation, its people and the proxy."""

    stage: Stage
    cast: Cast
    proxy: AriProxy
    late_citizens: Phone
    placed: list[Placed] = field(default_factory=list)

    async def place_everybody(self) -> dict[str, Placed]:
        """One caller talks with siti, one is offered to budi, one waits, one hears the greeting."""
        cast = self.cast
        await cast.desk.answer_by_hand()
        cast.desk.drop_arrived()
        await cast.on_duty("siti", "budi")
        await self._publish(STRAIGHT_TO_PEOPLE)
        await cast.answers("siti")
        talking = await cast.dial()
        await cast.fact(talking, "CallConnected", operator="siti")
        await cast.desk.answer_by_hand()
        offered = await cast.dial()
        await cast.fact(offered, "OfferMade", operator="budi")
        waiting = await cast.dial()
        await cast.fact(waiting, "CallQueued")
        await self._publish(default_flow_text())
        greeted = await cast.dial()
        await greeted.phone.wait_heard(1.0)
        found = {"talking": talking, "offering": offered, "queued": waiting, "greeting": greeted}
        self.placed += found.values()
        return found

    async def fates(self, fault: AbstractAsyncContextManager[None]) -> list[Fate]:
        """Place a caller in each phase, bring the fault about, let one more arrive, and wait for everybody's person."""
        callers = await self.place_everybody()
        async with fault:
            began = {name: time.monotonic() for name in callers}
            began["talking"] = time.monotonic()
            for login in ("budi", "dewi"):
                await self.cast.desk.auto_answer(line=login, after_seconds=1.0, tone_hz=OPERATOR_HZ[login])
            await self._answer_what_rings()
            began["arriving"] = time.monotonic()
            callers["arriving"] = await self._dial_late()
            talking = callers.pop("talking")
            kept = await self._still_talks(talking.phone)
            async with asyncio.TaskGroup() as tasks:
                waits = [tasks.create_task(self._served(name, one.phone, began[name])) for name, one in callers.items()]
            return [kept, *(wait.result() for wait in waits)]

    async def _dial_late(self) -> Placed:
        """From a phone of its own: one phone holds four calls."""
        self.cast.citizens, others = self.late_citizens, self.cast.citizens
        try:
            placed = await self.cast.dial(engine=False)
        finally:
            self.cast.citizens = others
        self.placed.append(placed)
        return placed

    async def go_straight_to_people(self) -> None:
        """Put the one-node flow in force."""
        await self._publish(STRAIGHT_TO_PEOPLE)

    async def clear(self) -> None:
        """End every call and wait until Asterisk and the engine have none."""
        await self.cast.hang_up_all()
        for call in self.late_citizens.calls.values():
            if call.end is None:
                await call.hang_up()
        await self.cast.observer.until("no calls", lambda snapshot: not snapshot["calls"])

    async def _answer_what_rings(self) -> None:
        for call in self.cast.desk.calls.values():
            if call.end is None and call.line == "budi" and not call.recording:
                await call.play_tone(OPERATOR_HZ["budi"])
                await call.answer()  # type: ignore[attr-defined]

    async def _still_talks(self, phone: PhoneCall) -> Fate:
        """Who talked before the fault talks on; then hangs up and leaves the operator to the others."""
        assert phone.recording is not None
        begin = time.monotonic() - phone.recording.started_monotonic
        recording = await phone.wait_heard(begin + 6.0)
        silence = longest_silence_seconds(recording.path, begin, begin + 5.5)
        await phone.hang_up()
        await self.cast.answers("siti", 1.0)
        return Fate("talking", 0.0, silence)

    async def _served(self, phase: str, phone: PhoneCall, began: float) -> Fate:
        recording = await phone.wait_recording(20.0)
        until = began + PERSON_SECONDS
        heard = time.monotonic() - recording.started_monotonic
        while time.monotonic() < until and phone.end is None:
            heard += 0.5
            recording = await phone.wait_heard(heard, 30.0)
            tone = max(tone_present(recording.path, hz, max(0.0, heard - 2.0), heard).seconds for hz in _A_PERSON)
            if tone > 1.0:
                before = max(0.0, recording.started_monotonic - began) if phase == "arriving" else 0.0
                limbo = max(before, longest_silence_seconds(recording.path, 0.0, heard))
                after = recording.started_monotonic + heard - began
                await phone.hang_up()
                return Fate(phase, after, limbo)
        return Fate(phase, None, longest_silence_seconds(recording.path))

    async def _publish(self, flow: str) -> None:
        async with EngineClient(self.stage.layout.settings.engine_socket) as engine:
            await engine.publish_flow(flow, "test")


@asynccontextmanager
async def fault_stage(folder: Path) -> AsyncIterator[FaultStage]:
    """Bring everything up, the engine with the proxy for Asterisk's ARI, the watchdog without."""
    layout = lay_out(folder / "centre", http_port=free_port(), queue={"wrap_up_seconds": 0.0})
    async with ari_proxy(layout.settings.ari_url) as proxy:
        through = replace(layout, settings=layout.settings.model_copy(update={"ari_url": proxy.url}))
        async with (
            set_stage(through, print) as stage,
            gather_cast(stage, folder / "phones") as cast,
            Phone.start(bind=CALLERS_BIND, name="late-citizens", recordings=folder / "phones") as late,
        ):
            await stage.supervisor.stop("watchdog")
            spared = Supervisor(environment(layout), logs=folder / "watchdog")
            spared.start("watchdog", ("run", "watchdog"))
            try:
                yield FaultStage(stage, cast, proxy, late)
            finally:
                await spared.close()
