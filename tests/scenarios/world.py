"""A whole centre in memory, in virtual time: a Switchboard, its engine, and a simulated Asterisk with people in it.

Everything follows from the seed. After every event the invariants are checked, and what was decided is kept.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from callflow.core.city import CentreSettings, Destination, OperatorProfile
from callflow.core.commands import (
    CallCommand,
    CancelTimer,
    Command,
    Note,
    PrepareCentre,
    Refusal,
    Reply,
    StartTimer,
)
from callflow.core.events import (
    CallArrived,
    Caller,
    Event,
    FlowPublished,
    KeyPressed,
    OperatorChanged,
    PauseRequested,
    ResumeRequested,
    SettingsChanged,
    SignInRequested,
    SignOutRequested,
    TimerFired,
)
from callflow.core.facts import Fact, OfferMade
from callflow.core.ids import CallId, CentreId, ChannelId, EndpointName, OperatorId, RequestId, TrunkRoute
from callflow.core.state import Call, Operator, State
from callflow.core.switchboard import Switchboard
from callflow.core.timers import Timer
from callflow.flows.default import default_flow_text

from .invariants import Invariants
from .pbx import LONGEST_SILENCE_SECONDS, CallerLeg, Schedule, SimulatedPbx
from .phones import Behaviour, SimulatedPhone, unregistered

START = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
"""A Monday morning at eight in western Indonesia."""
SETTINGS = CentreSettings(
    centre=CentreId("pekalongan"),
    zone="Asia/Jakarta",
    last_resort=(
        Destination(name="posko", number="+62285111", trunk=TrunkRoute("trunk-city")),
        Destination(name="provinsi", number="+6224222", trunk=TrunkRoute("trunk-city")),
    ),
)
_F = TypeVar("_F", bound=Fact)
_C = TypeVar("_C", bound=Command)


@dataclass(frozen=True)
class Turn:
    """One event and what was decided on it."""

    event: Event
    commands: tuple[Command, ...]


class World:
    """A centre at work.

    Attributes:
        tolerates: what `handle` may raise: the engine goes on with DecisionFailed then.
        failed: the events on which it did.

    Args:
        operators: each operator's phone behaviours, in the order in which the operators sign in.
        outside: the behaviours of the last-resort numbers, by name.
        signed_in: False = everybody stays away, the phones are there.
        skills: of operators, by name.
    """

    def __init__(
        self,
        operators: Mapping[str, Sequence[Behaviour] | Behaviour] | None = None,
        *,
        outside: Mapping[str, Sequence[Behaviour] | Behaviour] | None = None,
        settings: CentreSettings = SETTINGS,
        flow: str | None = None,
        signed_in: bool = True,
        skills: Mapping[str, Iterable[str]] | None = None,
        seed: int = 112,
    ) -> None:
        self.rng = random.Random(seed)  # noqa: S311 - a world, not a secret
        self.schedule = Schedule(START)
        self.pbx = SimulatedPbx(self.schedule, self.rng, self._post, _phones(operators or {}, outside or {}, settings))
        self.switchboard = Switchboard()
        self.turns: list[Turn] = []
        self.tolerates: tuple[type[Exception], ...] = ()
        self.failed: list[Event] = []
        self.shadows: list[Switchboard] = []
        self._invariants = Invariants(self.switchboard.state)
        self._timers: dict[Timer, int] = {}
        self._free_at: dict[CallId, datetime] = {}
        self._timers_started = 0
        self._requests = 0
        self._life = 0
        self._settings = settings
        self._operators = tuple(operators or {})
        self._skills = skills or {}
        self.flows = [flow or default_flow_text()]
        self.open_centre()
        if signed_in:
            for name in self._operators:
                self.sign_in(name)

    # --- time -------------------------------------------------------------------------------------------------------

    def run(self, seconds: float) -> None:
        """Let so many seconds pass; nobody who is with us may hear nothing for too long."""
        self.schedule.run(seconds)
        silence = self.pbx.longest_silence_seconds()
        assert silence <= LONGEST_SILENCE_SECONDS, f"a caller heard nothing for {silence:.1f} s"

    def after(self, seconds: float, action: Callable[[], object]) -> None:
        """Do something after so many seconds."""
        self.schedule.after(seconds, lambda: (action(), None)[-1])

    @property
    def seconds(self) -> float:
        """Virtual seconds since the start."""
        return self.schedule.seconds

    # --- the city's data --------------------------------------------------------------------------------------------

    def open_centre(self) -> None:
        """Tell the switchboard what the shell tells at start, and what it asks Asterisk."""
        now = self.schedule.now
        self.take(SettingsChanged(at=now, settings=self._settings))
        self.publish(self.flows[-1], version=len(self.flows))
        for name in self._operators:
            self.change_operator(name)
            self.pbx.report(f"op-{name}")
        self.schedule.run(0.05)

    def publish(self, flow: str, *, version: int) -> None:
        """Put a flow in force."""
        self.take(FlowPublished(at=self.schedule.now, version=version, document=flow, published_by="admin"))

    def change_settings(self, **changes: object) -> None:
        """Change some of the centre's settings."""
        self._settings = replace(self._settings, **changes)  # type: ignore[arg-type]
        self.take(SettingsChanged(at=self.schedule.now, settings=self._settings))

    def change_operator(self, name: str, *, endpoint: str | None = None, active: bool = True) -> None:
        """Add an operator or change the profile."""
        profile = OperatorProfile(
            operator=OperatorId(name),
            name=name.title(),
            endpoint=EndpointName(endpoint or f"op-{name}"),
            skills=frozenset(self._skills.get(name, ())),
        )
        self.take(OperatorChanged(at=self.schedule.now, profile=profile, active=active))

    # --- people at work ---------------------------------------------------------------------------------------------

    def sign_in(self, name: str) -> Refusal | None:
        """An operator signs in."""
        return self._ask(SignInRequested(at=self.schedule.now, request=self._request(), operator=OperatorId(name)))

    def sign_out(self, name: str, *, approved_by: str | None = None) -> Refusal | None:
        """An operator signs out."""
        request = self._request()
        now = self.schedule.now
        return self._ask(SignOutRequested(at=now, request=request, operator=OperatorId(name), approved_by=approved_by))

    def pause(self, name: str, reason: str = "makan", *, approved_by: str | None = None) -> Refusal | None:
        """An operator takes a break."""
        now, request = self.schedule.now, self._request()
        return self._ask(
            PauseRequested(at=now, request=request, operator=OperatorId(name), reason=reason, approved_by=approved_by)
        )

    def resume(self, name: str) -> Refusal | None:
        """An operator is ready again."""
        return self._ask(ResumeRequested(at=self.schedule.now, request=self._request(), operator=OperatorId(name)))

    def phone(self, name: str) -> SimulatedPhone:
        """An operator's phone, or a number outside by its name."""
        return self.pbx.phones[f"op-{name}"] if f"op-{name}" in self.pbx.phones else self.pbx.phones[self._number(name)]

    def set_online(self, name: str, online: bool) -> None:
        """An operator's phone registers, or goes away."""
        self.phone(name).online = online
        self.pbx.report(f"op-{name}")

    def use_elsewhere(self, name: str, using: bool) -> None:
        """Somebody makes a call of their own on an operator's phone, or ends it."""
        self.pbx.report(f"op-{name}", *(["PJSIP/other-0001"] if using else []))

    # --- callers ----------------------------------------------------------------------------------------------------

    def arrive(
        self,
        name: str,
        *,
        keys: Sequence[tuple[float, str]] = (),
        hangs_up_after: float | None = None,
        number: str | None = "+6281200001",
    ) -> CallId:
        """A citizen calls: presses keys, and hangs up, so many seconds after the arrival."""
        call = CallId(f"node1-{name}")
        now = self.schedule.now
        caller = Caller(number=number, raw=number or "anonymous")
        leg = CallerLeg(
            call=call,
            channel=ChannelId(f"chan-{name}"),
            caller=caller,
            arrived_at=now - timedelta(milliseconds=5),
            silent_since=now,
        )
        self.pbx.arrive(leg)
        self.take(self._arrival(leg))
        for seconds, key in keys:
            self.after(seconds, lambda key=key: self.press(call, key))
        if hangs_up_after is not None:
            self.after(hangs_up_after, lambda: self.pbx.hang_up(call))
        return call

    def return_through_dialplan(self, call: CallId, step: str = "queued") -> None:
        """The dialplan offers a call again: one that we handed back, or that a watchdog took while we were frozen."""
        self.pbx.offer_again(call, step)
        self.run(0.05)

    def press(self, call: CallId, key: str) -> None:
        """The caller presses a key."""
        if call in self.pbx.callers and self.pbx.callers[call].ours:
            self.take(KeyPressed(at=self.schedule.now, call=call, key=key))

    # --- the engine -------------------------------------------------------------------------------------------------

    def take(self, event: Event) -> tuple[Command, ...]:
        """Hand an event to the switchboard, check, and carry out what it decides."""
        try:
            commands = self.switchboard.handle(event)
        except self.tolerates as error:
            self.failed.append(event)
            return self.take(self.switchboard.failure_of(event, error))
        for shadow in self.shadows:
            assert shadow.handle(event) == commands, f"decided otherwise after a restart, on {event}"
        self.turns.append(Turn(event, commands))
        self._invariants.check(event, commands, self.switchboard.state)
        for command in commands:
            self._dispatch(command)
        return commands

    def checkpoint(self) -> State:
        """A copy of all the switchboard knows."""
        return copy.deepcopy(self.switchboard.state)

    def shadow(self) -> None:
        """From now on a switchboard that was rebuilt from a checkpoint has to decide the same."""
        self.shadows = [] if self.tolerates else [Switchboard(self.checkpoint())]

    def disconnect(self) -> None:
        """Asterisk's events are lost from now on; commands still reach it."""
        self.pbx.connected = False

    def reconnect(self) -> None:
        """Events come again, and a snapshot first."""
        self.pbx.connected = True
        self._take_stock()

    def restart(self, checkpoint: State | None = None) -> None:
        """The engine dies, with all commands under way, and comes back with a checkpoint, or with nothing."""
        self._life += 1
        self.switchboard = Switchboard(copy.deepcopy(checkpoint))
        self.shadows = []
        self._invariants = Invariants(self.switchboard.state)
        self._timers.clear()
        self.pbx.connected = True
        if checkpoint is None:
            self.open_centre()
        for running in tuple(self.switchboard.state.timers.values()):
            self._start(running.timer, max(0.0, (running.due - self.schedule.now).total_seconds()))
        self._take_stock()

    # --- what is asked ----------------------------------------------------------------------------------------------

    def facts(self, kind: type[_F], call: CallId | None = None) -> list[_F]:
        """All facts of a kind, oldest first."""
        found = [c.fact for turn in self.turns for c in turn.commands if isinstance(c, Note)]
        return [f for f in found if isinstance(f, kind) and (call is None or getattr(f, "call", None) == call)]

    def commands(self, kind: type[_C], call: CallId | None = None) -> list[_C]:
        """All commands of a kind, oldest first."""
        found = [c for turn in self.turns for c in turn.commands if isinstance(c, kind)]
        return [c for c in found if call is None or getattr(c, "call", None) == call]

    def offered(self, call: CallId) -> list[str | None]:
        """Who was rung for a call, in order."""
        return [fact.operator or fact.destination for fact in self.facts(OfferMade, call)]

    def call(self, call: CallId) -> Call:
        """The call as the switchboard knows it."""
        return self.switchboard.state.calls[call]

    def operator(self, name: str) -> Operator:
        """The operator as the switchboard knows this person."""
        return self.switchboard.state.operators[OperatorId(name)]

    def heard(self, call: CallId) -> list[str]:
        """The prompts that were played to a caller who is still there."""
        return self.pbx.callers[call].heard

    @property
    def at_rest(self) -> bool:
        """Nothing of any call is left."""
        state = self.switchboard.state
        return not (state.calls or state.offers or self.pbx.callers or self.pbx.legs)

    # --- inside -----------------------------------------------------------------------------------------------------

    def _take_stock(self) -> None:
        """Ask for a snapshot until one is taken in."""
        failures = -1
        while len(self.failed) != failures:
            failures = len(self.failed)
            self.take(self.pbx.snapshot(self.schedule.now))

    def _number(self, destination: str) -> str:
        return next(entry.number for entry in self._settings.last_resort if entry.name == destination)

    def _request(self) -> RequestId:
        self._requests += 1
        return RequestId(f"r{self._requests}")

    def _ask(self, event: Event) -> Refusal | None:
        replies = [command for command in self.take(event) if isinstance(command, Reply)]
        if event in self.failed:
            return None
        assert len(replies) == 1, "a request is answered once"
        return replies[0].refusal

    def _arrival(self, leg: CallerLeg) -> CallArrived:
        return CallArrived(
            at=self.schedule.now,
            call=leg.call,
            channel=leg.channel,
            caller=leg.caller,
            dialled="112",
            trunk="trunk-city",
            arrived_at=leg.arrived_at,
        )

    def _post(self, make: Callable[[datetime], Event]) -> None:
        self.take(make(self.schedule.now))

    def _dispatch(self, command: Command) -> None:
        match command:
            case StartTimer():
                self._start(command.timer, command.seconds)
            case CancelTimer():
                self._timers.pop(command.timer, None)
            case PrepareCentre():
                self._later(self.schedule.now, command)
            case CallCommand():
                self._later(self._free_at.get(command.call, self.schedule.now), command)
            case _:
                pass

    def _later(self, free_at: datetime, command: CallCommand | PrepareCentre) -> None:
        """Carry out a command soon, after those of the same call before it."""
        moment = max(free_at, self.schedule.now) + timedelta(seconds=self.rng.uniform(0.001, 0.01))
        if isinstance(command, CallCommand):
            self._free_at[command.call] = moment
        life = self._life
        self.schedule.at(moment, lambda: self.pbx.execute(command) if life == self._life else None)

    def _start(self, timer: Timer, seconds: float) -> None:
        self._timers_started += 1
        token = self._timers[timer] = self._timers_started

        def fire() -> None:
            if self._timers.get(timer) == token:
                del self._timers[timer]
                self.take(TimerFired(at=self.schedule.now, timer=timer))

        self.schedule.after(seconds, fire)


def _phones(
    operators: Mapping[str, Sequence[Behaviour] | Behaviour],
    outside: Mapping[str, Sequence[Behaviour] | Behaviour],
    settings: CentreSettings,
) -> dict[str, SimulatedPhone]:
    phones = {f"op-{name}": SimulatedPhone(_several(told)) for name, told in operators.items()}
    for entry in dict.fromkeys((*settings.last_resort, *SETTINGS.last_resort)):
        behaviours = _several(outside.get(entry.name, unregistered()))
        phones[entry.number] = SimulatedPhone(behaviours, lines=100)
    return phones


def _several(behaviours: Sequence[Behaviour] | Behaviour) -> Sequence[Behaviour]:
    return (behaviours,) if isinstance(behaviours, Behaviour) else behaviours
