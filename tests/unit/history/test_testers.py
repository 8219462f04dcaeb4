"""What testers were told and did is kept as they saw it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from callflow.demo.console import ApiRefused, Console
from callflow.demo.phones import protocol as say
from callflow.demo.phones.call import PhoneCall
from callflow.demo.phones.protocol import CallState, EndedBy
from callflow.demo.phones.waiting import Changes
from callflow.engine.client import EngineClient, RequestRefused
from callflow.settings import Settings
from callflow.web.testing import FakeEnginePort

from ...history.findings import Acknowledged, Outcome  # noqa: TID252
from ...history.testers import caller_of, outcome_of, watch_testers  # noqa: TID252

SEQ = 41


@pytest_asyncio.fixture
async def port(tmp_path: Path) -> AsyncIterator[FakeEnginePort]:
    port = FakeEnginePort(tmp_path / "engine.sock")
    port.add_operator("siti", "Siti")
    await port.start()
    yield port
    await port.stop()


@pytest_asyncio.fixture
async def settings(tmp_path: Path) -> AsyncIterator[Settings]:
    """Of a web whose every request is done as SEQ, but for the last operator's."""

    async def answer(request: web.Request) -> web.Response:
        refused = "/operators/nobody/" in request.path
        body: dict[str, Any] = {"seq": SEQ} if "/operators/" in request.path else {"csrf": "x", "version": 2}
        return web.json_response(body, status=409 if refused else 200)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield Settings(data_dir=tmp_path, web_host="127.0.0.1", web_port=runner.addresses[0][1])
    await runner.cleanup()


async def test_request_is_kept_when_the_port_said_that_it_is_done(port: FakeEnginePort, tmp_path: Path) -> None:
    testers = watch_testers()
    before = len(testers.at_port)
    async with EngineClient(tmp_path / "engine.sock") as client:
        seq = await client.request("sign_in", "siti")
        with pytest.raises(RequestRefused):
            await client.request("sign_in", "nobody")
        await client.snapshot()
    assert testers.at_port[before:] == [
        (tmp_path / "engine.sock", Acknowledged(seq=seq, event="SignInRequested")),
    ]


async def test_request_is_kept_when_the_web_said_that_it_is_done(settings: Settings) -> None:
    async with Console(f"http://127.0.0.1:{settings.web_port}", "wati", "") as console:
        await console.move("siti", "sign-in")
        with pytest.raises(ApiRefused):
            await console.move("nobody", "pause")
        await console.ask("POST", "/flows", {})
        await console.ask("GET", "/calls/banyuwangi-1.1")
        await console.ask("GET", "/operators")
    assert watch_testers().acknowledged(settings) == (
        Acknowledged(seq=SEQ, event="SignInRequested"),
        Acknowledged(seq=None, event="FlowPublished"),
        Acknowledged(seq=None, event="AccessRecorded", writer="web"),
    )


@pytest.mark.parametrize(
    ("headers", "number"),
    [
        ({}, "+6281234567890"),
        ({"P-Asserted-Identity": "<sip:0811222333@carrier>"}, "+62811222333"),
        ({"P-Asserted-Identity": "<sip:anonymous@anonymous.invalid>"}, None),
    ],
)
def test_caller_is_whom_the_trunk_vouches_for_when_it_does(headers: dict[str, str], number: str | None) -> None:
    assert caller_of('"Budi" <sip:081234567890@127.0.0.2>', headers) == number


async def _given(_: say.Order) -> None:
    """Nothing is ordered here."""


@pytest.mark.parametrize(
    ("states", "ended_by", "outcome"),
    [
        ([CallState.CALLING], None, Outcome.GOING_ON),
        ([CallState.EARLY], EndedBy.US, Outcome.GAVE_UP),
        ([CallState.EARLY], EndedBy.FAR_END, Outcome.REFUSED),
        ([CallState.EARLY, CallState.CONFIRMED], None, Outcome.ANSWERED),
        ([CallState.CONFIRMED], EndedBy.FAR_END, Outcome.ANSWERED),
    ],
)
async def test_outcome_is_the_phones_own_list(
    states: list[CallState], ended_by: EndedBy | None, outcome: Outcome
) -> None:
    call = PhoneCall("phone", "out1", "local", _given, Changes("phone"))
    for state in states:
        call.take(say.CallProgressed(call="out1", state=state, sip_code=0))
    if ended_by is not None:
        call.take(say.CallEnded(call="out1", sip_code=487, reason="", cause=None, ended_by=ended_by))
    assert outcome_of(call) is outcome
