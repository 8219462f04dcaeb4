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


def children_run(program: str, directory: Path) -> dict[str, str]:
    """The environment in which `python -m callflow` runs this program."""
    package = directory / "callflow"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(program)
    return {"PYTHONPATH": str(directory), "PYTHONSAFEPATH": "1"}


async def test_each_child_is_waited_for_when_another_ended_before_it(tmp_path: Path) -> None:
    may_end, ready = tmp_path / "may_end", tmp_path / "ready"
    os.mkfifo(may_end)
    os.mkfifo(ready)
    environment = children_run(
        "import signal, sys\n"
        "def slowly(*_):\n"
        f"    open({str(may_end)!r}).read()\n"
        "    sys.exit(0)\n"
        "if sys.argv[1] == 'slow':\n"
        "    signal.signal(signal.SIGTERM, slowly)\n"
        f"open({str(ready)!r}, 'w').close()\n"
        "while True:\n"
        "    signal.pause()\n",
        tmp_path,
    )
    changed = asyncio.Event()
    supervisor = Supervisor(environment, changed.set)

    async def run() -> None:
        try:
            await supervisor.wait()
        finally:
            await supervisor.close()

    for name in ("quick", "slow"):
        supervisor.start(name, (name,))
        await asyncio.to_thread(ready.read_bytes)
    slow = supervisor.pids["slow"]
    running = asyncio.create_task(run())
    await asyncio.sleep(0)  # it waits now
    running.cancel()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while "quick" in supervisor.pids:
            changed.clear()
            await changed.wait()
        await asyncio.to_thread(may_end.write_bytes, b"")
        await asyncio.wait([running])
    assert running.cancelled()
    assert not alive(slow)
    assert supervisor.pids == {}


async def test_child_is_not_started_again_when_it_ends_for_good(tmp_path: Path) -> None:
    environment = children_run(
        f"import pathlib, sys\nwith pathlib.Path({str(tmp_path / 'starts')!r}).open('a') as file:\n"
        "    file.write('x')\n"
        f"sys.exit({STAY_ENDED})\n",
        tmp_path,
    )
    supervisor = Supervisor(environment)
    supervisor.start("engine", ())
    await asyncio.wait_for(supervisor.wait(), 20)
    assert (tmp_path / "starts").read_text() == "x"
    assert supervisor.pids == {}
