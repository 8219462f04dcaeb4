"""The cast of the scripted calls: citizens, operators and services outside on real SIP phones, each with a tone."""

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
OUTSIDE_HZ: Final = {"ambulans-a": 1120.0, "ambulans-b": 1270.0, "polisi": 1430.0, "provinsi": 980.0}
"""By the trunk that leads there."""
ALL_HZ: Final = (CALLER_HZ, SECOND_CALLER_HZ, *OPERATOR_HZ.values(), *OUTSIDE_HZ.values())
_NOBODY: Final = '"Anonymous" <sip:anonymous@anonymous.invalid>'
LEAST_TONE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 2.0


@dataclass(slots=True)
class Placed:
    """A citizen's call and its id, once the engine has told it; `number` None = withheld."""

    phone: PhoneCall
    number: str | None
    call: str = ""


@dataclass(slots=True)
class Cast:
    """Everybody who takes part.

    Attributes:
        citizens: who call 112, and are called back.
        desk: the operators' phones, one line each.
        outside: the services outside, by the trunk that leads there; who is not here does not answer.
        failures: what did not go as told, in words.
    """

    stage: Stage
    observer: Observer
    citizens: Phone
    desk: Phone
    outside: dict[str, Phone]
    supervisor: Console
    consoles: dict[str, Console]
    failures: list[str] = field(default_factory=list)
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    def expect(self, right: bool, what: str) -> None:
        """Note a failure unless it is right."""
        if not right:
            self.failures.append(what)

    # --- citizens ---------------------------------------------------------------------------------------------------

    def new_number(self) -> str:
        """A citizen's number that nobody had before, as it is dialled in the country."""
        return f"0812340{next(self._numbers):05d}"

    async def dial(
        self,
        *,
        tone_hz: float = CALLER_HZ,
        engine: bool = True,
        number: str | None = None,
        withheld: bool = False,
    ) -> Placed:
        """A citizen dials 112 and is answered.

        Args:
            tone_hz: what this citizen's phone plays.
            engine: wait until the engine tells of the call; False when there is no engine.
            number: the citizen's; None = one that nobody had before.
            withheld: the trunk tells no number.
        """
        number = number or self.new_number()
        before = len(self.observer.facts)
        settings = self.stage.layout.settings
        asserted = {} if withheld else {"P-Asserted-Identity": f"<sip:{number}@{CALLERS_BIND}>"}
        phone = await self.citizens.call(
            f"sip:112@{settings.trunk_host}:{settings.trunk_port}",
            from_uri=_NOBODY if withheld else f"<sip:{number}@{CALLERS_BIND}>",
            headers=asserted,
            tone_hz=tone_hz,
        )
        placed = Placed(phone, None if withheld else "+62" + number[1:])
        await phone.wait_confirmed()
        if engine:
            opened = await self.observer.wait(
                "the call's arrival",
                lambda fact: fact["type"] == "CallOpened" and fact["caller"]["number"] == placed.number,
                after=before,
            )
            placed.call = opened["call"]
        return placed

    async def fact(
        self, placed: Placed, kind: str, /, *, seconds: float = 60.0, after: int = 0, **fields: Any
    ) -> dict[str, Any]:
        """Wait for a fact about this call, at or after index `after` of all facts."""

        def found(fact: dict[str, Any]) -> bool:
            same = fact["type"] == kind and fact.get("call") == placed.call
            return same and all(fact.get(name) == value for name, value in fields.items())

        return await self.observer.wait(f"{kind} of {placed.call}", found, after=after, seconds=seconds)

    def facts(self, placed: Placed, kind: str) -> list[dict[str, Any]]:
        """The facts of one kind about this call until now."""
        return [fact for fact in self.observer.facts if fact["type"] == kind and fact.get("call") == placed.call]

    async def hang_up_all(self) -> None:
        """End every call of every phone: a script that failed must not spoil the next."""
        for phone in self.phones:
            for call in phone.calls.values():
                if call.end is None:
                    await call.hang_up()

    @property
    def phones(self) -> tuple[Phone, ...]:
        """Every phone."""
        return (self.citizens, self.desk, *self.outside.values())

    async def take_places(self) -> None:
        """Have everybody as before the first script: citizens and services outside answer, operators by hand."""
        await self.citizens.auto_answer(after_seconds=0.5, tone_hz=CALLER_HZ)
        await self.desk.answer_by_hand()
        for name in self.outside:
            await self.answers_outside(name)
        for phone in self.phones:
            phone.drop_arrived()

    # --- services outside -------------------------------------------------------------------------------------------

    async def answers_outside(self, name: str, *, speaks: bool = True) -> None:
        """This service takes each call soon, and speaks at once, or says nothing."""
        await self.outside[name].auto_answer(after_seconds=0.3, tone_hz=OUTSIDE_HZ[name] if speaks else None)

    async def came(self, name: str, seconds: float = 15.0) -> IncomingCall:
        """The call that came to this service, once it was answered."""
        call = await self.outside[name].wait_incoming(seconds)
        await call.wait_confirmed()
        return call

    def sees_number(self, call: IncomingCall, placed: Placed) -> None:
        """Expect the citizen's number on a call that was made for this citizen."""
        number = placed.number or ""
        shown = call.caller.user
        self.expect(shown.endswith(number[3:]), f"{shown!r} was shown outside, not the citizen's number {number}")

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
            await self.register_on(self.desk, login)

    async def register_on(self, phone: Phone, login: str) -> None:
        """Register an operator at this phone; where the person was registered before, no call goes any more."""
        settings = self.stage.layout.settings
        endpoint = f"op-{login}"
        await phone.register(
            settings.sip_host, settings.sip_port, endpoint, settings.secret(f"sip-{endpoint}"), line=login
        )

    async def answers(self, login: str, after_seconds: float = 0.5) -> None:
        """This operator takes each call after a while."""
        await self.desk.auto_answer(line=login, after_seconds=after_seconds, tone_hz=OPERATOR_HZ[login])

    async def picked_up(self, login: str, seconds: float = 60.0) -> IncomingCall:
        """The call that came to this operator's phone."""
        return await self.desk.wait_incoming(seconds, line=login)

    async def picks_up(self, login: str) -> IncomingCall:
        """This operator, whose phone rings or will ring, comes to the desk and takes the call."""
        await self.answers(login)
        rings = (call for call in self.desk.calls.values() if call.line == login and call.end is None)
        call = next(rings, None)
        self.desk.drop_arrived()
        if not isinstance(call, IncomingCall):
            return await self.picked_up(login)
        await call.play_tone(OPERATOR_HZ[login])
        await call.answer()
        return call

    def number_of(self, login: str) -> str:
        """The digits by which colleagues reach this operator."""
        return next(each.number for each in self.stage.layout.operators if each.login == login)

    async def dial_code(self, login: str, code: str) -> PhoneCall:
        """An operator's idle phone dials a feature code."""
        settings = self.stage.layout.settings
        return await self.desk.call(f"sip:{code}@{settings.sip_host}:{settings.sip_port}", line=login)

    async def operator_is(self, login: str, state: str, seconds: float = 10.0) -> None:
        """Wait until the engine shows this operator in a state."""

        def holds(snapshot: dict[str, Any]) -> bool:
            return any(each["operator"] == login and each["state"] == state for each in snapshot["operators"])

        await self.observer.until(f"{login} {state}", holds, seconds=seconds)

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

    async def talk_to_the_end(
        self, placed: Placed, person: PhoneCall, person_hz: float, caller_hz: float = CALLER_HZ
    ) -> None:
        """Both speak until the caller hangs up; each heard the other."""
        await self.talk(placed, person)
        await placed.phone.hang_up()
        await person.wait_ended()
        self.heard_each_other(placed, person, caller_hz, person_hz)

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
async def gather_cast(stage: Stage, folder: Path, *, everybody: bool = True) -> AsyncIterator[Cast]:
    """Start every phone and sign everybody in to the web.

    Args:
        stage: a running demonstration.
        folder: for what the phones hear.
        everybody: with the services outside, and citizens who can be called; without, their addresses stay free for
            the phones of somebody who tries the demonstration.
    """
    layout = stage.layout
    async with AsyncExitStack() as stack:
        observer = Observer(layout.settings.engine_socket)
        stack.push_async_callback(observer.close)
        following = asyncio.create_task(observer.follow(), name="observer")
        stack.callback(following.cancel)
        citizens = await stack.enter_async_context(
            Phone.start(
                bind=CALLERS_BIND,
                port=layout.citizens_port if everybody else 0,
                name="citizens",
                recordings=folder,
            )
        )
        desk = await stack.enter_async_context(Phone.start(bind="127.0.0.1", name="desk", recordings=folder))
        outside = {
            far.trunk: await stack.enter_async_context(
                Phone.start(bind=far.bind, port=far.port, name=far.trunk, recordings=folder)
            )
            for far in (layout.outside if everybody else ())
        }
        supervisor = await stack.enter_async_context(
            Console(layout.web_url, "supervisor", layout.passwords["supervisor"])
        )
        consoles = {
            each.login: await stack.enter_async_context(Console(layout.web_url, each.login, each.password))
            for each in layout.operators
        }
        cast = Cast(stage, observer, citizens, desk, outside, supervisor, consoles)
        await cast.take_places()
        yield cast
