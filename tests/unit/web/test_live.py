"""The live websocket: snapshot, facts, resuming, who is let in, who is cut off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType, WSServerHandshakeError

from callflow.permissions import Role
from callflow.web import feed as feed_module
from callflow.web import live as live_module
from callflow.web.live import CloseCode

from .conftest import Stage

OPENED = {
    "type": "CallOpened",
    "call": "c1",
    "arrived_at": "2026-11-23T01:00:00+00:00",
    "caller": {"number": "+6281234567890", "raw": "081234567890"},
    "dialled": "112",
    "trunk": "telkom",
}


@pytest.fixture
async def following(stage: Stage) -> AsyncIterator[Stage]:
    """The stage with its feed running and connected."""
    running = asyncio.create_task(stage.context.feed.run())
    async with asyncio.timeout(5):
        await stage.context.feed.until(connected=True)
        await stage.engine.until_followed()
    yield stage
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


@asynccontextmanager
async def live(stage: Stage, role: Role, query: str = "") -> AsyncIterator[ClientWebSocketResponse]:
    await stage.sign_in(role)
    async with stage.client.ws_connect(f"/api/v1/live{query}") as socket:
        yield socket


async def frame(socket: ClientWebSocketResponse, kind: str) -> dict[str, Any]:
    """The next frame of that kind."""
    async with asyncio.timeout(5):
        while True:
            message = await socket.receive()
            assert message.type is WSMsgType.TEXT, message
            document: dict[str, Any] = message.json()
            if document["type"] == kind:
                return document


async def closed(socket: ClientWebSocketResponse) -> int | None:
    """The code with which the server closes."""
    async with asyncio.timeout(10):
        while (await socket.receive()).type is WSMsgType.TEXT:
            pass
    return socket.close_code


async def test_snapshot_comes_first_and_then_facts_when_following(following: Stage) -> None:
    async with live(following, Role.SUPERVISOR) as socket:
        snapshot = await frame(socket, "snapshot")
        assert [entry["operator"] for entry in snapshot["snapshot"]["operators"]] == ["siti", "budi"]
        seq = await following.engine.tell(OPENED)
        facts = await frame(socket, "facts")
    assert (facts["seq"], facts["facts"][0]["caller"]["number"]) == (seq, "+6281234567890")
    assert [event.what for event in following.chain.events] == ["live_calls"]


async def test_only_own_callers_are_shown_when_an_operator_follows(following: Stage) -> None:
    async with live(following, Role.OPERATOR) as socket:
        await frame(socket, "snapshot")
        await following.engine.tell(OPENED)
        assert (await frame(socket, "facts"))["facts"][0]["caller"]["hidden"]
        await following.engine.tell(
            {"type": "OfferMade", "call": "c1", "offer": "c1.o1", "operator": "siti", "destination": None}
        )
        assert (await frame(socket, "facts"))["facts"][0]["caller"]["number"] == "+6281234567890"


@pytest.mark.parametrize(
    ("role", "looks"),
    [(Role.SUPERVISOR, ["live_calls"]), (Role.OPERATOR, ["live_callbacks"]), (Role.AUDITOR, [])],
)
async def test_look_is_recorded_when_others_numbers_are_shown_live(
    following: Stage, role: Role, looks: list[str]
) -> None:
    following.engine.add_callback("c0", "+6281234567890")
    async with live(following, role) as socket:
        await frame(socket, "snapshot")
    assert [event.what for event in following.chain.events] == looks


async def test_only_what_was_missed_comes_when_resuming(following: Stage) -> None:
    async with live(following, Role.SUPERVISOR) as socket:
        begun = (await frame(socket, "snapshot"))["seq"]
        await following.engine.tell(OPENED)
        seen = (await frame(socket, "facts"))["seq"]
        await following.engine.tell({"type": "AlarmRaised", "kind": "no_flow", "subject": "", "detail": ""})
        await frame(socket, "facts")
    async with live(following, Role.SUPERVISOR, f"?after={seen}") as socket:
        facts = await frame(socket, "facts")
        assert [fact["type"] for fact in facts["facts"]] == ["AlarmRaised"]
    async with live(following, Role.SUPERVISOR, f"?after={begun}") as socket:
        assert [fact["type"] for fact in (await frame(socket, "facts"))["facts"]] == ["CallOpened"]


@pytest.mark.parametrize("after", [10**9, 0])
async def test_snapshot_comes_when_what_was_seen_is_not_kept(
    following: Stage, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    monkeypatch.setattr(following.context.feed, "_begins_after", 1)
    async with live(following, Role.SUPERVISOR, f"?after={after}") as socket:
        assert (await frame(socket, "snapshot"))["seq"] == following.engine.seq


async def test_many_browsers_cost_the_engine_one_snapshot_when_they_come_at_once(following: Stage) -> None:
    await following.sign_in(Role.SUPERVISOR)
    before = following.engine.snapshots_asked
    sockets = await asyncio.gather(*(following.client.ws_connect("/api/v1/live") for _ in range(10)))
    await asyncio.gather(*(frame(socket, "snapshot") for socket in sockets))
    assert following.engine.snapshots_asked - before <= 1
    await asyncio.gather(*(socket.close() for socket in sockets))


async def test_browser_is_told_and_goes_on_when_the_engine_goes_and_comes_back(following: Stage) -> None:
    async with live(following, Role.SUPERVISOR) as socket:
        await frame(socket, "snapshot")
        await following.engine.stop()
        assert (await frame(socket, "engine"))["state"] == "away"
        await following.engine.start()
        assert (await frame(socket, "engine"))["state"] == "connected"
        await following.engine.until_followed()
        await following.engine.tell(OPENED)
        assert (await frame(socket, "facts"))["facts"][0]["call"] == "c1"


async def test_snapshot_comes_as_soon_as_there_is_one_when_the_engine_was_away(stage: Stage) -> None:
    await stage.engine.stop()
    running = asyncio.create_task(stage.context.feed.run())
    async with live(stage, Role.SUPERVISOR) as socket:
        assert (await frame(socket, "engine"))["state"] == "away"
        await stage.engine.start()
        assert len((await frame(socket, "snapshot"))["snapshot"]["operators"]) == 2
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_socket_is_closed_when_the_session_ends(following: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_module, "BEAT_SECONDS", 0.05)
    async with live(following, Role.SUPERVISOR) as socket:
        await frame(socket, "snapshot")
        await following.change("supervisor", active=False)
        assert await closed(socket) == CloseCode.SIGNED_OUT


async def test_browser_is_cut_off_when_it_does_not_keep_up(following: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "QUEUED_AT_MOST", 0)
    async with live(following, Role.SUPERVISOR) as socket:
        await frame(socket, "snapshot")
        await following.engine.tell(OPENED)
        assert await closed(socket) == CloseCode.TOO_SLOW
    assert b"callflow_web_live_cut_off_total 1.0" in following.context.metrics.text()


async def test_nobody_follows_when_not_signed_in_or_from_another_site_or_not_permitted(following: Stage) -> None:
    async def status(**headers: str) -> int:
        with pytest.raises(WSServerHandshakeError) as refused:
            await following.client.ws_connect("/api/v1/live", headers=headers)
        return refused.value.status

    assert await status() == 401
    await following.sign_in(Role.SUPERVISOR)
    assert await status(Origin="https://elsewhere.example") == 403
    await following.sign_in(Role.SERVICE)
    assert await status() == 403


async def test_socket_ends_when_the_browser_leaves(following: Stage) -> None:
    async with live(following, Role.SUPERVISOR) as socket:
        await frame(socket, "snapshot")
        assert following.context.feed.readers == 1
    async with asyncio.timeout(5):
        await following.context.feed.until_readers(0)


async def test_socket_is_closed_for_good_reason_when_the_web_ends(following: Stage) -> None:
    async with live(following, Role.SUPERVISOR) as socket:
        await frame(socket, "snapshot")
        ending = asyncio.create_task(following.client.server.app.shutdown())  # type: ignore[attr-defined]
        assert await closed(socket) == CloseCode.GOING_AWAY
        await ending


async def test_plain_request_is_refused_when_it_is_no_websocket(stage: Stage) -> None:
    await stage.sign_in(Role.SUPERVISOR)
    assert (await stage.get("/live")).status == 422
