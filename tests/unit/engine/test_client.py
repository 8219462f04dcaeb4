"""The client against the engine's own port: what one says, the other understands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from callflow.core.city import CentreSettings, OperatorProfile
from callflow.core.commands import Refusal
from callflow.core.events import CallArrived, Caller, OperatorChanged, SettingsChanged
from callflow.core.ids import CallId, CentreId, ChannelId, EndpointName, OperatorId
from callflow.core.switchboard import Switchboard
from callflow.engine.client import EngineAway, EngineClient, FlowRefused, RequestRefused
from callflow.engine.clock import Clock
from callflow.engine.loop import EngineLoop
from callflow.engine.port import Port, PortContext
from callflow.flows.default import default_flow_text
from callflow.journal.codec import decode_event, encode_fact
from callflow.media.manifest import DEFAULT_MANIFEST, load_manifest
from callflow.web.feed import Feed

from .outside import MemoryJournal, WatchedExecutor

AT = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


@dataclass
class Engine:
    """A loop with its port, and a client of it."""

    loop: EngineLoop
    port: Port
    client: EngineClient

    async def call_arrives(self, call: str) -> int:
        return await self.loop.settled(
            CallArrived(
                at=AT,
                call=CallId(call),
                channel=ChannelId(call),
                arrived_at=AT,
                caller=Caller(number="+6281234567890", raw="081234567890"),
                dialled="112",
                trunk="telkom",
                step=None,
            )
        )


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    clock = Clock()
    loop = EngineLoop(Switchboard(), MemoryJournal(), WatchedExecutor(), clock, 0)
    port = Port(
        PortContext(
            loop=loop,
            clock=clock,
            encode_fact=encode_fact,
            decode_report=decode_event,
            prompts=lambda: load_manifest(DEFAULT_MANIFEST).names(),
            centre_changes=lambda: (),
            health=lambda: {"ari": "connected"},
            metrics=lambda: b"callflow_calls 0\n",
        ),
        tmp_path / "engine.sock",
    )
    await port.start()
    running = asyncio.create_task(loop.run())
    await loop.settled(SettingsChanged(at=AT, settings=CentreSettings(centre=CentreId("bwi"), zone="Asia/Jakarta")))
    profile = OperatorProfile(operator=OperatorId("siti"), name="Siti", endpoint=EndpointName("op-siti"))
    await loop.settled(OperatorChanged(at=AT, profile=profile))
    async with EngineClient(tmp_path / "engine.sock", answer_within_seconds=5.0) as client:
        yield Engine(loop, port, client)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    await port.close()


async def test_operator_is_moved_and_the_snapshot_shows_it_when_asked_for(engine: Engine) -> None:
    seq = await engine.client.request("sign_in", "siti")
    snapshot = await engine.client.snapshot()
    assert snapshot["seq"] >= seq
    assert [(entry["operator"], entry["state"]) for entry in snapshot["operators"]] == [("siti", "available")]


@pytest.mark.parametrize(
    ("operator", "refusal"), [("siti", Refusal.NOT_SIGNED_IN), ("nobody", Refusal.UNKNOWN_OPERATOR)]
)
async def test_refusal_is_raised_when_the_core_says_no(engine: Engine, operator: str, refusal: Refusal) -> None:
    with pytest.raises(RequestRefused) as refused:
        await engine.client.request("pause", operator, reason="sholat")
    assert refused.value.refusal is refusal


async def test_version_comes_back_when_a_flow_is_published_and_problems_when_it_is_refused(engine: Engine) -> None:
    assert await engine.client.publish_flow(default_flow_text(), "adi") == 1
    with pytest.raises(FlowRefused) as refused:
        await engine.client.publish_flow("{}", "adi")
    assert refused.value.problems


async def test_facts_follow_the_snapshot_when_following(engine: Engine) -> None:
    async with asyncio.timeout(5), engine.client.following() as frames:
        assert "snapshot" in await anext(frames)
        seq = await engine.call_arrives("c1")
        frame = await anext(frames)
        assert frame["seq"] == seq
        opened = next(fact for fact in frame["facts"] if fact["type"] == "CallOpened")
        assert opened["caller"] == {"number": "+6281234567890", "raw": "081234567890"}


async def test_only_what_was_missed_comes_when_following_again(engine: Engine) -> None:
    async with asyncio.timeout(5), engine.client.following() as frames:
        seen = (await anext(frames))["seq"]
    await engine.call_arrives("c1")
    async with asyncio.timeout(5), engine.client.following(seen) as frames:
        frame = await anext(frames)
        assert frame["seq"] > seen
        assert "facts" in frame


async def test_feed_shows_the_same_calls_when_it_follows_the_real_port(engine: Engine) -> None:
    feed = Feed(engine.client)
    running = asyncio.create_task(feed.run())
    async with asyncio.timeout(5):
        await feed.until(connected=True)
        with feed.reading() as reader:
            await engine.call_arrives("c1")
            while (item := await reader.get()) is not None and "facts" not in item:
                pass
        assert list(feed.calls) == ["c1"]
        present = await feed.present()
        later = feed.since(present["seq"])
        assert later is not None
        told = [fact for frame in later for fact in frame["facts"] if fact["type"] == "CallOpened"]
        assert [call["call"] for call in [*present["calls"], *told]] == ["c1"]
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_health_and_figures_are_told_when_asked_for(engine: Engine) -> None:
    assert (await engine.client.health())["ari"] == "connected"
    assert await engine.client.metrics() == b"callflow_calls 0\n"


async def test_engine_is_away_when_its_port_is_closed(engine: Engine) -> None:
    await engine.port.close()
    for ask in (
        engine.client.snapshot(),
        engine.client.health(),
        engine.client.metrics(),
        engine.client.request("sign_in", "siti"),
    ):
        with pytest.raises(EngineAway):
            await ask
    with pytest.raises(EngineAway):
        async with engine.client.following():
            pytest.fail("there is nothing to follow")


async def test_engine_is_away_when_it_ends_while_being_followed(engine: Engine) -> None:
    async with asyncio.timeout(10), engine.client.following() as frames:
        await anext(frames)
        closing = asyncio.create_task(engine.port.close())
        with pytest.raises(EngineAway):
            await anext(frames)
    await closing
