"""The connection in virtual time, on a fake socket: pauses, limits, fencing, the order of stock and events."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import aiohttp
import pytest
from structlog.testing import capture_logs

from callflow.ari.connection import CONNECT_SECONDS
from callflow.ari.errors import AriError, Fenced, NotConnected, OutcomeUnknown, Unauthorized
from callflow.ari.protocol import channels
from callflow.ari.pulse import BEAT_SECONDS, LIMIT_SECONDS

from ..engine.virtual_time import run  # noqa: TID252 the tests are no package
from .connection_lab import Running, silent, told, until
from .fake_socket import FakeHttp, FakeSocket, Keeper, answer, connection_on
from .samples import EVENT_CLASSES, sample

REPLACED = sample(EVENT_CLASSES["ApplicationReplaced"])
ANSWER = channels.answer(channel_id="c")


def test_pauses_grow_while_asterisk_is_away_and_are_short_again_after_a_steady_connection() -> None:
    async def main() -> None:
        away = [aiohttp.ClientConnectionError() for _ in range(8)]
        async with Running(*away) as at:
            await at.connected()
            waited = [after - before for before, after in pairwise(at.http.opened_at)]
            for pause, longest in zip(waited, (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2, 2), strict=True):
                assert longest / 2 <= pause <= longest + 1e-6
            await asyncio.sleep(6)
            dropped_at = asyncio.get_running_loop().time()
            await at.drop()
            await at.connected()
            assert at.http.opened_at[-1] - dropped_at < 0.06

    run(main())


def test_pauses_go_on_growing_when_connections_do_not_last() -> None:
    async def main() -> None:
        async with Running() as at:
            for _ in range(8):
                await at.connected()
                await at.drop()
            assert at.http.opened_at[-1] - at.http.opened_at[-2] >= 0.8

    run(main())


def test_handshake_is_given_up_in_time_when_asterisk_is_frozen() -> None:
    async def main() -> None:
        async with Running(None) as at:
            await at.connected()
            assert CONNECT_SECONDS < at.http.opened_at[1] < CONNECT_SECONDS + 0.1

    run(main())


def test_stock_taking_is_given_up_in_time_when_it_hangs() -> None:
    async def main() -> None:
        async with Running(silent()) as at:
            await at.connected()
            assert CONNECT_SECONDS < at.http.opened_at[1] < CONNECT_SECONDS + 0.1
            assert at.keeper.told == ["stock"]

    run(main())


def test_stock_taking_ends_at_once_when_the_socket_drops() -> None:
    async def main() -> None:
        first = silent()
        async with Running(first) as at:
            await until(lambda: first.sent)
            first.drop()
            await at.connected()
            assert at.http.opened_at[1] < 0.1

    run(main())


def test_stock_is_taken_again_when_taking_it_failed() -> None:
    async def main() -> None:
        failures = [NotConnected("GET channels"), OutcomeUnknown("GET channels", "no answer")]

        async def stock() -> None:
            if failures:
                raise failures.pop()

        async with Running(keeper=Keeper(stock)) as at:
            await at.connected()
            assert (at.ari.connects, at.keeper.told) == (3, ["stock"])

    run(main())


def test_connects_anew_when_events_do_not_come_from_the_beginning() -> None:
    async def main() -> None:
        first = FakeSocket()
        first.unheard = True
        async with Running(first) as at:
            with capture_logs() as logs:
                await at.connected()
            assert (at.ari.connects, at.keeper.told) == (2, ["stock"])
            assert at.http.opened_at[1] < LIMIT_SECONDS + 0.1
            assert "do not reach us" in str(logs[0]["error"])

    run(main())


@pytest.mark.parametrize(("status", "limit"), [(204, LIMIT_SECONDS), (404, 0)])
def test_connects_anew_when_events_come_no_more(status: int, limit: float) -> None:
    async def main() -> None:
        async with Running() as at:
            await at.connected()
            clock = asyncio.get_running_loop().time
            await until(lambda: at.socket.beats == 6)
            assert clock() == pytest.approx(5 * BEAT_SECONDS, abs=0.1)
            assert at.ari.connects == 1
            at.socket.unheard, at.socket.beat_status = True, status
            deaf_at = clock()
            await until(lambda: at.ari.connects == 2 and at.ari.connected)
            assert at.http.opened_at[-1] - deaf_at < BEAT_SECONDS + limit + 0.1
            assert at.keeper.told == ["stock", "gone", "stock"]

    run(main())


def test_events_during_stock_taking_are_told_after_it_in_order() -> None:
    async def main() -> None:
        stocked = asyncio.Event()

        async def stock() -> None:
            await stocked.wait()

        async with Running(keeper=Keeper(stock)) as at:
            await until(lambda: at.http.sockets and at.socket.sent)
            at.socket.say(told(1), told(2))
            await asyncio.sleep(0.5)
            assert at.keeper.told == []
            stocked.set()
            at.socket.say(told(3))
            await until(lambda: len(at.keeper.told) == 4)
            assert at.keeper.told == ["stock", "ChannelVarset 1", "ChannelVarset 2", "ChannelVarset 3"]

    run(main())


def test_events_are_never_told_when_their_connection_took_no_stock() -> None:
    async def main() -> None:
        first = FakeSocket()
        first.say(told(1))
        first.answer = lambda frame: answer(frame, 500)
        async with Running(first) as at:
            await at.connected()
            assert (at.ari.connects, at.keeper.told) == (2, ["stock"])

    run(main())


def test_frames_that_are_no_event_are_counted_and_the_next_is_heard() -> None:
    async def main() -> None:
        async with Running() as at:
            await at.connected()
            at.socket.say("no json", b"\xff\xfe", "[]", {"type": "Tomorrow"}, {"type": "StasisStart"}, told(1))
            await until(lambda: len(at.keeper.told) == 2)
            assert (at.ari.skipped, at.ari.connects, at.keeper.told[1]) == (5, 1, "ChannelVarset 1")

    run(main())


@pytest.mark.parametrize("while_taking_stock", [True, False])
def test_fenced_engine_hears_asks_and_connects_no_more(while_taking_stock: bool) -> None:
    async def main() -> None:
        socket = silent() if while_taking_stock else FakeSocket()
        async with Running(socket) as at:
            if not while_taking_stock:
                await at.connected()
            socket.say(told(1), REPLACED, told(2))
            with pytest.raises(Fenced):
                await at.task
            assert at.keeper.told == ([] if while_taking_stock else ["stock", "ChannelVarset 1", "gone"])
            for ask in (at.ari.request, at.ari.request_http):
                with pytest.raises(Fenced):
                    await ask(ANSWER)
            await asyncio.sleep(60)
            assert (len(at.http.opened_at), at.http.sent) == (1, [])

    run(main())


def test_what_waits_unread_is_not_told_and_stock_is_taken_anew_when_the_connection_is_renewed() -> None:
    async def main() -> None:
        async with Running() as at:
            await at.connected()
            assert at.ari.pulse_age() is not None
            stale = at.socket
            stale.say(told(1), told(2))
            at.ari.renew()
            assert not at.ari.connected
            assert at.keeper.told == ["stock", "gone"]
            await at.connected()
            assert stale.closed
            at.socket.say(told(3))
            await until(lambda: len(at.keeper.told) == 4)
            assert at.keeper.told == ["stock", "gone", "stock", "ChannelVarset 3"]

    run(main())


def test_stock_is_taken_anew_when_the_connection_is_renewed_while_it_is_taken() -> None:
    async def main() -> None:
        begun = 0

        async def stock() -> None:
            nonlocal begun
            begun += 1
            if begun == 1:
                await asyncio.Event().wait()

        async with Running(keeper=Keeper(stock)) as at:
            await until(lambda: begun)
            at.ari.renew()
            await at.connected()
            assert (begun, at.keeper.told) == (2, ["stock"])

    run(main())


def test_renewing_is_no_fault_when_there_is_no_connection() -> None:
    async def main() -> None:
        connection_on(FakeHttp()).renew()
        async with Running(aiohttp.ClientConnectionError()) as at:
            at.ari.renew()
            await at.connected()
            assert at.ari.connects == 1

    run(main())


def test_trouble_is_told_once_and_not_with_each_attempt() -> None:
    async def main() -> None:
        refused = [aiohttp.ClientConnectionError() for _ in range(5)]
        async with Running(*refused, OSError("another"), FakeSocket()) as at:
            with capture_logs() as logs:
                await until(lambda: at.ari.trouble)
                assert at.ari.trouble == "ClientConnectionError"
                await at.connected()
            assert [line["error"] for line in logs if "tried again" in line["event"]] == [
                "ClientConnectionError",
                "OSError: another",
            ]
            assert at.ari.trouble == ""

    run(main())


@pytest.mark.parametrize("fault", [Unauthorized(401, "GET x", "no"), NotConnected("GET x")])
def test_requests_go_over_the_websocket_when_http_is_not_to_be_had(fault: AriError) -> None:
    async def main() -> None:
        async with Running() as at:
            await at.connected()
            at.http.no_http = fault
            await at.ari.request_http(ANSWER)  # before anybody looked
            await asyncio.sleep(3)
            assert at.ari.http_trouble == ""  # one ping may be late
            await asyncio.sleep(2)
            assert at.ari.http_trouble
            asked = len(at.http.sent)
            await at.ari.request_http(ANSWER)
            assert len(at.http.sent) == asked
            assert [frame["uri"] for frame in at.socket.sent if frame["method"] == "POST"] == ["channels/c/answer"] * 2
            at.http.no_http = None
            await asyncio.sleep(3)
            assert at.ari.http_trouble == ""
            await at.ari.request_http(ANSWER)
            assert len(at.http.sent) == asked + 1

    run(main())


def test_request_fails_when_neither_way_is_to_be_had() -> None:
    async def main() -> None:
        async with Running(None) as at:
            at.http.no_http = NotConnected("GET x")
            with pytest.raises(NotConnected):
                await at.ari.request_http(ANSWER)
            await asyncio.sleep(5)
            assert at.http.pings == 0

    run(main())


def test_slowness_is_known_when_asterisk_takes_its_time() -> None:
    async def main() -> None:
        async with Running() as at:
            await at.connected()
            at.socket.beat_seconds = 1.0
            await asyncio.sleep(BEAT_SECONDS + 1.5)
            assert 1.0 <= at.ari.slowness_seconds < 1.1
            assert at.ari.connects == 1
            at.socket.beat_seconds = 3.0
            await until(lambda: at.ari.connects == 2)
            assert "do not reach us" in at.ari.trouble or at.ari.connected

    run(main())
