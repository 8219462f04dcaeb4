"""One random history: calls, parties, codes, call-backs, losses, people, snapshots, nonsense, in any order."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from callflow.core.city import Classification, Roster, Shift
from callflow.core.codes import CODES
from callflow.core.events import CallerHistory, DecisionFailed, PastDisposition
from callflow.core.ids import CallId, OfferId, OperatorId
from callflow.core.requests import CallbackAction, CallbackOutcome, TalkAction
from callflow.core.states import CallState

from .centre import SETTINGS, START, destinations_of
from .nonsense import nonsense
from .phones import Behaviour, answers, busy, declines, never_answers, says_nothing, unregistered, vanishes
from .world import World

_STEPS = 70
_NAMES = ("ani", "budi", "citra", "dewi")
_NUMBERS = ("+628120001", "+628120002", "+628120003")
_TARGETS = (*_NAMES, "medical", "119", "polisi", "113", "201", "202", "204", "+62215550", "7", "", "kantor")
_REACHABLE = (*_NAMES, "medical", "polisi", "113", "+62215550")
_FITTING = {
    CallState.CONNECTED: (
        TalkAction.JOIN,
        TalkAction.CONSULT,
        TalkAction.CONSULT,
        TalkAction.TRANSFER,
        TalkAction.DROP,
    ),
    CallState.CONSULTING: (TalkAction.MERGE, TalkAction.RETURN, TalkAction.LEAVE),
    CallState.THREE_WAY: (TalkAction.LEAVE, TalkAction.DROP),
}
"""What an operator is likely to ask for."""
_FAILABLE = (
    "AddCaller",
    "AddLeg",
    "AnswerCaller",
    "AnswerCode",
    "BeginOutbound",
    "CallCitizen",
    "DialDestination",
    "EndCall",
    "HandBack",
    "HoldCaller",
    "JoinLegs",
    "OfferCall",
    "Play",
    "RecordBridge",
    "ReleaseLeg",
    "Whisper",
)


def _behaviour(rng: random.Random) -> Behaviour:
    seconds = rng.choice((0.0, 0.3, 2.0, 9.0))
    talks = rng.choice((None, 0.0, 0.01, 3.0, 40.0))
    return rng.choice(
        (
            answers(seconds, talks_seconds=talks),
            answers(seconds, talks_seconds=talks),
            answers(seconds),
            answers(seconds),
            answers(seconds),
            says_nothing(seconds, talks_seconds=talks),
            vanishes(seconds, talks_seconds=talks or 1.0),
            declines(seconds),
            busy(),
            never_answers(),
            unregistered(),
        )
    )


def _history(rng: random.Random) -> CallerHistory:
    past = tuple(
        PastDisposition(at=START - timedelta(days=days), classification=rng.choice(list(Classification)))
        for days in range(rng.randint(0, 5))
    )
    return CallerHistory(calls=len(past), dispositions=past, centre_pranks=rng.randint(0, 50), centre_calls=50)


class RandomHistory:
    """One history; everything follows from its seed."""

    def __init__(self, seed: int) -> None:
        self.rng = rng = random.Random(seed)  # noqa: S311 - a world, not a secret
        names = _NAMES[: rng.randint(1, 4)]
        settings = replace(
            SETTINGS,
            wrap_up_seconds=rng.choice((0.0, 5.0, 30.0)),
            last_resort=SETTINGS.last_resort[: rng.randint(0, 2)],
            last_resort_after_seconds=rng.choice((5.0, 60.0)),
            medical=SETTINGS.medical[: rng.randint(0, 2)],
            medical_after_seconds=rng.choice((2.0, 10.0)),
            callback_within_seconds=rng.choice((10.0, 120.0)),
            outside_trunk=rng.choice((SETTINGS.outside_trunk, SETTINGS.outside_trunk, None)),
        )
        outside = [entry.name for entry in destinations_of(settings)]
        self.names = names
        self.world = World(
            {name: [_behaviour(rng) for _ in range(6)] for name in names},
            outside={name: [_behaviour(rng) for _ in range(4)] for name in (*outside, *_NUMBERS, "+62215550")},
            settings=settings,
            signed_in=rng.random() < 0.7,
            skills={"budi": ["health"]},
            seed=seed,
        )
        self.world.histories = {number: _history(rng) for number in _NUMBERS}
        self.callers = 0
        self.failable = list(_FAILABLE)
        self.checkpoint = self.world.checkpoint()
        self.actions: tuple[tuple[int, Callable[[], object]], ...] = (
            (16, self.wait),
            (10, self.arrive),
            (8, self.press),
            (4, self.hang_up),
            (4, self.desk),
            (3, self.phone_changes),
            (14, self.talk),
            (3, self.press_code),
            (2, self.dial_code),
            (3, self.callback),
            (1, self.classify),
            (2, self.speak),
            (2, self.lose_leg),
            (2, self.fail),
            (2, self.snapshot),
            (1, self.blackout),
            (1, self.freeze),
            (1, self.restart),
            (1, self.decision_fails),
            (2, self.reconfigure),
            (1, self.keep_checkpoint),
            (2, self.return_call),
            (6, self.nonsense),
        )

    def run(self) -> World:
        """Live it, then let everybody go home: nothing may be left."""
        kinds = [action for _, action in self.actions]
        weights = [weight for weight, _ in self.actions]
        for _ in range(_STEPS):
            self.rng.choices(kinds, weights)[0]()
        self.world.pbx.failing.clear()
        self.world.reconnect()
        for seconds in (30.0, 30.0, 60.0):
            for call in (*self.world.pbx.callers, *self.world.pbx.citizens):
                self.world.pbx.hang_up(call)
            self.world.run(seconds)
            self.world.reconnect()
        self.world.run(1.0)
        return self.world

    # --- time and callers -------------------------------------------------------------------------------------------

    def wait(self) -> None:
        self.world.run(self.rng.choice((0.0, 0.003, 0.02, 0.5, 3.0, 17.0)))

    def arrive(self) -> None:
        self.callers += 1
        self.world.look_ups_answered = self.rng.random() < 0.9
        number = self.rng.choice((None, *_NUMBERS))
        keys = [(0.3, self.rng.choice("1125"))] if self.rng.random() < 0.7 else []
        self.world.arrive(f"c{self.callers}", number=number, keys=keys, speaks_after=self.rng.choice((None, 2.0)))

    def _some_call(self) -> CallId:
        known = list(self.world.switchboard.state.calls)
        return self.rng.choice([*known, CallId("node1-unknown")])

    def _some_offer(self) -> OfferId:
        state = self.world.switchboard.state
        return self.rng.choice([*state.offers, OfferId(f"{self._some_call()}.o{self.rng.randint(1, 3)}")])

    def press(self) -> None:
        self.world.press(self._some_call(), self.rng.choice("01234569*#A"))

    def speak(self) -> None:
        self.world.pbx.speak(self._some_call())

    def hang_up(self) -> None:
        self.world.pbx.hang_up(self._some_call(), self.rng.choice((16, 31, 41)))

    def return_call(self) -> None:
        call = self._some_call()
        if call in self.world.pbx.callers:
            if self.rng.random() < 0.5:
                self.world.pbx.take_back(call)
            self.world.return_through_dialplan(call)
        for handed_back in [leg.call for leg in self.world.pbx.callers.values() if not leg.ours]:
            self.world.return_through_dialplan(handed_back)

    # --- people at work ---------------------------------------------------------------------------------------------

    def desk(self) -> None:
        name = self.rng.choice((*self.names, "nobody"))
        approved_by = self.rng.choice((None, "supervisor"))
        self.rng.choice(
            (
                lambda: self.world.sign_in(name),
                lambda: self.world.sign_in(name),
                lambda: self.world.sign_out(name, approved_by=approved_by),
                lambda: self.world.pause(name, self.rng.choice(("makan", "2", "", "tidur")), approved_by=approved_by),
                lambda: self.world.resume(name),
            )
        )()

    def phone_changes(self) -> None:
        name = self.rng.choice(self.names)
        self.rng.choice(
            (
                lambda: self.world.set_online(name, online=False),
                lambda: self.world.set_online(name, online=True),
                lambda: self.world.set_online(name, online=True),
                lambda: self.world.use_elsewhere(name, using=True),
                lambda: self.world.use_elsewhere(name, using=False),
            )
        )()

    def talk(self) -> None:
        """Whoever is in a call asks for something that fits, or for anything; sometimes somebody who is in none."""
        state = self.world.switchboard.state
        calls = [call for call in state.calls.values() if call.person is not None and call.state in _FITTING]
        if calls and self.rng.random() < 0.7:
            call = self.rng.choice(calls)
            assert call.person is not None
            name = state.offers[call.person].operator or "nobody"
            self.world.talk(name, self.rng.choice(_FITTING[call.state]), self.rng.choice(_REACHABLE))
            self.wait()
            return
        name = self.rng.choice((*self.names, "nobody"))
        self.world.talk(name, self.rng.choice(list(TalkAction)), self.rng.choice(_TARGETS))

    def press_code(self) -> None:
        offer = self._some_offer()
        code = self.rng.choice((*CODES, "*32110#", "*33202#", "*37201#", "*3", "12*#"))
        for key in code:
            self.world.pbx.press(offer, key)

    def dial_code(self) -> None:
        code = self.rng.choice((*CODES, "*131", "*99", "*41"))
        self.world.dial_code(self.rng.choice(self.names), code)

    def callback(self) -> None:
        name = self.rng.choice((None, *self.names))
        known = list(self.world.switchboard.state.callbacks)
        self.world.callback(
            self.rng.choice((CallbackAction.DIAL, CallbackAction.DIAL, *CallbackAction)),
            name,
            callback=self.rng.choice([None, CallId("node1-unknown"), *known]),
            outcome=self.rng.choice((None, CallbackOutcome.NOT_REACHED)),
        )

    def classify(self) -> None:
        name, call = self.rng.choice((None, *self.names)), self.rng.choice((None, self._some_call()))
        self.world.classify(name, self.rng.choice(list(Classification)), call=call)

    # --- what goes wrong --------------------------------------------------------------------------------------------

    def lose_leg(self) -> None:
        self.world.pbx.leave_leg(self._some_offer(), self.rng.choice((16, 17, 19, 21, 31, 44)))

    def fail(self) -> None:
        # Once at a time, and once in all for the hang-up: whom nobody could hang up on sits in silence after the talk.
        command = self.rng.choice(self.failable)
        self.world.pbx.failing[command] = 1
        if command == "EndCall":
            self.failable.remove(command)

    def snapshot(self) -> None:
        self.world.reconnect()

    def blackout(self) -> None:
        self.world.disconnect()
        self.world.run(self.rng.choice((0.1, 2.0, 6.0)))
        self.world.reconnect()

    def freeze(self) -> None:
        self.world.freeze(self.rng.choice((1.1, 5.0, 40.0)))

    def keep_checkpoint(self) -> None:
        self.checkpoint = self.world.checkpoint()
        self.world.shadow()

    def restart(self) -> None:
        self.world.restart(self.rng.choice((None, self.checkpoint, self.world.checkpoint())))

    def decision_fails(self) -> None:
        call = self.rng.choice((None, self._some_call()))
        now = self.world.schedule.now
        self.world.take(DecisionFailed(at=now, call=call, event="KeyPressed", error="KeyError"))

    def nonsense(self) -> None:
        event = nonsense(self.rng, self.world, self._some_call(), self._some_offer())
        for _ in range(self.rng.randint(1, 2)):
            self.world.take(event)

    # --- the city's data --------------------------------------------------------------------------------------------

    def reconfigure(self) -> None:
        name = self.rng.choice(self.names)
        minute = int(self.world.seconds // 60) + 8 * 60
        shift = Shift(
            name="pagi",
            days=frozenset(range(7)),
            from_minute=max(0, minute - self.rng.choice((0, 4, 30))),
            to_minute=minute + 5,
            operators=tuple(OperatorId(other) for other in (*self.names[:2], "stranger")),
            seats=self.rng.choice((None, 1)),
        )
        self.rng.choice(
            (
                lambda: self.world.publish(self.world.flows[0], version=len(self.world.turns)),
                lambda: self.world.publish("not a flow", version=len(self.world.turns)),
                lambda: self.world.change_settings(last_resort=SETTINGS.last_resort[: self.rng.randint(0, 2)]),
                lambda: self.world.change_settings(medical=SETTINGS.medical[: self.rng.randint(0, 2)]),
                lambda: self.world.change_operator(name, active=False),
                lambda: self.world.change_operator(name),
                lambda: self.world.change_roster(Roster(shifts=(shift,))),
                lambda: self.world.change_roster(Roster()),
            )
        )()
