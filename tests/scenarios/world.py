"""A whole centre in memory, in virtual time: a Switchboard, its engine, and a simulated Asterisk with people in it.

Everything follows from the seed. After every event the invariants are checked, and what was decided is kept.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from callflow.core.city import CentreSettings, OperatorProfile, Roster
from callflow.core.commands import (
    AnswerCode,
    CallCommand,
    CancelTimer,
    Command,
    LookUpCaller,
    Note,
    PrepareCentre,
    StartTimer,
)
from callflow.core.events import (
    CallArrived,
    Caller,
    CallerHistory,
    CallerHistoryKnown,
    Event,
    FlowPublished,
    KeyPressed,
    OperatorChanged,
    RosterChanged,
    SettingsChanged,
)
from callflow.core.facts import Fact, OfferMade
from callflow.core.ids import CallId, ChannelId, EndpointName, OperatorId
from callflow.core.state import Call, Operator, State
from callflow.core.switchboard import Switchboard
from callflow.flows.default import default_flow_text

from .asking import Asking
from .centre import FIRST_COLLEAGUE, SETTINGS, START, TRUNK, Behaviours, destinations_of, phones_of
from .engine import Clock, Lanes
from .invariants import Invariants
from .legs import LONGEST_SILENCE_SECONDS, CallerLeg
from .pbx import SimulatedPbx
from .phones import SimulatedPhone
from .schedule import Schedule

_LOOK_UP_SECONDS = 0.02
"""The local read model answers within this time, or nothing is known."""
_F = TypeVar("_F", bound=Fact)
_C = TypeVar("_C", bound=Command)


@dataclass(frozen=True)
class Turn:
    """One event and what was decided on it."""

    event: Event
    commands: tuple[Command, ...]


class World(Asking):
    """A centre at work.

    Attributes:
        tolerates: what `handle` may raise: the engine goes on with DecisionFailed then.
        failed: the events on which it did.
        histories: what the read model knows, by number. look_ups_answered: False = it is too slow.

    Args:
        operators: each operator's phone behaviours, in the order in which the operators sign in; their numbers count
            up from 201.
        outside: the behaviours of numbers outside, by a destination's name or by the number itself.
        signed_in: False = everybody stays away, the phones are there.
        skills: of operators, by name.
    """

    def __init__(
        self,
        operators: Mapping[str, Behaviours] | None = None,
        *,
        outside: Mapping[str, Behaviours] | None = None,
        settings: CentreSettings = SETTINGS,
        flow: str | None = None,
        signed_in: bool = True,
        skills: Mapping[str, Iterable[str]] | None = None,
        seed: int = 112,
    ) -> None:
        self.rng = random.Random(seed)  # noqa: S311 - a world, not a secret
        self.schedule = Schedule(START)
        phones = phones_of(operators or {}, outside or {}, settings)
        self.pbx = SimulatedPbx(self.schedule, self.rng, self._post, phones)
        self.switchboard = Switchboard()
        self.turns: list[Turn] = []
        self.tolerates: tuple[type[Exception], ...] = ()
        self.failed: list[Event] = []
        self.shadows: list[Switchboard] = []
        self.histories: dict[str, CallerHistory] = {}
        self.look_ups_answered = True
        self._invariants = Invariants(self.switchboard.state)
        self._lanes = Lanes(self.schedule, self.rng, self.pbx)
        self._clock = Clock(self.schedule, self.take)
        self._life = 0
        self._settings = settings
        self._roster: Roster | None = None
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
        if self._roster is not None:
            self.change_roster(self._roster)
        self.schedule.run(0.05)

    def publish(self, flow: str, *, version: int) -> None:
        """Put a flow in force."""
        self.take(FlowPublished(at=self.schedule.now, version=version, document=flow, published_by="admin"))

    def change_settings(self, **changes: object) -> None:
        """Change some of the centre's settings."""
        self._settings = replace(self._settings, **changes)  # type: ignore[arg-type]
        self.take(SettingsChanged(at=self.schedule.now, settings=self._settings))

    def change_roster(self, roster: Roster) -> None:
        """Put a roster in force."""
        self._roster = roster
        self.take(RosterChanged(at=self.schedule.now, roster=roster))

    def change_operator(self, name: str, *, endpoint: str | None = None, active: bool = True) -> None:
        """Add an operator or change the profile."""
        profile = OperatorProfile(
            operator=OperatorId(name),
            name=name.title(),
            endpoint=EndpointName(endpoint or f"op-{name}"),
            skills=frozenset(self._skills.get(name, ())),
            number=str(FIRST_COLLEAGUE + self._operators.index(name)),
        )
        self.take(OperatorChanged(at=self.schedule.now, profile=profile, active=active))

    # --- callers ----------------------------------------------------------------------------------------------------

    def arrive(
        self,
        name: str,
        *,
        keys: Sequence[tuple[float, str]] = (),
        speaks_after: float | None = None,
        hangs_up_after: float | None = None,
        number: str | None = "+6281200001",
    ) -> CallId:
        """A citizen calls: presses keys, speaks for the first time, and hangs up, so many seconds after the arrival."""
        call = CallId(f"node1-{name}")
        now = self.schedule.now
        leg = CallerLeg(
            call=call,
            channel=ChannelId(f"chan-{name}"),
            caller=Caller(number=number, raw=number or "anonymous"),
            arrived_at=now - timedelta(milliseconds=5),
            silent_since=now,
        )
        self.pbx.arrive(leg)
        self.take(self._arrival(leg))
        for seconds, key in keys:
            self.after(seconds, lambda key=key: self.press(call, key))
        if speaks_after is not None:
            self.after(speaks_after, lambda: self.pbx.speak(call))
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
        """Asterisk's events are lost from now on, and the engine has not noticed: commands still reach it."""
        self.pbx.connected = False

    def reconnect(self) -> None:
        """The engine takes stock: what was to be sent is forgotten, the snapshot comes first, and then events again."""
        self._go_blind()
        self.pbx.connected = True
        self._take_stock()

    def freeze(self, seconds: float) -> None:
        """The engine's process stands still, or is without a connection, and takes stock after it.

        Who hears nothing meanwhile is for the watchdog, which is not here.
        """
        silence = self.pbx.longest_silence_seconds()
        self.disconnect()
        self._go_blind()
        self.schedule.run(seconds)
        self.pbx.excuse_silence(silence)
        self.reconnect()

    def restart(self, checkpoint: State | None = None) -> None:
        """The engine dies, with all commands under way, and comes back with a checkpoint, or with nothing."""
        self._life += 1
        self.switchboard = Switchboard(copy.deepcopy(checkpoint))
        self.shadows = []
        self._invariants = Invariants(self.switchboard.state)
        self._go_blind()
        self.pbx.connected = True
        if checkpoint is None:
            self.open_centre()
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

    def alarms(self) -> set[str]:
        """The kinds of the alarms that stand."""
        return {alarm.kind for alarm in self.switchboard.state.alarms.values()}

    def call(self, call: CallId) -> Call:
        """The call as the switchboard knows it."""
        return self.switchboard.state.calls[call]

    def operator(self, name: str) -> Operator:
        """The operator as the switchboard knows this person."""
        return self.switchboard.state.operators[OperatorId(name)]

    def phone(self, name: str) -> SimulatedPhone:
        """An operator's phone, or a number outside by its name or itself."""
        named = {entry.name: entry.number for entry in destinations_of(self._settings)}
        return self.pbx.phones[f"op-{name}" if f"op-{name}" in self.pbx.phones else named.get(name, name)]

    def heard(self, call: CallId) -> list[str]:
        """The prompts that were played to a caller who is still there."""
        return self.pbx.callers[call].heard

    @property
    def at_rest(self) -> bool:
        """Nothing of any call is left."""
        state, pbx = self.switchboard.state, self.pbx
        return not (state.calls or state.offers or pbx.callers or pbx.legs or pbx.citizens or pbx.codes)

    # --- inside -----------------------------------------------------------------------------------------------------

    def _go_blind(self) -> None:
        """Nothing is sent and no timer fires until stock is taken."""
        self._lanes.hold()
        self._clock.hold()

    def _take_stock(self) -> None:
        """Ask for a snapshot until one is taken in."""
        failures = -1
        while len(self.failed) != failures:
            failures = len(self.failed)
            self._lanes.release()  # only what is decided on the snapshot is sent
            self.take(self.pbx.snapshot(self.schedule.now))
        self._clock.release(tuple(self.switchboard.state.timers.values()))
        self.pbx.take_up()

    def _arrival(self, leg: CallerLeg) -> CallArrived:
        return CallArrived(
            at=self.schedule.now,
            call=leg.call,
            channel=leg.channel,
            caller=leg.caller,
            dialled=leg.dialled,
            trunk=TRUNK,
            arrived_at=leg.arrived_at,
        )

    def _post(self, make: Callable[[datetime], Event]) -> None:
        self.take(make(self.schedule.now))

    def _dispatch(self, command: Command) -> None:
        match command:
            case StartTimer():
                self._clock.start(command.timer, command.seconds)
            case CancelTimer():
                self._clock.cancel(command.timer)
            case LookUpCaller():
                self._look_up(command)
            case PrepareCentre() | AnswerCode() | CallCommand():
                self._lanes.add(command)
            case _:
                pass

    def _look_up(self, command: LookUpCaller) -> None:
        """Ask the read model; an engine that died meanwhile is told nothing."""
        history = self.histories.get(command.number, CallerHistory()) if self.look_ups_answered else None
        seconds = self.rng.uniform(0.001, _LOOK_UP_SECONDS) if self.look_ups_answered else _LOOK_UP_SECONDS
        life = self._life

        def answer() -> None:
            if life == self._life:
                self.take(CallerHistoryKnown(at=self.schedule.now, call=command.call, history=history))

        self.schedule.after(seconds, answer)
