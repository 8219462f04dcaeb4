"""When the watchdog acts, how often, and when it stops, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
from structlog.testing import capture_logs

from callflow.ari.errors import NotConnected
from callflow.watchdog.done import Done
from callflow.watchdog.watch import LAST_SECONDS, MISSING_SECONDS, PASS_SECONDS, Watch

from ..engine.virtual_time import run, stand_still  # noqa: TID252 the tests are no package


def now() -> float:
    return asyncio.get_running_loop().time()


class Engine:
    """Its heartbeat, as the watchdog reads it: beats at each look while it lives."""

    def __init__(self) -> None:
        self.lives = True
        self.silent = False
        self._beaten_at = 0.0

    def age_seconds(self) -> float | None:
        if self.lives:
            self._beaten_at = now()
        return None if self.silent else now() - self._beaten_at


class Acts:
    """Keeps when it was called."""

    def __init__(self, *outcomes: Done | NotConnected, takes_seconds: float = 0.0) -> None:
        self.at: list[float] = []
        self._outcomes = list(outcomes)
        self._takes_seconds = takes_seconds

    async def one_pass(self) -> Done:
        self.at.append(now())
        await asyncio.sleep(self._takes_seconds)
        outcome = self._outcomes.pop(0) if self._outcomes else Done()
        if isinstance(outcome, NotConnected):
            raise outcome
        return outcome


def watching(
    script: Callable[[Engine, Acts, asyncio.Task[None]], Coroutine[Any, Any, None]], *outcomes: Any, slow: float = 0.0
) -> Acts:
    acts = Acts(*outcomes, takes_seconds=slow)

    async def main() -> None:
        engine = Engine()
        task = asyncio.create_task(Watch(engine, now).run(acts))
        await asyncio.sleep(0)
        await script(engine, acts, task)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    run(main())
    return acts


def test_nothing_is_done_while_the_engine_lives() -> None:
    async def script(engine: Engine, acts: Acts, task: asyncio.Task[None]) -> None:
        await asyncio.sleep(600)

    assert watching(script).at == []


def test_first_pass_comes_three_seconds_after_the_last_beat_and_then_one_a_second() -> None:
    async def script(engine: Engine, acts: Acts, task: asyncio.Task[None]) -> None:
        await asyncio.sleep(10)
        engine.lives = False
        await asyncio.sleep(MISSING_SECONDS + 4)
        engine.lives = True
        await asyncio.sleep(60)

    at = watching(script).at
    assert MISSING_SECONDS <= at[0] - 10 <= MISSING_SECONDS + 0.6
    assert [after - before for before, after in pairwise(at)] == [PASS_SECONDS] * (len(at) - 1)
    assert at[-1] <= 10 + MISSING_SECONDS + 4


def test_engine_that_starts_anew_is_still_missing_until_it_is_in_charge() -> None:
    async def script(engine: Engine, acts: Acts, task: asyncio.Task[None]) -> None:
        await asyncio.sleep(10)
        engine.lives = False
        await asyncio.sleep(2)
        engine.silent = True  # the new one has made the file its own
        await asyncio.sleep(2)
        assert acts.at
        engine.lives, engine.silent = True, False
        await asyncio.sleep(0.5)
        acts.at.clear()
        await asyncio.sleep(60)
        assert acts.at == []

    watching(script)


def test_callers_are_looked_after_when_there_never_was_an_engine() -> None:
    async def script(engine: Engine, acts: Acts, task: asyncio.Task[None]) -> None:
        engine.lives, engine.silent = False, True
        await asyncio.sleep(MISSING_SECONDS + 1)

    assert watching(script).at


def test_callers_are_looked_after_at_once_when_the_watchdog_starts_after_the_engine_s_death() -> None:
    acts = Acts()

    async def main() -> None:
        engine = Engine()
        engine.age_seconds()
        await asyncio.sleep(100)
        engine.lives = False
        task = asyncio.create_task(Watch(engine, now).run(acts))
        await asyncio.sleep(0.1)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    run(main())
    assert acts.at[0] == 100


def test_watchdog_that_was_frozen_looks_before_it_acts() -> None:
    async def script(engine: Engine, acts: Acts, task: asyncio.Task[None]) -> None:
        await asyncio.sleep(10)
        stand_still(100)
        await asyncio.sleep(10)

    assert watching(script).at == []


def test_slow_pass_is_followed_at_once() -> None:
    async def script(engine: Engine, acts: Acts, task: asyncio.Task[None]) -> None:
        engine.lives = False
        await asyncio.sleep(20)

    at = watching(script, slow=1.7).at
    assert {round(after - before, 3) for before, after in pairwise(at)} == {1.7}


def test_asterisk_that_is_away_is_told_once_and_its_return_once() -> None:
    async def script(engine: Engine, acts: Acts, task: asyncio.Task[None]) -> None:
        engine.lives = False
        await asyncio.sleep(MISSING_SECONDS + 12)

    away = NotConnected("GET channels")
    with capture_logs() as logs:
        watching(script, away, away, away, Done(sent_on=2), Done(), away)
    assert [each["event"] for each in logs] == [
        "no engine is in charge: callers who sit alone are sent on to the dialplan",
        "callers cannot be looked after",
        "Asterisk answers again",
        "looked after callers",
        "callers cannot be looked after",
        "Asterisk answers again",
    ]


def test_callers_are_sent_on_at_the_end_when_the_engine_ends_too() -> None:
    async def script(engine: Engine, acts: Acts, task: asyncio.Task[None]) -> None:
        await asyncio.sleep(10)
        task.cancel()
        await asyncio.sleep(0.4)
        engine.lives, engine.silent = False, True
        with suppress(asyncio.CancelledError):
            await task

    acts = watching(script, Done(sent_on=3), Done(sent_on=1, failed=1), Done())
    assert len(acts.at) == 3
    assert acts.at[-1] < 12


@pytest.mark.parametrize("outcome", [Done(failed=1), NotConnected("GET channels")])
def test_end_comes_in_time_whatever_asterisk_says(outcome: Done | NotConnected) -> None:
    async def script(engine: Engine, acts: Acts, task: asyncio.Task[None]) -> None:
        engine.lives, engine.silent = False, True
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert now() <= LAST_SECONDS + 1

    watching(script, *[outcome] * 100)


def test_nobody_is_sent_on_at_the_end_when_the_engine_stays() -> None:
    async def script(engine: Engine, acts: Acts, task: asyncio.Task[None]) -> None:
        await asyncio.sleep(10)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert now() < 12

    assert watching(script).at == []
