"""`callflow run` as systemd would start it: what is killed runs again, and all of it ends together."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest_asyncio

from callflow.demo.layout import Layout, lay_out
from callflow.demo.stage import environment
from callflow.engine.client import EngineAway, EngineClient
from callflow.storage.migrations import upgrade

PATIENCE_SECONDS = 30.0
LOOK_EVERY_SECONDS = 0.05
NAMES = {"watchdog", "engine", "worker", "web", "agi"}


class Running:
    """A running `callflow run`, without an Asterisk: the engine goes on trying to connect."""

    def __init__(self, layout: Layout, process: Process) -> None:
        self.layout = layout
        self.process = process

    def children(self) -> dict[str, int]:
        """The pid of each process that it keeps running, by name."""
        pid = self.process.pid
        with suppress(FileNotFoundError):
            born = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            return {words[-1]: int(child) for child in born if (words := _command_line(child))[-2:-1] == ["run"]}
        return {}

    async def all_serve(self) -> dict[str, int]:
        """Wait until every process is there and the engine answers; the pids."""

        async def ready() -> bool:
            return self.children().keys() == NAMES and await self._engine_answers()

        await until(ready)
        return self.children()

    async def _engine_answers(self) -> bool:
        async with EngineClient(self.layout.settings.engine_socket) as client:
            with suppress(EngineAway):
                return bool(await client.health())
        return False


def _command_line(pid: str) -> list[str]:
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0").split("\0")
    return [""]


def gone(pid: int) -> bool:
    """Whether the process is no more, or only waits to be reaped."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].startswith("Z")
    return True


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await holds():  # noqa: ASYNC110 - other processes set no event of ours
            await asyncio.sleep(LOOK_EVERY_SECONDS)


async def all_gone(pids: dict[str, int]) -> None:
    async def ended() -> bool:
        return all(gone(pid) for pid in pids.values())

    await until(ended)


@pytest_asyncio.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    layout = lay_out(tmp_path)
    settings = layout.settings
    settings.centre_path.write_text(layout.centre_toml())
    settings.secrets_dir.mkdir()
    secret = settings.secrets_dir / "ari_password"
    secret.touch(mode=0o600)
    secret.write_text("of no Asterisk")
    await upgrade(settings.database)
    with (tmp_path / "run.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "callflow", "run"),
            env=os.environ | environment(layout),
            stdin=DEVNULL,
            stdout=log,
            stderr=log,
        )
    running = Running(layout, process)
    yield running
    pids = running.children()
    with suppress(ProcessLookupError):
        process.kill()
    await process.wait()
    await all_gone(pids)


async def test_process_runs_again_when_it_was_killed_and_the_others_never_stopped(running: Running) -> None:
    before = await running.all_serve()
    os.kill(before["engine"], signal.SIGKILL)
    await all_gone({"engine": before["engine"]})
    after = await running.all_serve()
    assert after["engine"] != before["engine"]
    assert (after["web"], after["worker"]) == (before["web"], before["worker"])


async def test_all_end_when_it_is_told_to_end(running: Running) -> None:
    pids = await running.all_serve()
    running.process.terminate()
    assert await running.process.wait() == 0
    assert all(gone(pid) for pid in pids.values())
    assert not running.layout.settings.engine_socket.exists()


async def test_all_end_when_it_is_killed_itself(running: Running) -> None:
    pids = await running.all_serve()
    running.process.kill()
    await running.process.wait()
    await all_gone(pids)
