"""Engines that cannot start on what they know, as real processes: the third one begins empty and serves."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest_asyncio
from aiohttp import web

from callflow.ari.protocol import models
from callflow.centre import load_centre
from callflow.core.events import CallArrived, Caller
from callflow.core.ids import ChannelId, OfferId
from callflow.core.state import State
from callflow.core.states import CallState
from callflow.core.switchboard import Switchboard
from callflow.demo.layout import Layout, lay_out
from callflow.demo.stage import environment
from callflow.engine.city import differences
from callflow.engine.client import EngineAway, EngineClient
from callflow.engine.heartbeat import HeartbeatReader
from callflow.journal.checkpoint import write_checkpoint
from callflow.journal.files import chain_path
from callflow.journal.reader import read_birth
from callflow.journal.verify import verify_journal

from ..asterisk.aftermath import STRAIGHT_TO_PEOPLE  # noqa: TID252 the tests are no package
from ..unit.ari.fake_server import APPLICATION, FakeAsterisk, fake_asterisk  # noqa: TID252 the tests are no package
from ..unit.ari.samples import CALL, channel, sample  # noqa: TID252 the tests are no package

PATIENCE_SECONDS = 30.0


class AsteriskWithCaller(FakeAsterisk):
    """An Asterisk that has one caller of ours, alone."""

    async def rest(self, request: web.Request) -> web.StreamResponse:
        caller = channel()
        application = APPLICATION | {"channel_ids": [caller["id"]]}
        known = {"channels": [caller], "bridges": [], f"applications/{APPLICATION['name']}": application}
        path = request.path.removeprefix("/ari/")
        if path in known and any(not socket.closed for socket in self.sockets):
            return web.json_response(known[path])
        return await super().rest(request)

    async def answer(self, asked: dict[str, Any], status: int = 204, body: Any = None) -> None:
        if asked["method"] == "POST" and asked["uri"].startswith("bridges"):
            status, body = 200, sample(models.Bridge)
        elif asked["method"] == "POST" and asked["uri"].startswith("applications"):
            status, body = 200, APPLICATION
        await super().answer(asked, status, body)


@dataclass
class Engines:
    """One installation's engines, one after the other."""

    layout: Layout
    ari_url: str = "http://127.0.0.1:9/ari"
    started: list[Process] = field(default_factory=list)

    async def start(self) -> Process:
        chosen = environment(self.layout) | {
            "CALLFLOW_ARI_URL": self.ari_url,
            "CALLFLOW_ARI_USER": "engine",
            "CALLFLOW_ENGINE_ID": "a",
        }
        with (self.layout.settings.data_dir / "engine.log").open("ab") as log:
            engine = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "callflow", "run", "engine"),
                env=os.environ | chosen,
                stdin=DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.started.append(engine)
        return engine

    async def health(self) -> dict[str, Any]:
        """What the engine says of itself, once it answers."""
        async with asyncio.timeout(PATIENCE_SECONDS), EngineClient(self.layout.settings.engine_socket) as client:
            while True:
                with suppress(EngineAway):
                    return dict(await client.health())
                await asyncio.sleep(0.05)

    async def in_charge(self) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (await self.health())["in_charge"]:  # noqa: ASYNC110 - another process sets no event of ours
                await asyncio.sleep(0.05)

    async def snapshot(self) -> dict[str, Any]:
        async with EngineClient(self.layout.settings.engine_socket) as client:
            return dict(await client.snapshot())

    async def publish(self, document: str) -> int:
        async with EngineClient(self.layout.settings.engine_socket) as client:
            return int(await client.publish_flow(document, "admin"))

    async def end(self) -> None:
        for engine in self.started:
            if engine.returncode is None:
                engine.send_signal(signal.SIGTERM)
            await engine.wait()


@pytest_asyncio.fixture
async def engines(tmp_path: Path) -> AsyncIterator[Engines]:
    layout = lay_out(tmp_path)
    settings = layout.settings
    settings.centre_path.write_text(layout.centre_toml())
    settings.secrets_dir.mkdir()
    settings.prompts_dir.mkdir()
    secret = settings.secrets_dir / "ari_password"
    secret.touch(mode=0o600)
    secret.write_text("a pass:wörd")
    engines = Engines(layout)
    yield engines
    await engines.end()


async def test_engine_begins_empty_with_its_flow_when_two_were_killed_while_they_read_what_was_known(
    engines: Engines,
) -> None:
    settings = engines.layout.settings
    first = await engines.start()
    await engines.health()
    assert await engines.publish(STRAIGHT_TO_PEOPLE) == 2
    known = (await engines.health())["seq"]
    first.send_signal(signal.SIGTERM)
    await first.wait()
    poisoned = max(settings.checkpoints_dir.glob("checkpoint-*.json"))
    poisoned.unlink()
    os.mkfifo(poisoned)  # whoever reads it reads for ever
    for _ in range(2):
        engine = await engines.start()
        await asyncio.to_thread(_until_read, poisoned)
        engine.kill()
        await engine.wait()
    assert settings.engine_starts_path.read_text() == "0002\n"
    await engines.start()
    health = await engines.health()
    assert health["seq"] > known
    snapshot = await engines.snapshot()
    (alarm,) = (one for one in snapshot["alarms"] if one["kind"] == "started_empty")
    assert "the flow in force was kept" in alarm["detail"]
    assert poisoned.name in alarm["detail"]
    assert poisoned.with_name(f"{poisoned.name}.aside").is_fifo()
    assert snapshot["flow_version"] == 2
    assert read_birth(chain_path(settings.journal_dir, "engine")).first > 1
    assert verify_journal([settings.journal_dir], settings.journal_dir / "heads", None).findings == ()


def _until_read(fifo: Path) -> None:
    """Until somebody has opened it to read."""
    os.close(os.open(fifo, os.O_WRONLY))


async def test_nothing_is_forgotten_when_engines_are_killed_while_they_wait_for_asterisk(engines: Engines) -> None:
    first = await engines.start()
    await engines.health()
    assert await engines.publish(STRAIGHT_TO_PEOPLE) == 2
    first.kill()
    await first.wait()
    for _ in range(2):
        engine = await engines.start()
        await engines.health()
        engine.kill()
        await engine.wait()
    await engines.start()
    await engines.health()
    snapshot = await engines.snapshot()
    assert snapshot["flow_version"] == 2
    assert "started_empty" not in {alarm["kind"] for alarm in snapshot["alarms"]}


def poisoned_state(engines: Engines) -> State:
    """What makes the core raise on every snapshot: a call whose person is nobody that it knows."""
    centre = load_centre(engines.layout.settings.centre_path)
    board, now = Switchboard(), datetime.now(UTC)
    for event in differences(board.state, centre.settings(), centre.operator_profiles(), centre.roster(), now):
        board.handle(event)
    caller = Caller(number="+6281200001", raw="081200001")
    board.handle(
        CallArrived(
            at=now,
            call=CALL,
            channel=ChannelId(channel()["id"]),
            caller=caller,
            dialled="112",
            trunk="trunk-telco",
            arrived_at=now,
        )
    )
    call = board.state.calls[CALL]
    board.state.calls[CALL] = replace(call, state=CallState.CONNECTED, person=OfferId(f"{CALL}.o1"))
    return board.state


async def test_engine_begins_empty_when_the_core_raises_on_every_snapshot(engines: Engines) -> None:
    settings = engines.layout.settings
    heartbeat = HeartbeatReader(settings.heartbeat_path)
    write_checkpoint(settings.checkpoints_dir, 1, poisoned_state(engines), datetime.now(UTC))
    async with fake_asterisk(AsteriskWithCaller()) as asterisk:
        engines.ari_url = asterisk.url
        for _ in range(2):
            engine = await engines.start()
            await engine.wait()
            assert engine.returncode == 1
            assert heartbeat.age_seconds() is None
        await engines.start()
        await engines.in_charge()
        snapshot = await engines.snapshot()
        assert "started_empty" in {alarm["kind"] for alarm in snapshot["alarms"]}
        assert [(call["call"], call["state"]) for call in snapshot["calls"]] == [(CALL, "queued")]
        await asyncio.to_thread(_until_content, settings.engine_starts_path, "0000\n")
        age = heartbeat.age_seconds()
        assert age is not None
        assert age < 3.0


def _until_content(path: Path, content: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while path.read_text() != content:
        assert time.monotonic() < deadline
        time.sleep(0.05)


async def test_death_of_an_engine_is_an_alarm_of_the_next_and_its_end_in_good_order_is_none(engines: Engines) -> None:
    async with fake_asterisk(AsteriskWithCaller()) as asterisk:
        engines.ari_url = asterisk.url
        told = []
        for end in (signal.SIGTERM, signal.SIGKILL, signal.SIGTERM):
            engine = await engines.start()
            await engines.in_charge()
            told.append("engine_died" in {alarm["kind"] for alarm in (await engines.snapshot())["alarms"]})
            engine.send_signal(end)
            await engine.wait()
        assert told == [False, False, True]
