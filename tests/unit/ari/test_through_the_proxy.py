"""The connection through a proxy that does to it what networks and a failing Asterisk do; Asterisk is the fake."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from callflow.ari.connection import AriConnection
from callflow.ari.errors import OutcomeUnknown, ServerFault
from callflow.ari.protocol import channels

from ...faults.ari_faults import ANSWER, HANG_UP  # noqa: TID252
from ...faults.ari_proxy import AriProxy, ari_proxy  # noqa: TID252
from .fake_server import FakeAsterisk, fake_asterisk
from .samples import EVENT_CLASSES, sample
from .test_connection_over_sockets import Owner, running, so

ANSWER_IT = channels.answer(channel_id="1")
HANG_IT_UP = channels.hangup(channel_id="1")
KEY = sample(EVENT_CLASSES["ChannelDtmfReceived"])
START = sample(EVENT_CLASSES["StasisStart"])


@pytest_asyncio.fixture
async def asterisk() -> AsyncIterator[FakeAsterisk]:
    async with fake_asterisk() as fake:
        yield fake


@pytest_asyncio.fixture
async def proxy(asterisk: FakeAsterisk) -> AsyncIterator[AriProxy]:
    async with ari_proxy(asterisk.url) as between:
        yield between


@pytest_asyncio.fixture
async def owner() -> Owner:
    return Owner()


@pytest_asyncio.fixture
async def ari(proxy: AriProxy, owner: Owner) -> AsyncIterator[AriConnection]:
    async with running(proxy, owner) as (connection, _):
        await owner.until("connected")
        yield connection


async def ask(ari: AriConnection, by_http: bool, seconds: float = 0.2) -> None:
    if by_http:
        await ari.request_http(ANSWER_IT, timeout_seconds=seconds)
    else:
        await ari.request(ANSWER_IT, timeout_seconds=seconds)


def done(asterisk: FakeAsterisk) -> int:
    return len(asterisk.asked) + len(asterisk.http_asked)


async def test_requests_and_events_go_through_when_there_is_no_fault(
    asterisk: FakeAsterisk, ari: AriConnection, owner: Owner
) -> None:
    await ask(ari, by_http=True)
    await ask(ari, by_http=False)
    await asterisk.say(KEY)
    await owner.until("connected", "ChannelDtmfReceived")
    assert done(asterisk) == 2


@pytest.mark.parametrize("by_http", [True, False])
async def test_only_the_requests_meant_are_refused(
    asterisk: FakeAsterisk, proxy: AriProxy, ari: AriConnection, by_http: bool
) -> None:
    async with proxy.refusing(503, ANSWER):
        with pytest.raises(ServerFault):
            await ask(ari, by_http)
        await ari.request(HANG_IT_UP)
    await ask(ari, by_http)
    assert done(asterisk) == 2


@pytest.mark.parametrize("by_http", [True, False])
@pytest.mark.parametrize("fault", ["swallowing", "not_answering"])
async def test_outcome_is_unknown_when_requests_or_answers_are_swallowed(
    asterisk: FakeAsterisk, proxy: AriProxy, ari: AriConnection, by_http: bool, fault: str
) -> None:
    async with getattr(proxy, fault)(ANSWER):
        with pytest.raises(OutcomeUnknown):
            await ask(ari, by_http)
    assert done(asterisk) == (1 if fault == "not_answering" else 0)


@pytest.mark.parametrize("by_http", [True, False])
@pytest.mark.parametrize("fault", ["late", "answering_late"])
async def test_requests_take_their_time_when_they_are_late(
    proxy: AriProxy, ari: AriConnection, by_http: bool, fault: str
) -> None:
    clock = asyncio.get_running_loop().time
    async with getattr(proxy, fault)(0.3, ANSWER):
        began = clock()
        await ask(ari, by_http, seconds=3)
        assert clock() - began >= 0.3
        await ari.request(HANG_IT_UP, timeout_seconds=0.2)
    assert [each for each in proxy.asked if HANG_UP.fit(*each)] == [("DELETE", "channels/1")]


async def test_connects_anew_when_the_websocket_alone_is_cut_off(
    proxy: AriProxy, ari: AriConnection, owner: Owner
) -> None:
    async with proxy.without_websocket():
        await owner.until("connected", "disconnected")
        await ask(ari, by_http=False)  # by HTTP, as there is no websocket
        assert proxy.sockets == 0
    await owner.until("connected", "disconnected", "connected")


async def test_connects_anew_when_everything_was_cut_off(proxy: AriProxy, ari: AriConnection, owner: Owner) -> None:
    async with proxy.cut():
        await owner.until("connected", "disconnected")
        with pytest.raises(OutcomeUnknown):
            await ask(ari, by_http=True)
    await owner.until("connected", "disconnected", "connected")


async def test_half_open_connection_is_found_within_four_seconds(
    proxy: AriProxy, ari: AriConnection, owner: Owner
) -> None:
    clock = asyncio.get_running_loop().time
    async with proxy.half_open():
        began = clock()
        await owner.until("connected", "disconnected")
        assert clock() - began < 4.0
    await so(lambda: ari.connected)


DISTORTED = {
    "losing_events": [],
    "doubling_events": ["StasisStart", "StasisStart", "ChannelDtmfReceived", "ChannelDtmfReceived"],
    "swapping_events": ["ChannelDtmfReceived", "StasisStart"],
    "garbling_events": ["StasisStart", "ChannelDtmfReceived"],
}


@pytest.mark.parametrize("fault", DISTORTED)
async def test_events_come_as_distorted(
    asterisk: FakeAsterisk, proxy: AriProxy, ari: AriConnection, owner: Owner, fault: str
) -> None:
    async with getattr(proxy, fault)("StasisStart", "ChannelDtmfReceived"):
        await asterisk.say(START)
        await asterisk.say(KEY)
        await asterisk.say(sample(EVENT_CLASSES["StasisEnd"]))
        await owner.until("connected", *DISTORTED[fault], "StasisEnd")
    assert ari.skipped == (2 if fault == "garbling_events" else 0)
