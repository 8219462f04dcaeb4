"""The cast of the scripted calls: citizens, operators and an outside centre on real SIP phones, each with a tone."""

from __future__ import annotations

import asyncio
import itertools
import math
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from callflow.demo.audio import longest_silence_seconds, tone_present
from callflow.demo.console import Console
from callflow.demo.layout import CALLERS_BIND
from callflow.demo.observer import Observer
from callflow.demo.phones.call import IncomingCall, PhoneCall
from callflow.demo.phones.phone import Phone
from callflow.demo.stage import Stage

CALLER_HZ: Final = 440.0
SECOND_CALLER_HZ: Final = 520.0
OPERATOR_HZ: Final = {"siti": 620.0, "budi": 730.0, "dewi": 850.0}
OUTSIDE_HZ: Final = 980.0
LEAST_SHARE: Final = 0.5
LEAST_TONE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 2.0


@dataclass(slots=True)
class Placed:
    """A citizen's call and its id, once the engine has told it."""

    phone: PhoneCall
    number: str
    call: str = ""


@dataclass(slots=True)
class Cast:
    """Everybody who takes part.

    Attributes:
        failures: what did not go as told, in words.
    """

    stage: Stage
    observer: Observer
    citizens: Phone
    desk: Phone
    outside: Phone
    supervisor: Console
    consoles: dict[str, Console]
    failures: list[str] = field(default_factory=list)
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    def expect(self, right: bool, what: str) -> None:
        """Note a failure unless it is right."""
        if not right:
            self.failures.append(what)

    # --- citizens ---------------------------------------------------------------------------------------------------

    async def dial(self, *, tone_hz: float = CALLER_HZ, engine: bool = True) -> Placed:
        """A citizen dials 112 from a number of their own and is answered.

        Args:
            tone_hz: what this citizen's phone plays.
            engine: wait until the engine tells of the call; False when there is no engine.
        """
        number = f"0812340{next(self._numbers):05d}"
        before = len(self.observer.facts)
        settings = self.stage.layout.settings
        phone = await self.citizens.call(
            f"sip:112@{settings.trunk_host}:{settings.trunk_port}",
            from_uri=f"<sip:{number}@{CALLERS_BIND}>",
            headers={"P-Asserted-Identity": f"<sip:{number}@{CALLERS_BIND}>"},
            tone_hz=tone_hz,
        )
        placed = Placed(phone, "+62" + number[1:])
        await phone.wait_confirmed()
        if engine:
            opened = await self.observer.wait(
                "the call's arrival",
                lambda fact: fact["type"] == "CallOpened" and fact["caller"]["number"] == placed.number,
                after=before,
            )
            placed.call = opened["call"]
        return placed

    async def fact(self, placed: Placed, kind: str, *, seconds: float = 60.0, **fields: Any) -> dict[str, Any]:
        """Wait for a fact about this call."""

        def found(fact: dict[str, Any]) -> bool:
            same = fact["type"] == kind and fact.get("call") == placed.call
            return same and all(fact.get(name) == value for name, value in fields.items())

        return await self.observer.wait(f"{kind} of {placed.call}", found, seconds=seconds)

    async def hang_up_all(self) -> None:
        """End every call of every phone: a script that failed must not spoil the next."""
        for phone in (self.citizens, self.desk, self.outside):
            for call in phone.calls.values():
                if call.end is None:
                    await call.hang_up()

    # --- operators --------------------------------------------------------------------------------------------------

    async def on_duty(self, *logins: str) -> None:
        """Have exactly these operators signed in, in this order of idleness, registered and free."""
        for login in self.consoles:
            await self.register(login)
        for login in self.consoles:
            await self.supervisor.move(login, "sign-out")
        for login in logins:
            await self.consoles[login].move(login, "sign-in")

        def ready(snapshot: dict[str, Any]) -> bool:
            by_name = {each["operator"]: each for each in snapshot["operators"]}
            return all(by_name[login]["state"] == "available" and by_name[login]["online"] for login in logins)

        await self.observer.until(f"{', '.join(logins)} ready", ready)

    async def register(self, login: str) -> None:
        """Register an operator's phone, if it is not."""
        if not self.desk.registered(login):
            settings = self.stage.layout.settings
            endpoint = f"op-{login}"
            await self.desk.register(
                settings.sip_host, settings.sip_port, endpoint, settings.secret(f"sip-{endpoint}"), line=login
            )

    async def answers(self, login: str, after_seconds: float = 0.5) -> None:
        """This operator takes each call after a while."""
        await self.desk.auto_answer(line=login, after_seconds=after_seconds, tone_hz=OPERATOR_HZ[login])

    async def picked_up(self, login: str, seconds: float = 60.0) -> IncomingCall:
        """The call that came to this operator's phone."""
        return await self.desk.wait_incoming(seconds, line=login)

    # --- what is heard ----------------------------------------------------------------------------------------------

    def hears(self, who: str, heard: Path, hz: float) -> None:
        """Expect a tone in a recording."""
        match = tone_present(heard, hz)
        enough = match.seconds >= LEAST_TONE_SECONDS
        self.expect(enough, f"{who}: {hz:g} Hz was there for only {match.seconds:.2f} s in {heard.name}")

    def entertained(self, placed: Placed) -> None:
        """Expect that a caller who waits hears something now."""
        recording = placed.phone.recording
        silent = math.inf if recording is None else longest_silence_seconds(recording.path, from_seconds=1.0)
        self.expect(silent < LONGEST_PAUSE_SECONDS, f"the caller who waits heard nothing for {silent:.1f} s")

    def track(self, placed: Placed, suffix: str) -> Path:
        """A track of the call's recording."""
        return self.stage.layout.settings.recordings_dir / f"{placed.call}{suffix}.wav"

    async def talk(self, placed: Placed, person: PhoneCall, seconds: float = 2.0) -> None:
        """Let both speak and hear for a while."""
        await asyncio.gather(person.wait_heard(seconds), placed.phone.wait_recording())

    def heard_each_other(self, placed: Placed, person: PhoneCall, caller_hz: float, person_hz: float) -> None:
        """Expect each one's tone at the other's phone."""
        for who, call, hz in (
            ("the caller's phone", placed.phone, person_hz),
            ("the person's phone", person, caller_hz),
        ):
            recording = call.recording
            if recording is None:
                self.failures.append(f"{who} had no media")
            else:
                self.hears(who, recording.path, hz)


@asynccontextmanager
async def gather_cast(stage: Stage, folder: Path) -> AsyncIterator[Cast]:
    """Start every phone and sign everybody in to the web.

    Args:
        stage: a running demonstration.
        folder: for what the phones hear.
    """
    layout = stage.layout
    async with AsyncExitStack() as stack:
        observer = Observer(layout.settings.engine_socket)
        stack.push_async_callback(observer.close)
        following = asyncio.create_task(observer.follow(), name="observer")
        stack.callback(following.cancel)
        citizens = await stack.enter_async_context(Phone.start(bind=CALLERS_BIND, name="citizens", recordings=folder))
        desk = await stack.enter_async_context(Phone.start(bind="127.0.0.1", name="desk", recordings=folder))
        far = layout.last_resort[0]
        outside = await stack.enter_async_context(
            Phone.start(bind=far.bind, port=far.port, name="outside", recordings=folder)
        )
        await outside.auto_answer(after_seconds=0.3, tone_hz=OUTSIDE_HZ)
        supervisor = await stack.enter_async_context(
            Console(layout.web_url, "supervisor", layout.passwords["supervisor"])
        )
        consoles = {
            each.login: await stack.enter_async_context(Console(layout.web_url, each.login, each.password))
            for each in layout.operators
        }
        yield Cast(stage, observer, citizens, desk, outside, supervisor, consoles)
