"""The connection over real sockets: what a fake socket cannot show, such as pings, handshakes and quoting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
import pytest_asyncio

from callflow.ari import connection as connection_module
from callflow.ari import handshake
from callflow.ari.connection import AriConnection
from callflow.ari.errors import Fenced, NotConnected, NotFound, OutcomeUnknown
from callflow.ari.protocol import channels
from callflow.ari.protocol.event_types import Event
from callflow.ari.unwanted import UNWANTED_EVENTS

from .fake_server import PASSWORD, USER, FakeAsterisk, fake_asterisk
from .samples import EVENT_CLASSES, sample

KINDS = ("StasisStart", "ChannelDtmfReceived", "StasisEnd")
ANSWER = channels.answer(channel_id="c 1")


class Owner:
    """A Listener that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.stock: Callable[[], Awaitable[None]] | None = None
        self.fault: Exception | None = None
        self._news = asyncio.Event()

    def on_event(self, event: Event) -> None:
        self._tell(event.type)
        if self.fault is not None:
            raise self.fault

    async def on_connected(self) -> None:
        if self.stock is not None:
            await self.stock()
        self._tell("connected")

    def on_disconnected(self) -> None:
        self._tell("disconnected")

    async def until(self, *told: str) -> None:
        """Wait until exactly this was told."""
        async with asyncio.timeout(5):
            while self.told != list(told):
                self._news.clear()
                await self._news.wait()

    def _tell(self, what: str) -> None:
        self.told.append(what)
        self._news.set()


async def so(condition: Callable[[], bool]) -> None:
    """Wait for something on the fake's side."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - the fake is another's; nothing to wait on but its state
            await asyncio.sleep(0)


@pytest_asyncio.fixture
async def asterisk() -> AsyncIterator[FakeAsterisk]:
    async with fake_asterisk() as fake:
        yield fake


@pytest.fixture
def owner() -> Owner:
    return Owner()


@asynccontextmanager
async def running(asterisk: FakeAsterisk, owner: Owner) -> AsyncIterator[tuple[AriConnection, asyncio.Task[None]]]:
    ari = AriConnection(asterisk.url, USER, PASSWORD, "callflow-a")
    task = asyncio.create_task(ari.run(owner))
    try:
        yield ari, task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, Fenced):
            await task


async def test_events_come_in_order_when_connected(asterisk: FakeAsterisk, owner: Owner) -> None:
    async with running(asterisk, owner):
        await owner.until("connected")
        for kind in KINDS:
            await asterisk.say(sample(EVENT_CLASSES[kind]))
        await owner.until("connected", *KINDS)


async def test_early_events_wait_until_stock_is_taken(asterisk: FakeAsterisk, owner: Owner) -> None:
    async def stock() -> None:
        for kind in KINDS:
            await asterisk.say(sample(EVENT_CLASSES[kind]))
        await ari.request(ANSWER)  # answered after the events: they have been read
        assert owner.told == []

    owner.stock = stock
    async with running(asterisk, owner) as (ari, _):
        await owner.until("connected", *KINDS)


async def test_unwanted_events_are_disallowed_again_when_reconnected(asterisk: FakeAsterisk, owner: Owner) -> None:
    async with running(asterisk, owner) as (ari, _):
        await owner.until("connected")
        await asterisk.socket.close()
        await owner.until("connected", "disconnected", "connected")
        assert ari.connects == 2
    assert asterisk.filters == [{"disallowed": [{"type": name} for name in UNWANTED_EVENTS]}] * 2


@pytest.mark.parametrize("frame", ["{", "[]", '{"type": "New"}', '{"type": "StasisStart"}', "[" * 9000])
async def test_listening_goes_on_when_a_frame_is_no_event(asterisk: FakeAsterisk, owner: Owner, frame: str) -> None:
    async with running(asterisk, owner) as (ari, _):
        await owner.until("connected")
        await asterisk.socket.send_str(frame)
        await asterisk.say(sample(EVENT_CLASSES["StasisEnd"]))
        await owner.until("connected", "StasisEnd")
        assert ari.skipped == 1


async def test_listening_goes_on_when_the_owner_fails_on_an_event(asterisk: FakeAsterisk, owner: Owner) -> None:
    owner.fault = KeyError("+6281234567890")
    async with running(asterisk, owner) as (ari, _):
        await owner.until("connected")
        for kind in KINDS:
            await asterisk.say(sample(EVENT_CLASSES[kind]))
        await owner.until("connected", *KINDS)
        assert ari.failed == len(KINDS)


async def test_each_gets_its_own_answer_when_many_are_in_flight(asterisk: FakeAsterisk, owner: Owner) -> None:
    async with running(asterisk, owner) as (ari, _):
        await owner.until("connected")
        asterisk.silent = True
        names = [f"V{number}" for number in range(20)]
        asking = [
            asyncio.create_task(ari.request(channels.get_channel_var(channel_id="c", variable=name))) for name in names
        ]
        await so(lambda: len(asterisk.asked) == len(names))
        for asked in reversed(asterisk.asked):
            [query] = asked["query_strings"]
            await asterisk.answer(asked, 200, {"value": query["value"]})
        assert [answer.value for answer in await asyncio.gather(*asking)] == names
    assert asterisk.http_asked == []


async def test_refusal_is_typed_when_told_over_the_websocket(asterisk: FakeAsterisk, owner: Owner) -> None:
    async with running(asterisk, owner) as (ari, _):
        await owner.until("connected")
        asterisk.silent = True
        asking = asyncio.create_task(ari.request(ANSWER))
        await so(lambda: bool(asterisk.asked))
        await asterisk.answer(asterisk.asked[0], 404)
        with pytest.raises(NotFound) as caught:
            await asking
    assert (caught.value.status, caught.value.operation) == (404, "POST channels/{channelId}/answer")


async def test_outcome_is_unknown_when_the_websocket_ends_before_the_answer(
    asterisk: FakeAsterisk, owner: Owner
) -> None:
    async with running(asterisk, owner) as (ari, _):
        await owner.until("connected")
        asterisk.silent = True
        asking = asyncio.create_task(ari.request(ANSWER))
        await so(lambda: bool(asterisk.asked))
        await asterisk.socket.close()
        with pytest.raises(OutcomeUnknown):
            await asking


async def test_outcome_is_unknown_when_no_answer_comes_in_time(asterisk: FakeAsterisk, owner: Owner) -> None:
    async with running(asterisk, owner) as (ari, _):
        await owner.until("connected")
        asterisk.silent = True
        with pytest.raises(OutcomeUnknown):
            await ari.request(ANSWER, timeout_seconds=0.01)


async def test_request_ends_as_cancelled_when_its_asker_is(asterisk: FakeAsterisk, owner: Owner) -> None:
    async with running(asterisk, owner) as (ari, _):
        await owner.until("connected")
        asterisk.silent = True
        asking = asyncio.create_task(ari.request(ANSWER))
        await so(lambda: bool(asterisk.asked))
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking


async def test_request_goes_by_http_when_there_is_no_websocket(asterisk: FakeAsterisk) -> None:
    ari = AriConnection(asterisk.url, USER, PASSWORD, "callflow-a")
    await ari.request(channels.mute(channel_id="a/b c", direction="in"))
    asterisk.refuse = (404, "Channel not found")
    with pytest.raises(NotFound, match="Channel not found"):
        await ari.request(ANSWER)
    await ari._rest.close()
    assert asterisk.http_asked == ["POST /ari/channels/a%2Fb%20c/mute?direction=in", "POST /ari/channels/c%201/answer"]


async def test_request_is_not_sent_when_nobody_listens() -> None:
    async with fake_asterisk() as gone:
        url = gone.url
    ari = AriConnection(url, USER, PASSWORD, "callflow-a")
    with pytest.raises(NotConnected):
        await ari.request(ANSWER)
    await ari._rest.close()


async def test_fenced_for_good_when_replaced(asterisk: FakeAsterisk, owner: Owner) -> None:
    async with running(asterisk, owner) as (ari, task):
        await owner.until("connected")
        await asterisk.say(sample(EVENT_CLASSES["ApplicationReplaced"]))
        with pytest.raises(Fenced):
            await task
        for send in (ari.request, ari.request_http):
            with pytest.raises(Fenced):
                await send(ANSWER)
    assert asterisk.handshakes == 1
    assert asterisk.asked == asterisk.http_asked == []
    assert owner.told == ["connected", "disconnected"]


async def test_fenced_for_good_when_replaced_while_taking_stock_fails(asterisk: FakeAsterisk, owner: Owner) -> None:
    async def stock() -> None:
        await asterisk.say(sample(EVENT_CLASSES["ApplicationReplaced"]))
        await so(lambda: ari._fenced)
        raise NotConnected("something else")

    owner.stock = stock
    async with running(asterisk, owner) as (ari, task):
        with pytest.raises(Fenced):
            await task
    assert asterisk.handshakes == 1


async def test_tries_again_when_stock_cannot_be_taken(asterisk: FakeAsterisk, owner: Owner) -> None:
    faults = [OutcomeUnknown("GET channels", "as told")]

    async def stock() -> None:
        if faults:
            raise faults.pop()

    owner.stock = stock
    async with running(asterisk, owner):
        await owner.until("connected")
    assert asterisk.handshakes == 2


async def test_tries_again_when_a_frozen_asterisk_answers_no_handshake(
    asterisk: FakeAsterisk, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "CONNECT_SECONDS", 0.05)
    asterisk.frozen = True
    async with running(asterisk, owner):
        await so(lambda: asterisk.handshakes == 2)
        monkeypatch.setattr(connection_module, "CONNECT_SECONDS", 5.0)
        await asterisk.stop_freezing()
        await owner.until("connected")


async def test_reconnects_when_a_half_open_connection_answers_no_ping(
    asterisk: FakeAsterisk, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handshake, "PING_SECONDS", 0.05)
    asterisk.answers_pings = False
    async with running(asterisk, owner):
        await owner.until("connected", "disconnected", "connected")


async def test_password_is_in_no_word_of_ours_when_it_is_wrong(
    asterisk: FakeAsterisk, owner: Owner, capsys: pytest.CaptureFixture[str]
) -> None:
    ari = AriConnection(asterisk.url, USER, "the wrong one", "callflow-a")
    task = asyncio.create_task(ari.run(owner))
    await so(lambda: asterisk.handshakes == 2)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    said = "".join(capsys.readouterr())
    assert "ari_password" in said
    assert "the wrong one" not in said + repr(ari) + repr(ari._rest)
