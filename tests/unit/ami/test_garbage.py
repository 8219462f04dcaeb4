"""What is no AMI, and AMI that makes no sense: the witness goes on, knows nothing wrong, and connects again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from callflow.ami import session as session_module
from callflow.ami.reading import QueueSeen, TrunkSeen, read_devices, read_event, read_queue
from callflow.ami.standing import Standing
from callflow.ami.witness import AmiWitness, Manager
from callflow.core.ids import TrunkRoute

from .manager import SECRET, FakeManager

TELCO = TrunkRoute("trunk-telco")
CALLER = "081234567890"
WAIT_SECONDS = 10.0
words = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ("callflow-fallback", "watch-telco", "PJSIP/watch-telco", "Reachable", "UNAVAILABLE", "9" * 40, "-1")
    ),
    st.lists(st.text(max_size=3), max_size=2),
)
names = st.sampled_from(("event", "queue", "count", "callers", "aor", "contactstatus", "device", "state", "x"))
kinds = st.sampled_from(("ContactStatus", "QueueCallerJoin", "QueueCallerLeave", "QueueSummary", "DeviceStateChange"))
messages = st.builds(lambda kind, fields: {"event": kind} | fields, kinds, st.dictionaries(names, words, max_size=5))


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "ANSWER_SECONDS", 0.3)


def _short() -> Iterator[float]:
    while True:
        yield 0.01


@asynccontextmanager
async def _witnessing(manager: FakeManager, standing: Standing) -> AsyncIterator[None]:
    witness = AmiWitness(
        Manager(port=manager.port, secret=lambda: SECRET), lambda: frozenset({TELCO}), standing, pauses=_short
    )
    task = asyncio.create_task(witness.run())
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            yield
    finally:
        assert not task.done()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _connected(standing: Standing, times: int) -> None:
    while standing.connections < times:
        standing.news.clear()
        await standing.news.wait()


@pytest.mark.parametrize(
    "banner",
    [
        b"",
        b"\r\n\r\n",
        b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\xff\xfe\x00" * 1000,
        b"Asterisk Call Manager/" + b"1" * 400_000,
        b"Response: Error\r\nMessage: go away\r\n\r\n",
        b"Response: Goodbye\r\nActionID: x\r\n",
    ],
    ids=lambda banner: f"{banner[:20]!r}-{len(banner)}",
)
async def test_witness_connects_when_the_banner_was_garbage_and_is_well_again(banner: bytes) -> None:
    standing = Standing()
    manager = FakeManager()
    async with manager.listening():
        usual, manager.banner = manager.banner, banner
        manager.silent = {"login"}
        async with _witnessing(manager, standing):
            while len(manager.asked) < 1 and not manager.logins:
                await asyncio.sleep(0.01)
                if len(banner) > 300_000:
                    break  # such a banner ends the connection before anything is asked
            manager.banner, manager.silent = usual, set()
            await _connected(standing, 1)
            assert standing.waiting == 0


async def test_witness_lets_go_when_a_banner_never_ends(manager: FakeManager) -> None:
    standing = Standing()
    manager.silent = {"login"}
    async with _witnessing(manager, standing):
        await manager.asked_times("login", 1)
        for _ in range(40):
            manager.send(b"Banner: never ends\r\n" * 1_000)
            await asyncio.sleep(0)
        await manager.asked_times("login", 2)
        manager.silent = set()
        await _connected(standing, 1)


async def test_nothing_is_known_wrong_and_nobody_is_logged_when_events_lack_fields(manager: FakeManager) -> None:
    standing = Standing()
    manager.waiting = 3
    with capture_logs() as lines:
        async with _witnessing(manager, standing):
            await _connected(standing, 1)
            for event in ("ContactStatus", "QueueCallerJoin", "QueueCallerLeave", "QueueSummary", "Nonsense", ""):
                manager.tell(Event=event, CallerIDNum=CALLER)
            manager.tell(Event="QueueCallerJoin", Queue="callflow-fallback", Count="many")
            manager.tell(Event="ContactStatus", AOR="watch-telco", ContactStatus="Perhaps")
            manager.send(
                b"Half a line: " + CALLER.encode() + b"\r\nEvent: QueueCallerJoin\r\n\r\n\r\n\r\n:\r\n: :\r\n\r\n"
            )
            manager.tell(Event="QueueCallerJoin", Queue="callflow-fallback", Count="4")
            while standing.waiting != 4:
                standing.news.clear()
                await standing.news.wait()
    assert CALLER not in str(lines)


@settings(max_examples=100, deadline=None)
@given(st.lists(messages, max_size=6))
def test_what_is_read_is_sound_whatever_the_messages_say(some: list[dict[str, object]]) -> None:
    seen = [read_event(one) for one in some] + [read_queue(some)] + list(read_devices(some))
    for one in seen:
        if isinstance(one, QueueSeen):
            assert 0 <= one.waiting < 10**6
        elif isinstance(one, TrunkSeen):
            assert one.trunk.startswith("trunk-")


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=400))
def test_witness_goes_on_whatever_bytes_come(garbage: bytes) -> None:
    async def main() -> None:
        manager, standing = FakeManager(), Standing()
        async with manager.listening(), _witnessing(manager, standing):
            await _connected(standing, 1)
            manager.send(garbage)
            manager.send(b"\r\n\r\n")
            manager.tell(Event="QueueCallerJoin", Queue="callflow-fallback", Count="4")
            while standing.waiting != 4 and standing.connections == 1:
                standing.news.clear()
                with suppress(TimeoutError):  # the connection may end instead, of which there is no news until the next
                    await asyncio.wait_for(standing.news.wait(), 0.5)

    asyncio.run(main())
