from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from itertools import count, islice

import pytest
from structlog.testing import capture_logs

from callflow.ami import session as session_module
from callflow.ami.pauses import growing_pauses
from callflow.ami.standing import Standing
from callflow.ami.witness import AmiWitness, Manager
from callflow.core.ids import TrunkRoute
from callflow.errors import ConfigurationError

from .manager import SECRET, WAIT_SECONDS, FakeManager

TELCO, OTHER = TrunkRoute("trunk-telco"), TrunkRoute("trunk-other")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "ANSWER_SECONDS", 0.3)


class Pauses:
    """Short pauses, and how often they began anew."""

    def __init__(self) -> None:
        self.begun = 0
        self.taken = 0

    def __call__(self) -> Iterator[float]:
        self.begun += 1
        for _ in count():
            self.taken += 1
            yield 0.01


@asynccontextmanager
async def witnessing(
    port: int,
    standing: Standing,
    *,
    secret: Callable[[], str] = lambda: SECRET,
    watched: frozenset[TrunkRoute] = frozenset({TELCO}),
    look_every_seconds: float = 60.0,
    pauses: Callable[[], Iterator[float]] | None = None,
) -> AsyncIterator[None]:
    witness = AmiWitness(
        Manager(port=port, secret=secret),
        lambda: watched,
        standing,
        look_every_seconds=look_every_seconds,
        pauses=pauses or Pauses(),
    )
    task = asyncio.create_task(witness.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(standing: Standing, fact: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_SECONDS):
        while not fact():
            standing.news.clear()
            await standing.news.wait()


async def test_all_that_stands_is_seen_when_connected(manager: FakeManager) -> None:
    manager.waiting = 2
    manager.devices = {"PJSIP/watch-telco": "NOT_INUSE", "PJSIP/watch-other": "UNAVAILABLE"}
    standing = Standing()
    async with witnessing(manager.port, standing):
        await until(standing, lambda: standing.connections == 1)
        assert (standing.waiting, standing.trunks) == (2, {TELCO: True})


async def test_change_is_seen_when_an_event_tells_of_it(manager: FakeManager) -> None:
    standing = Standing()
    async with witnessing(manager.port, standing):
        await until(standing, lambda: standing.connections == 1)
        manager.tell(Event="QueueCallerJoin", Queue="callflow-fallback", Count="1")
        manager.tell(Event="ContactStatus", AOR="watch-telco", ContactStatus="Unreachable")
        manager.tell(Event="ContactStatus", AOR="watch-other", ContactStatus="Unreachable")
        await until(standing, lambda: standing.trunks == {TELCO: False})
        assert standing.waiting == 1


async def test_unavailable_trunk_is_down_at_the_second_look_for_asterisk_may_not_have_asked_yet(
    manager: FakeManager,
) -> None:
    manager.devices = {"PJSIP/watch-telco": "UNAVAILABLE"}
    standing = Standing()
    async with witnessing(manager.port, standing, look_every_seconds=0.05):
        await until(standing, lambda: standing.connections == 1)
        assert standing.trunks == {}
        await until(standing, lambda: standing.trunks == {TELCO: False})
        assert manager.asked.count("devicestatelist") == 2


async def test_event_that_was_missed_is_made_good_at_the_next_look(manager: FakeManager) -> None:
    standing = Standing()
    async with witnessing(manager.port, standing, look_every_seconds=0.05):
        await until(standing, lambda: standing.waiting == 0)
        manager.waiting = 3
        await until(standing, lambda: standing.waiting == 3)


async def test_event_wins_when_it_came_in_the_middle_of_a_look(manager: FakeManager) -> None:
    joined = b"Event: QueueCallerJoin\r\nQueue: callflow-fallback\r\nCount: 1\r\n\r\n"
    manager.interjected["devicestatelist"] = joined  # after the answer, which is 0, to how many wait
    standing = Standing()
    async with witnessing(manager.port, standing):
        await until(standing, lambda: standing.connections == 1)
        assert standing.waiting == 1


async def test_trunks_are_not_asked_for_when_none_is_watched(manager: FakeManager) -> None:
    standing = Standing()
    async with witnessing(manager.port, standing, watched=frozenset(), look_every_seconds=0.02):
        await manager.asked_times("queuesummary", 3)
    assert "devicestatelist" not in manager.asked


async def test_nothing_is_known_of_the_queue_when_asterisk_has_none(manager: FakeManager) -> None:
    manager.waiting = None
    standing = Standing()
    async with witnessing(manager.port, standing):
        await until(standing, lambda: standing.connections == 1)
        assert standing.waiting is None


async def test_witness_connects_again_when_the_connection_ends(manager: FakeManager) -> None:
    standing, pauses = Standing(), Pauses()
    async with witnessing(manager.port, standing, pauses=pauses):
        for times in (1, 2, 3):
            await until(standing, lambda times=times: standing.connections == times)  # type: ignore[misc]
            manager.drop()
        await until(standing, lambda: standing.connections == 4)
    assert pauses.begun == 3  # each pause began anew: the connection had been good


async def test_what_was_seen_is_not_known_any_more_when_the_connection_ends(manager: FakeManager) -> None:
    manager.devices = {"PJSIP/watch-telco": "NOT_INUSE"}
    standing = Standing()
    async with witnessing(manager.port, standing):
        await until(standing, lambda: standing.connections == 1)
    assert (standing.waiting, standing.trunks) == (None, {})


async def test_witness_connects_again_when_nothing_answers_any_more(manager: FakeManager) -> None:
    standing = Standing()
    async with witnessing(manager.port, standing, look_every_seconds=0.05):
        await until(standing, lambda: standing.connections == 1)
        manager.silent.add("queuesummary")
        await manager.asked_times("login", 2)
        manager.silent.clear()
        await until(standing, lambda: standing.connections == 2)


async def test_one_line_is_logged_and_pauses_grow_when_the_secret_is_wrong(manager: FakeManager) -> None:
    pauses = Pauses()
    with capture_logs() as lines:
        async with witnessing(manager.port, Standing(), secret=lambda: "wrong", pauses=pauses):
            await manager.asked_times("login", 4)
    assert [line["log_level"] for line in lines] == ["warning"]
    assert "Authentication failed" in lines[0]["reason"]
    assert pauses.begun == 1
    assert pauses.taken >= 3


async def test_lines_are_logged_once_for_each_reason_when_asterisk_comes_and_goes() -> None:
    manager = FakeManager()
    standing = Standing()
    async with manager.listening():
        pass  # now its port is known, and nobody is there
    with capture_logs() as lines:
        async with witnessing(manager.port, standing):
            while not lines:  # noqa: ASYNC110 a log tells nobody of its lines
                await asyncio.sleep(0)
            async with manager.listening():
                await until(standing, lambda: standing.connections == 1)
            while len(lines) < 3:  # noqa: ASYNC110 a log tells nobody of its lines
                await asyncio.sleep(0)
    assert [line["log_level"] for line in lines[:3]] == ["warning", "info", "warning"]


async def test_mended_secret_is_used_when_it_was_missing(manager: FakeManager) -> None:
    answers: list[str | None] = [None, None, SECRET]

    def secret() -> str:
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        if found is None:
            raise ConfigurationError("secrets/ami_password", ["missing"])
        return found

    standing = Standing()
    async with witnessing(manager.port, standing, secret=secret):
        await until(standing, lambda: standing.connections == 1)


async def test_witness_goes_on_when_a_defect_of_ours_shows(manager: FakeManager) -> None:
    faults = [ZeroDivisionError()]

    def secret() -> str:
        if faults:
            raise faults.pop()
        return SECRET

    standing = Standing()
    with capture_logs() as lines:
        async with witnessing(manager.port, standing, secret=secret):
            await until(standing, lambda: standing.connections == 1)
    assert lines[0]["reason"] == "ZeroDivisionError"


async def test_witness_connects_again_when_garbage_comes(manager: FakeManager) -> None:
    standing = Standing()
    async with witnessing(manager.port, standing):
        await until(standing, lambda: standing.connections == 1)
        manager.send(b"\x00" * 400_000)
        await until(standing, lambda: standing.connections == 2)


def test_pauses_grow_to_half_a_minute() -> None:
    assert list(islice(growing_pauses(), 8)) == [1, 2, 4, 8, 16, 30, 30, 30]
