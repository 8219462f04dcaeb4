from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from callflow.supervisor import STAY_ENDED, Supervisor

PATIENCE_SECONDS = 30.0


class Watched:
    """A supervisor whose changes can be waited for."""

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self.supervisor = Supervisor({"PYTHONUNBUFFERED": "1"}, self.changed.set)

    async def pid(self, name: str, *, other_than: int | None = None) -> int:
        """The pid of the running child, once it is another than this."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (pid := self.supervisor.pids.get(name, other_than)) in {None, other_than}:
                self.changed.clear()
                await self.changed.wait()
        assert pid is not None
        return pid


@pytest_asyncio.fixture
async def watched() -> AsyncIterator[Watched]:
    watched = Watched()
    yield watched
    await watched.supervisor.close()
    assert watched.supervisor.pids == {}


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_child_is_started_again_when_it_is_killed(watched: Watched) -> None:
    watched.supervisor.start("help", ("--help",))
    first = await watched.pid("help")
    os.kill(first, signal.SIGKILL)  # it has not been waited for, so the pid is still its own
    assert await watched.pid("help", other_than=first) != first


async def test_child_is_gone_and_stays_so_when_it_was_stopped(watched: Watched) -> None:
    watched.supervisor.start("help", ("--help",))
    pid = await watched.pid("help")
    watched.changed.clear()
    await watched.supervisor.stop("help")
    assert watched.supervisor.pids == {}
    assert not alive(pid)
    assert watched.changed.is_set()


async def test_stopping_is_no_fault_when_there_is_no_such_child(watched: Watched) -> None:
    await watched.supervisor.stop("nobody")


async def test_others_go_on_when_one_keeps_failing(watched: Watched) -> None:
    watched.supervisor.start("wrong", ("no-such-command",))
    watched.supervisor.start("also", ("--help",))
    wrong, also = await watched.pid("wrong"), await watched.pid("also")
    assert await watched.pid("wrong", other_than=wrong)
    assert await watched.pid("also", other_than=also)


async def test_child_is_not_started_again_when_it_ends_for_good(tmp_path: Path) -> None:
    package = tmp_path / "callflow"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(
        f"import pathlib, sys\nwith pathlib.Path({str(tmp_path / 'starts')!r}).open('a') as file:\n"
        "    file.write('x')\n"
        f"sys.exit({STAY_ENDED})\n"
    )
    supervisor = Supervisor({"PYTHONPATH": str(tmp_path), "PYTHONSAFEPATH": "1"})
    supervisor.start("engine", ())
    await asyncio.wait_for(supervisor.wait(), 20)
    assert (tmp_path / "starts").read_text() == "x"
    assert supervisor.pids == {}
