"""The connection in virtual time, on a fake socket: pauses, limits, fencing, the order of stock and events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from callflow.ari.connection import CONNECT_SECONDS, LETTING_GO_SECONDS, PING_SECONDS
from callflow.ari.errors import Fenced, NotConnected, OutcomeUnknown
from callflow.ari.protocol import bridges, channels
from callflow.ari.protocol.models import Bridge
from callflow.ari.pulse import BEAT_SECONDS, LIMIT_SECONDS

from ..engine.virtual_time import run  # noqa: TID252 the tests are no package
from .fake_socket import FakeHttp, FakeSocket, Keeper, answer, connection_on
from .samples import EVENT_CLASSES, sample

REPLACED = sample(EVENT_CLASSES["ApplicationReplaced"])
ANSWER = channels.answer(channel_id="c")


def told(number: int) -> dict[str, Any]:
    """An event that can be told from its like."""
    return sample(EVENT_CLASSES["ChannelVarset"]) | {"value": str(number)}


async def until(fact: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not fact():  # noqa: ASYNC110 time is virtual
            await asyncio.sleep(0.001)


class Running:
    """A connection that runs within `async with`, on what the script says of each attempt to connect."""

    def __init__(self, *script: FakeSocket | Exception | None, keeper: Keeper | None = None) -> None:
        self.http = FakeHttp(*script)
        self.ari = connection_on(self.http)
        self.keeper = keeper or Keeper()

    async def __aenter__(self) -> Running:
        self.task = asyncio.create_task(self.ari.run(self.keeper))
        return self

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()
        with suppress(asyncio.CancelledError, Fenced):
            await self.task

    @property
    def socket(self) -> FakeSocket:
        return self.http.sockets[-1]

    async def connected(self) -> None:
        await until(lambda: self.ari.connected)

    async def drop(self) -> None:
        self.socket.drop()
        await until(lambda: not self.ari.connected)


def silent() -> FakeSocket:
    socket = FakeSocket()
    socket.answer = lambda _: None
    return socket


def test_we_ask_for_our_application_only_and_ping_often() -> None:
    async def main() -> None:
        async with Running() as at:
            await at.connected()
            assert at.http.options["url"] == "http://asterisk.invalid/ari/events"
            assert at.http.options["params"] == {"app": "callflow-a", "subscribeAll": "false"}
            assert at.http.options["heartbeat"] == PING_SECONDS

    run(main())


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


def test_new_websocket_waits_until_asterisk_has_let_go_of_the_earlier_one() -> None:
    async def main() -> None:
        async with Running() as at:
            await at.connected()
            clock = asyncio.get_running_loop().time
            at.http.registered_until = clock() + 0.2
            await at.drop()
            await at.connected()
            assert at.http.registered_until <= at.http.opened_at[-1] < at.http.registered_until + 0.03

    run(main())


def test_application_is_taken_over_when_another_engine_keeps_it() -> None:
    async def main() -> None:
        async with Running() as at:
            at.http.registered_until = 1e9
            await at.connected()
            assert LETTING_GO_SECONDS <= at.http.opened_at[0] < LETTING_GO_SECONDS + 0.03

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


def test_answers_find_their_requests_when_they_come_in_another_order() -> None:
    async def main() -> None:
        async with Running() as at:
            await at.connected()
            at.socket.answer = lambda _: None
            asked = [asyncio.create_task(at.ari.request(bridges.get(bridge_id=name))) for name in "xyz"]
            await until(lambda: len(at.socket.sent) == 4)
            for frame in reversed(at.socket.sent[1:]):
                name = frame["uri"].removeprefix("bridges/")
                at.socket.say(answer(frame, 200, sample(Bridge) | {"id": name}))
            assert [(await one).id for one in asked] == ["x", "y", "z"]

    run(main())


def test_late_and_unknown_answers_are_ignored() -> None:
    async def main() -> None:
        async with Running() as at:
            await at.connected()
            at.socket.answer = lambda _: None
            before = asyncio.get_running_loop().time()
            with pytest.raises(OutcomeUnknown, match="no answer within 1 s"):
                await at.ari.request(ANSWER, timeout_seconds=1)
            assert asyncio.get_running_loop().time() - before == pytest.approx(1)
            at.socket.say(answer(at.socket.sent[-1]), answer({"request_id": "nobody's"}), told(1))
            await until(lambda: len(at.keeper.told) == 2)
            assert (at.ari.skipped, at.ari.connects) == (0, 1)

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


def test_credentials_are_in_no_log_and_no_representation() -> None:
    async def main() -> None:
        refused = aiohttp.WSServerHandshakeError(None, (), status=401, message="top-secret-word")  # type: ignore[arg-type]
        async with Running(refused, OSError(111, "refused"), aiohttp.ClientError("top-secret-word")) as at:
            with capture_logs() as logs:
                await at.connected()
            assert "check the user" in str(logs[0]["error"])
            assert "top-secret-word" not in f"{logs} {at.ari!r} {vars(at.ari)!r}"

    run(main())
