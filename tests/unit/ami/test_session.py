from __future__ import annotations

import asyncio

import pytest
from panoramisk.message import Message

from callflow.ami import session as session_module
from callflow.ami.errors import AmiAway, AmiRefused, AmiSilent
from callflow.ami.session import opened

from .manager import SECRET, FakeManager

HOST = "127.0.0.1"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "ANSWER_SECONDS", 0.3)


def ignore(_: Message) -> None:
    pass


async def test_list_is_whole_when_it_was_asked_for(manager: FakeManager) -> None:
    manager.devices = {"PJSIP/a": "NOT_INUSE", "PJSIP/b": "BUSY"}
    async with opened(HOST, manager.port, "callflow", SECRET, ignore) as session:
        messages = await session.ask("DeviceStateList")
    assert [message.device for message in messages] == ["", "PJSIP/a", "PJSIP/b", ""]


async def test_login_is_refused_when_the_secret_is_another_one(manager: FakeManager) -> None:
    with pytest.raises(AmiRefused, match=r"Login \(Authentication failed\)"):
        async with opened(HOST, manager.port, "callflow", "wrong", ignore):
            pass


async def test_list_is_refused_when_it_is_not_permitted(manager: FakeManager) -> None:
    manager.refused.add("devicestatelist")
    async with opened(HOST, manager.port, "callflow", SECRET, ignore) as session:
        with pytest.raises(AmiRefused, match="Permission denied"):
            await session.ask("DeviceStateList")


async def test_nobody_is_there_when_nobody_listens() -> None:
    async with FakeManager().listening() as gone:
        port = gone.port
    with pytest.raises(AmiAway):
        async with opened(HOST, port, "callflow", SECRET, ignore):
            pass


async def test_nobody_is_there_when_connecting_takes_too_long(
    manager: FakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "CONNECT_SECONDS", 0)
    with pytest.raises(AmiAway, match="no answer"):
        async with opened(HOST, manager.port, "callflow", SECRET, ignore):
            pass


async def test_asking_fails_soon_when_nothing_answers_any_more(manager: FakeManager) -> None:
    async with opened(HOST, manager.port, "callflow", SECRET, ignore) as session:
        manager.silent.add("queuesummary")
        with pytest.raises(AmiSilent, match="QueueSummary"):
            await session.ask("QueueSummary")


async def test_login_fails_soon_when_nothing_answers_at_all(manager: FakeManager) -> None:
    manager.silent.add("login")
    with pytest.raises(AmiSilent, match="Login"):
        async with opened(HOST, manager.port, "callflow", SECRET, ignore):
            pass


async def test_asking_ends_at_once_when_the_connection_does(manager: FakeManager) -> None:
    manager.silent.add("queuesummary")
    async with opened(HOST, manager.port, "callflow", SECRET, ignore) as session:
        asking = asyncio.create_task(session.ask("QueueSummary"))
        await manager.asked_times("queuesummary", 1)
        manager.drop()
        with pytest.raises(AmiAway, match="closed by Asterisk"):
            await asking
        with pytest.raises(AmiAway):
            await session.ask("QueueSummary")
        with pytest.raises(AmiAway):
            await session.ended(5.0)


async def test_session_ends_when_asterisk_says_that_it_is_shutting_down(manager: FakeManager) -> None:
    async with opened(HOST, manager.port, "callflow", SECRET, ignore) as session:
        manager.tell(Event="Shutdown", Shutdown="Cleanly", Restart="True")
        with pytest.raises(AmiAway, match="closed by Asterisk"):
            await session.ended(5.0)


async def test_waiting_goes_on_when_the_connection_stands(manager: FakeManager) -> None:
    async with opened(HOST, manager.port, "callflow", SECRET, ignore) as session:
        await session.ended(0.01)


async def test_events_are_handed_over_when_they_come_in_pieces_and_are_no_text(manager: FakeManager) -> None:
    events: asyncio.Queue[Message] = asyncio.Queue()
    async with opened(HOST, manager.port, "callflow", SECRET, events.put_nowait) as session:
        manager.send(b"Event: Quaint\r\nName: a\xff\xc3b\r\n\r\nEvent: T")
        async with asyncio.timeout(5):
            assert (await events.get()).name == "ab"
        manager.send(b"orn\r\nName: c\r\n\r\n")
        async with asyncio.timeout(5):
            assert (await events.get()).event == "Torn"
        assert await session.ask("QueueSummary")


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00\xff" * 400_000,
        b"Response: Success\r\nMessage: one\r\nMessage: two\r\nActionID: {id}\r\n\r\n" + b"x" * 300_000,
        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0" + b"\r\nX: y" * 100_000,
    ],
)
async def test_session_ends_when_what_comes_is_no_ami(manager: FakeManager, garbage: bytes) -> None:
    async with opened(HOST, manager.port, "callflow", SECRET, ignore) as session:
        manager.send(garbage)
        with pytest.raises(AmiAway, match="no AMI"):
            await session.ended(5.0)


async def test_session_ends_when_an_event_makes_panoramisk_or_us_raise(manager: FakeManager) -> None:
    def broken(_: Message) -> None:
        raise ZeroDivisionError

    async with opened(HOST, manager.port, "callflow", SECRET, broken) as session:
        manager.tell(Event="Any")
        with pytest.raises(AmiAway, match="ZeroDivisionError"):
            await session.ended(5.0)


async def test_nothing_of_panoramisks_is_logged_when_a_session_goes_wrong(
    manager: FakeManager, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        with pytest.raises(AmiRefused):
            async with opened(HOST, manager.port, "callflow", "a wrong secret", ignore):
                pass
        async with opened(HOST, manager.port, "callflow", SECRET, ignore) as session:
            manager.tell(Event="QueueCallerJoin", CallerIDNum="081234567890")
            await session.ask("QueueSummary")
    assert [record for record in caplog.records if "panoramisk" in record.name] == []
    assert "secret" not in caplog.text
    assert "081234567890" not in caplog.text
