from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest
from structlog.testing import capture_logs

from callflow.ami import reporting
from callflow.ami.reading import QueueSeen, TrunkSeen
from callflow.ami.reporting import Engine, Reporter
from callflow.ami.standing import Standing
from callflow.core.events import Event
from callflow.core.ids import TrunkRoute
from callflow.core.reports import FallbackQueueReported, TrunkReported
from callflow.errors import CallflowError

TELCO, OTHER = TrunkRoute("trunk-telco"), TrunkRoute("trunk-other")


class EnginePort:
    """The engine's port: takes reports; raises while it is away."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, object]] = []
        self.alarms: list[dict[str, str]] = []
        self.away = False
        self.news = asyncio.Event()
        self._start = 0.0

    def restart(self) -> None:
        self._start = asyncio.get_running_loop().time()

    async def report(self, event: Event) -> None:
        self._answer()
        match event:
            case TrunkReported(trunk=trunk, reachable=reachable):
                self.taken.append((trunk, reachable))
            case FallbackQueueReported(waiting=waiting):
                self.taken.append(("queue", waiting))
        self.news.set()

    async def health(self) -> Mapping[str, Any]:
        self._answer()
        return {"uptime_seconds": asyncio.get_running_loop().time() - self._start}

    async def snapshot(self) -> Mapping[str, Any]:
        self._answer()
        return {"alarms": self.alarms}

    def _answer(self) -> None:
        if self.away:
            raise CallflowError("the engine does not answer")

    def told(self) -> list[tuple[str, object]]:
        """What was reported since the last time."""
        taken, self.taken = self.taken, []
        return taken


class Desk:
    """A reporter between a standing and a port."""

    def __init__(self) -> None:
        self.standing = Standing()
        self.port = EnginePort()
        self.watched = frozenset({TELCO})
        engine = Engine(report=self.port.report, health=self.port.health, snapshot=self.port.snapshot)
        self.reporter = Reporter(self.standing, lambda: self.watched, engine, check_every_seconds=60.0)


@pytest.fixture
async def desk() -> Desk:
    made = Desk()
    made.standing.connected()
    return made


async def test_each_thing_is_reported_once_when_it_stands(desk: Desk) -> None:
    desk.standing.see(TrunkSeen(TELCO, False))
    desk.standing.see(QueueSeen(2))
    await desk.reporter.one_pass()
    assert desk.port.told() == [(TELCO, False), ("queue", 2)]
    await desk.reporter.one_pass()
    assert desk.port.told() == []


async def test_only_what_changed_is_reported_when_something_did(desk: Desk) -> None:
    desk.standing.see(TrunkSeen(TELCO, True))
    desk.standing.see(QueueSeen(0))
    await desk.reporter.one_pass()
    desk.port.told()
    desk.standing.see(QueueSeen(1))
    await desk.reporter.one_pass()
    assert desk.port.told() == [("queue", 1)]
    desk.standing.see(TrunkSeen(TELCO, False))
    await desk.reporter.one_pass()
    assert desk.port.told() == [(TELCO, False)]


async def test_all_is_reported_again_when_ami_was_connected_again(desk: Desk) -> None:
    desk.standing.see(QueueSeen(0))
    await desk.reporter.one_pass()
    desk.port.told()
    desk.standing.disconnected()
    await desk.reporter.one_pass()
    assert desk.port.told() == []
    desk.standing.see(QueueSeen(0))
    desk.standing.connected()
    await desk.reporter.one_pass()
    assert desk.port.told() == [("queue", 0)]


async def test_all_is_reported_again_when_the_engine_was_started_again(desk: Desk) -> None:
    desk.standing.see(TrunkSeen(TELCO, False))
    await desk.reporter.one_pass()
    desk.port.told()
    desk.port.restart()
    await desk.reporter.one_pass()
    assert desk.port.told() == [(TELCO, False)]


async def test_nothing_is_lost_when_the_engine_was_away(desk: Desk) -> None:
    desk.standing.see(QueueSeen(1))
    desk.port.away = True
    with pytest.raises(CallflowError):
        await desk.reporter.one_pass()
    desk.port.away = False
    await desk.reporter.one_pass()
    assert desk.port.told() == [("queue", 1)]


async def test_alarm_is_ended_when_its_trunk_is_not_watched_any_more(desk: Desk) -> None:
    desk.port.alarms = [
        {"kind": "trunk_down", "subject": OTHER},
        {"kind": "trunk_down", "subject": TELCO},
        {"kind": "nobody_ready", "subject": ""},
    ]
    await desk.reporter.one_pass()
    assert desk.port.told() == [(OTHER, True)]
    desk.watched = frozenset()
    await desk.reporter.one_pass()
    assert desk.port.told() == [(OTHER, True), (TELCO, True)]


async def test_trunk_is_not_reported_when_it_is_not_watched_any_more(desk: Desk) -> None:
    desk.watched = frozenset({OTHER})
    desk.standing.see(TrunkSeen(TELCO, False))
    await desk.reporter.one_pass()
    assert desk.port.told() == []


async def test_change_is_reported_at_once_when_the_reporter_runs(desk: Desk) -> None:
    task = asyncio.create_task(desk.reporter.run())
    for waiting in (1, 0, 5):
        desk.standing.see(QueueSeen(waiting))
        async with asyncio.timeout(5):
            await desk.port.news.wait()
        desk.port.news.clear()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert desk.port.told() == [("queue", 1), ("queue", 0), ("queue", 5)]


async def test_restart_of_the_engine_is_noticed_when_nothing_else_happens(desk: Desk) -> None:
    engine = Engine(report=desk.port.report, health=desk.port.health, snapshot=desk.port.snapshot)
    reporter = Reporter(desk.standing, lambda: desk.watched, engine, check_every_seconds=0.01)
    desk.standing.see(QueueSeen(0))
    task = asyncio.create_task(reporter.run())
    async with asyncio.timeout(5):
        await desk.port.news.wait()
        desk.port.news.clear()
        desk.port.restart()
        await desk.port.news.wait()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert desk.port.told() == [("queue", 0), ("queue", 0)]


@pytest.mark.parametrize("fault", [CallflowError("the engine does not answer"), KeyError("uptime_seconds")])
async def test_one_line_is_logged_when_passes_fail_and_the_reporter_goes_on(
    desk: Desk, fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporting, "growing_pauses", lambda: iter([0.001] * 100))
    faults = [fault, fault, fault]

    async def health() -> Mapping[str, Any]:
        if faults:
            raise faults.pop()
        return await desk.port.health()

    engine = Engine(report=desk.port.report, health=health, snapshot=desk.port.snapshot)
    desk.standing.see(QueueSeen(4))
    with capture_logs() as lines:
        task = asyncio.create_task(Reporter(desk.standing, lambda: desk.watched, engine).run())
        async with asyncio.timeout(5):
            await desk.port.news.wait()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    assert len(lines) == 1
    assert desk.port.told() == [("queue", 4)]
