"""Random histories: calls, phones, losses, people, snapshots and nonsense, in any order. No invariant may break."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from callflow.core.events import (
    Caller,
    CallerGone,
    CommandFailed,
    DecisionFailed,
    FallbackWitnessed,
    KeyPressed,
    LegGone,
    LegJoined,
    OfferAnswered,
    OfferRang,
    PlaybackEnded,
    RecordingMeasured,
    TimerFired,
)
from callflow.core.ids import CallId, ChannelId, EndpointName, OfferId, PlaybackId, talk_bridge
from callflow.core.timers import Timer, TimerKind

from .phones import Behaviour, answers, busy, declines, never_answers, unregistered, vanishes
from .world import SETTINGS, World

HISTORIES = int(os.environ.get("CALLFLOW_HISTORIES", "120"))
"""How many random histories a run tries; `make test-long` asks for many more."""
_STEPS = 60
_NAMES = ("ani", "budi", "citra", "dewi")
_FAILABLE = ("AnswerCaller", "Play", "HoldCaller", "OfferCall", "DialDestination", "JoinLegs", "ReleaseLeg", "EndCall")


def _behaviour(rng: random.Random) -> Behaviour:
    seconds = rng.choice((0.0, 0.3, 2.0, 9.0))
    talks = rng.choice((None, 0.0, 0.01, 3.0, 40.0))
    return rng.choice(
        (
            answers(seconds, talks_seconds=talks),
            answers(seconds, talks_seconds=talks),
            vanishes(seconds, talks_seconds=talks or 1.0),
            declines(seconds),
            busy(),
            never_answers(),
            unregistered(),
        )
    )


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
        )
        self.names = names
        self.world = World(
            {name: [_behaviour(rng) for _ in range(6)] for name in names},
            outside={entry.name: [_behaviour(rng) for _ in range(4)] for entry in settings.last_resort},
            settings=settings,
            signed_in=rng.random() < 0.7,
            skills={"budi": ["health"]},
            seed=seed,
        )
        self.callers = 0
        self.checkpoint = self.world.checkpoint()
        self.actions: tuple[tuple[int, Callable[[], object]], ...] = (
            (14, self.wait),
            (10, self.arrive),
            (8, self.press),
            (4, self.hang_up),
            (4, self.desk),
            (3, self.phone_changes),
            (2, self.lose_leg),
            (2, self.fail),
            (2, self.snapshot),
            (1, self.blackout),
            (1, self.restart),
            (1, self.decision_fails),
            (1, self.reconfigure),
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
        for call in tuple(self.world.pbx.callers):
            self.world.pbx.hang_up(call)
        self.world.run(30.0)
        self.world.reconnect()
        self.world.run(60.0)
        return self.world

    # --- actions ----------------------------------------------------------------------------------------------------

    def wait(self) -> None:
        self.world.run(self.rng.choice((0.0, 0.003, 0.02, 0.5, 3.0, 17.0)))

    def arrive(self) -> None:
        self.callers += 1
        number = self.rng.choice((None, "+628120001", "+628120002"))
        self.world.arrive(f"c{self.callers}", number=number)

    def _some_call(self) -> CallId:
        known = list(self.world.switchboard.state.calls)
        return self.rng.choice([*known, CallId("node1-unknown")])

    def _some_offer(self) -> OfferId:
        state = self.world.switchboard.state
        return self.rng.choice([*state.offers, OfferId(f"{self._some_call()}.o{self.rng.randint(1, 3)}")])

    def press(self) -> None:
        self.world.press(self._some_call(), self.rng.choice("01234569*#A"))

    def hang_up(self) -> None:
        self.world.pbx.hang_up(self._some_call(), self.rng.choice((16, 31, 41)))

    def desk(self) -> None:
        name = self.rng.choice((*self.names, "nobody"))
        approved_by = self.rng.choice((None, "supervisor"))
        self.rng.choice(
            (
                lambda: self.world.sign_in(name),
                lambda: self.world.sign_in(name),
                lambda: self.world.sign_out(name, approved_by=approved_by),
                lambda: self.world.pause(name, approved_by=approved_by),
                lambda: self.world.resume(name),
            )
        )()

    def phone_changes(self) -> None:
        name = self.rng.choice(self.names)
        self.rng.choice(
            (
                lambda: self.world.set_online(name, online=False),
                lambda: self.world.set_online(name, online=True),
                lambda: self.world.use_elsewhere(name, using=True),
                lambda: self.world.use_elsewhere(name, using=False),
            )
        )()

    def lose_leg(self) -> None:
        self.world.pbx.leave_leg(self._some_offer(), self.rng.choice((16, 17, 19, 21, 31, 44)))

    def fail(self) -> None:
        # Once at a time: a caller whom nobody could hang up on three times in a row sits in silence after the talk.
        self.world.pbx.failing[self.rng.choice(_FAILABLE)] = 1

    def snapshot(self) -> None:
        self.world.reconnect()

    def blackout(self) -> None:
        self.world.disconnect()
        self.world.run(self.rng.choice((0.1, 2.0, 6.0)))
        self.world.reconnect()

    def keep_checkpoint(self) -> None:
        self.checkpoint = self.world.checkpoint()
        self.world.shadow()

    def restart(self) -> None:
        self.world.restart(self.rng.choice((None, self.checkpoint, self.world.checkpoint())))

    def decision_fails(self) -> None:
        call = self.rng.choice((None, self._some_call()))
        now = self.world.schedule.now
        self.world.take(DecisionFailed(at=now, call=call, event="KeyPressed", error="KeyError"))

    def reconfigure(self) -> None:
        name = self.rng.choice(self.names)
        self.rng.choice(
            (
                lambda: self.world.publish(self.world.flows[0], version=len(self.world.turns)),
                lambda: self.world.publish("not a flow", version=len(self.world.turns)),
                lambda: self.world.change_settings(last_resort=SETTINGS.last_resort[: self.rng.randint(0, 2)]),
                lambda: self.world.change_operator(name, active=False),
                lambda: self.world.change_operator(name),
            )
        )()

    def return_call(self) -> None:
        call = self._some_call()
        if call in self.world.pbx.callers:
            if self.rng.random() < 0.5:
                self.world.pbx.take_back(call)
            self.world.return_through_dialplan(call)
        for handed_back in [leg.call for leg in self.world.pbx.callers.values() if not leg.ours]:
            self.world.return_through_dialplan(handed_back)

    def nonsense(self) -> None:
        """An event that is late, repeated, about nothing, or about something else."""
        at = self.world.schedule.now
        call, offer = self._some_call(), self._some_offer()
        state = self.world.switchboard.state
        timers = [running.timer for running in state.timers.values()]
        timer = self.rng.choice([*timers, Timer(self.rng.choice(list(TimerKind)), call)])
        channel = ChannelId(self.rng.choice((str(offer), "chan-c1")))
        witnessed = FallbackWitnessed(
            at=at,
            call=call,
            caller=Caller(number=None, raw=""),
            dialled="112",
            trunk="trunk-city",
            arrived_at=at - timedelta(seconds=60),
            answered_at=None,
            answered_by=EndpointName("op-ani"),
            ended_at=at,
            hung_up_by=self.rng.choice((None, "trunk-city", "op-ani", "trunk-other")),
            cause=16,
        )
        unknown, no_offer = CallId("node1-unknown"), OfferId("node1-unknown.o1")
        event = self.rng.choice(
            (
                KeyPressed(at=at, call=unknown, key="1"),
                PlaybackEnded(at=at, call=call, playback=PlaybackId(f"{call}.p1"), failed=self.rng.random() < 0.2),
                OfferRang(at=at, call=call, offer=offer),
                LegJoined(at=at, call=call, channel=channel, bridge=talk_bridge(unknown)),
                TimerFired(at=at, timer=timer),
                RecordingMeasured(at=at, call=call, tracks=()),
                CommandFailed(at=at, call=call, command="DestroyBridge", reason="late"),
                CommandFailed(at=at, call=call, command="JoinLegs", reason="late", offer=no_offer),
                OfferAnswered(at=at, call=unknown, offer=no_offer),
                LegGone(at=at, call=unknown, offer=no_offer, cause=16),
                CallerGone(at=at, call=unknown, cause=16),
                witnessed,
            )
        )
        for _ in range(self.rng.randint(1, 2)):
            self.world.take(event)


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_no_rule_breaks_and_nothing_is_left_when_anything_happens_in_any_order(seed: int) -> None:
    world = RandomHistory(seed).run()
    assert world.at_rest
