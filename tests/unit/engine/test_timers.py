from __future__ import annotations

import asyncio
from datetime import timedelta

from callflow.core.events import TimerFired
from callflow.core.state import RunningTimer
from callflow.core.timers import Timer, TimerKind
from callflow.engine.timers import Timers

from .virtual_time import START, VirtualClock, run

RING = Timer(kind=TimerKind.OFFER_RING, subject="node1-1.1.o1")
WRAP_UP = Timer(kind=TimerKind.WRAP_UP, subject="ani")


def fired_after(*steps: tuple[str, float]) -> list[tuple[str, float]]:
    """What fires, and when, if `start`, `cancel` and waits are done in this order."""

    async def main() -> list[TimerFired]:
        events: list[TimerFired] = []
        timers = Timers(VirtualClock(), events.append)
        timers.release(())
        for step, seconds in steps:
            if step == "wait":
                await asyncio.sleep(seconds)
            elif step == "cancel":
                timers.cancel(RING)
            elif step == "hold":
                timers.hold()
            else:
                timers.start(RING if step == "ring" else WRAP_UP, seconds)
        await asyncio.sleep(100)
        return events

    return [(event.timer.kind, (event.at - START).total_seconds()) for event in run(main())]


def test_timer_fires_once_when_it_comes_due() -> None:
    assert fired_after(("ring", 15.0)) == [("offer_ring", 15.0)]


def test_timers_fire_in_the_order_of_their_times() -> None:
    assert fired_after(("ring", 15.0), ("wrap_up", 5.0)) == [("wrap_up", 5.0), ("offer_ring", 15.0)]


def test_timer_moves_when_it_is_started_again() -> None:
    assert fired_after(("ring", 15.0), ("wait", 10.0), ("ring", 15.0)) == [("offer_ring", 25.0)]


def test_timer_is_silent_when_it_was_cancelled() -> None:
    assert fired_after(("ring", 15.0), ("cancel", 0.0)) == []


def test_cancelling_is_no_fault_when_the_timer_does_not_run() -> None:
    assert fired_after(("cancel", 0.0), ("ring", 1.0), ("wait", 2.0), ("cancel", 0.0)) == [("offer_ring", 1.0)]


def test_nothing_fires_while_all_are_held() -> None:
    assert fired_after(("ring", 15.0), ("wrap_up", 5.0), ("hold", 0.0), ("ring", 1.0)) == []


def test_released_timers_keep_their_time_and_overdue_ones_fire_at_once() -> None:
    async def main() -> list[TimerFired]:
        events: list[TimerFired] = []
        timers = Timers(VirtualClock(), events.append)
        running = (
            RunningTimer(timer=RING, due=START + timedelta(seconds=7)),
            RunningTimer(timer=WRAP_UP, due=START - timedelta(minutes=5)),
        )
        timers.start(RING, 1.0)  # held yet: only the core's list counts
        timers.release(running)
        await asyncio.sleep(0)
        await asyncio.sleep(100)
        return events

    fired = run(main())
    assert [(event.timer, event.at) for event in fired] == [(WRAP_UP, START), (RING, START + timedelta(seconds=7))]


def test_time_of_firing_is_never_before_the_timer_was_due() -> None:
    class LateClock(VirtualClock):
        """Runs a millisecond behind the loop, as another clock may."""

        behind = timedelta()

        def now(self):  # type: ignore[no-untyped-def]
            return super().now() - self.behind

    async def main() -> list[TimerFired]:
        events: list[TimerFired] = []
        clock = LateClock()
        timers = Timers(clock, events.append)
        timers.release(())
        timers.start(RING, 3.0)
        clock.behind = timedelta(milliseconds=1)
        await asyncio.sleep(10)
        return events

    assert [event.at for event in run(main())] == [START + timedelta(seconds=3)]
