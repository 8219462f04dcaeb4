"""The handshake in virtual time: what is asked for, when the earlier websocket is gone, what is told of a refusal."""

from __future__ import annotations

import asyncio

import aiohttp
from structlog.testing import capture_logs

from callflow.ari.handshake import LETTING_GO_SECONDS, PING_SECONDS

from ..engine.virtual_time import run  # noqa: TID252 the tests are no package
from .connection_lab import Running


def test_we_ask_for_our_application_only_and_ping_often() -> None:
    async def main() -> None:
        async with Running() as at:
            await at.connected()
            assert at.http.options["url"] == "http://asterisk.invalid/ari/events"
            assert at.http.options["params"] == {"app": "callflow-a", "subscribeAll": "false"}
            assert at.http.options["heartbeat"] == PING_SECONDS

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


def test_credentials_are_in_no_log_and_no_representation() -> None:
    async def main() -> None:
        refused = aiohttp.WSServerHandshakeError(None, (), status=401, message="top-secret-word")  # type: ignore[arg-type]
        async with Running(refused, OSError(111, "refused"), aiohttp.ClientError("top-secret-word")) as at:
            with capture_logs() as logs:
                await at.connected()
            assert "refuses our ARI user" in str(logs[0]["error"])
            assert "top-secret-word" not in f"{logs} {at.ari!r} {vars(at.ari)!r}"

    run(main())
