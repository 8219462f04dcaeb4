from __future__ import annotations

import asyncio
from datetime import timedelta

from callflow.core.events import Event, SnapshotTaken
from callflow.core.switchboard import Switchboard
from callflow.engine.charge import BEAT_FRESH_SECONDS, PULSE_FRESH_SECONDS, Charge
from callflow.engine.loop import EngineLoop

from .outside import MemoryJournal, WatchedExecutor
from .virtual_time import START, VirtualClock, run


class Heart:
    """Notes when it beat, and whether the last word was silence."""

    def __init__(self) -> None:
        self.beats: list[float] = []
        self.turns = 0
        self.silent = False
        self.gone = False

    def turn(self) -> None:
        self.turns += 1

    def beat(self) -> None:
        if self.gone:
            raise OSError("No space left on device")
        self.beats.append(asyncio.get_running_loop().time())
        self.silent = False

    def silence(self) -> None:
        self.silent = True


class Blind(Switchboard):
    """Can be told to raise on snapshots, as a defect would."""

    blind = False

    def handle(self, event: Event) -> tuple:  # type: ignore[type-arg]
        if self.blind:
            raise LookupError
        return ()


class Life:
    """A loop and its charge that run, with a heart to feel."""

    def __init__(self) -> None:
        self.heart = Heart()
        self.pulse: float | None = 0.5
        self.charge = Charge(self.heart, lambda: self.pulse)
        self.board = Blind()
        self.loop = EngineLoop(self.board, MemoryJournal(), WatchedExecutor(), VirtualClock(), 0, charge=self.charge)

    async def __aenter__(self) -> Life:
        self.tasks = [
            asyncio.create_task(self.loop.run()),
            asyncio.create_task(self.charge.keep_beating(self.loop.turned)),
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def beats_within(self, seconds: float) -> int:
        before = len(self.heart.beats)
        await asyncio.sleep(seconds)
        return len(self.heart.beats) - before


def snapshot(seconds: float = 0.0) -> SnapshotTaken:
    return SnapshotTaken(at=START + timedelta(seconds=seconds), channels=())


def test_engine_beats_from_the_snapshot_that_it_handled_and_is_silent_once_asterisk_is_lost() -> None:
    async def test() -> None:
        async with Life() as life:
            assert await life.beats_within(2.0) == 0
            life.loop.post(snapshot())
            assert await life.beats_within(2.0) in {7, 8}
            life.charge.lose()
            assert life.heart.silent
            assert await life.beats_within(2.0) == 0
            life.loop.post(snapshot(4.0))
            assert await life.beats_within(1.0) > 0
        assert life.heart.silent

    run(test())


def test_engine_is_silent_while_the_pulse_is_overdue() -> None:
    async def test() -> None:
        async with Life() as life:
            life.loop.post(snapshot())
            await asyncio.sleep(1.0)
            for pulse, beats in ((None, False), (0.0, True), (PULSE_FRESH_SECONDS + 0.1, False)):
                life.pulse = pulse
                assert (await life.beats_within(1.0) > 0) is beats, pulse

    run(test())


def test_engine_is_not_in_charge_when_the_snapshot_is_of_a_connection_that_is_lost() -> None:
    async def test() -> None:
        async with Life() as life:
            life.loop.post(snapshot())
            life.charge.lose()
            assert await life.beats_within(1.0) == 0

    run(test())


def test_engine_is_silent_while_the_core_cannot_handle_what_asterisk_shows() -> None:
    async def test() -> None:
        async with Life() as life:
            life.board.blind = True
            life.loop.post(snapshot())
            assert await life.beats_within(1.0) == 0
            life.board.blind = False
            life.loop.post(snapshot(1.0))
            assert await life.beats_within(1.0) > 0

    run(test())


def test_engine_is_in_charge_without_a_heartbeat_when_there_was_no_room_for_one() -> None:
    charge, taken, was = Charge(), snapshot(), []
    for step in (lambda: charge.expect(taken), lambda: charge.handled(taken), charge.beat, charge.lose):
        step()
        was.append(charge.in_charge)
    assert was == [False, True, True, False]


def test_start_is_steady_once_the_engine_was_in_charge_for_long_enough_without_a_break() -> None:
    async def test() -> None:
        async with Life() as life:
            steady = asyncio.create_task(life.charge.steady(2.0))
            for _ in range(3):
                life.loop.post(snapshot())
                await asyncio.sleep(1.5)
                life.charge.lose()
                await asyncio.sleep(1.0)
            assert not steady.done()
            life.loop.post(snapshot())
            await asyncio.sleep(2.6)
            assert steady.done()

    run(test())


def test_engine_beats_once_there_is_room_for_a_heartbeat() -> None:
    charge, heart, taken = Charge(), Heart(), snapshot()
    charge.expect(taken)
    charge.handled(taken)

    async def test() -> None:
        charge.beat()
        charge.take_heart(heart)
        charge.beat()

    run(test())
    assert len(heart.beats) == 1


def test_new_calls_are_taken_only_while_the_watchdog_can_feel_who_takes_them() -> None:
    async def test() -> None:
        async with Life() as life:
            life.loop.post(snapshot())
            seen = [life.charge.shows]
            await asyncio.sleep(1.0)
            seen.append(life.charge.shows)
            life.heart.gone = True
            await asyncio.sleep(1.0)
            assert (life.charge.in_charge, life.charge.has_heartbeat) == (True, False)
            seen.append(life.charge.shows)
            life.charge.take_heart(Heart())
            await asyncio.sleep(1.0)
            assert [*seen, life.charge.shows] == [False, True, False, True]

    run(test())


def test_no_new_call_is_taken_while_the_loop_is_behind() -> None:
    async def test() -> None:
        async with Life() as life:
            life.loop.post(snapshot())
            await asyncio.sleep(1.0)
            life.tasks[1].cancel()  # no turn comes round any more
            await asyncio.gather(life.tasks[1], return_exceptions=True)
            life.charge.expect(snapshot(1.0))
            life.loop.take(snapshot(1.0))
            await asyncio.sleep(BEAT_FRESH_SECONDS + 0.1)
            assert not life.charge.shows

    run(test())


def test_loop_is_seen_to_turn_when_the_engine_is_not_in_charge() -> None:
    async def test() -> None:
        async with Life() as life:
            await asyncio.sleep(2.0)
            assert life.heart.turns in {7, 8, 9}
            assert life.heart.beats == []

    run(test())
