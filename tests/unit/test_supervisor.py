from __future__ import annotations

import asyncio
import itertools
import math
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
import pytest_asyncio

from callflow import supervisor as supervisor_module
from callflow.supervisor import STAY_ENDED, Supervisor, Turns

PATIENCE_SECONDS = 30.0


class Watched:
    """A supervisor whose changes can be waited for."""

    def __init__(self, environment: Mapping[str, str] | None = None, *, logs: Path | None = None) -> None:
        self.changed = asyncio.Event()
        self.supervisor = Supervisor(environment or {"PYTHONUNBUFFERED": "1"}, self.changed.set, logs=logs)

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


STANDS = "import signal\nwhile True:\n    signal.pause()\n"


async def test_others_go_on_when_one_keeps_failing(tmp_path: Path) -> None:
    watched = Watched(children_run(f"import sys\nif sys.argv[1:] == ['wrong']:\n    sys.exit(2)\n{STANDS}", tmp_path))
    watched.supervisor.start("wrong", ("wrong",))
    watched.supervisor.start("well", ())
    well = await watched.pid("well")
    wrong = await watched.pid("wrong")
    assert await watched.pid("wrong", other_than=wrong)
    assert watched.supervisor.pids["well"] == well
    await watched.supervisor.close()


@pytest.mark.parametrize("frozen", [0.01, math.inf])
async def test_child_that_stands_still_is_killed_and_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, frozen: float
) -> None:
    monkeypatch.setattr(supervisor_module, "STARTING_SECONDS", 0.1)
    monkeypatch.setattr(supervisor_module, "FROZEN_LOOK_SECONDS", 0.05)
    watched = Watched(children_run(STANDS, tmp_path))
    still = 0.0
    watched.supervisor.start("engine", (), turns=Turns(lambda: still, 0.0))
    first = await watched.pid("engine")
    os.kill(first, signal.SIGSTOP)
    still = frozen
    assert await watched.pid("engine", other_than=first) != first
    await watched.supervisor.close()


@pytest.mark.parametrize("looks", [[0.01, 0.0], [None], [1e9], [math.inf]])
async def test_child_is_left_when_it_turned_meanwhile_or_that_is_not_known_or_was_before_its_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, looks: list[float | None]
) -> None:
    monkeypatch.setattr(supervisor_module, "FROZEN_LOOK_SECONDS", 0.01)
    watched = Watched(children_run(STANDS, tmp_path))
    looked, enough = itertools.cycle(looks), asyncio.Event()
    left = itertools.count(1)

    def look() -> float | None:
        if next(left) >= 20:
            enough.set()
        return next(looked)

    watched.supervisor.start("engine", (), turns=Turns(look, 0.0))
    first = await watched.pid("engine")
    await asyncio.wait_for(enough.wait(), PATIENCE_SECONDS)
    assert watched.supervisor.pids["engine"] == first
    await watched.supervisor.close()


async def test_child_is_started_when_it_could_not_be_before_and_the_others_go_on(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.write_text("a file stands where the directory is to be")
    watched = Watched(children_run(STANDS, tmp_path), logs=logs)
    watched.supervisor.start("engine", ())
    waiting = asyncio.create_task(watched.supervisor.wait())
    done, _ = await asyncio.wait({waiting}, timeout=0.5)
    assert not done
    logs.unlink()
    assert await watched.pid("engine")
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await watched.supervisor.close()


async def test_children_run_on_when_nobody_can_be_told_of_a_change(tmp_path: Path) -> None:
    watched = Watched(children_run(STANDS, tmp_path))

    def told() -> None:
        watched.changed.set()
        raise OSError(28, "No space left on device")

    watched.supervisor.on_change = told
    watched.supervisor.start("engine", ())
    pid = await watched.pid("engine")
    assert alive(pid)
    await watched.supervisor.close()
    assert not alive(pid)


async def test_watchdog_ends_with_an_engine_that_ends_for_good(tmp_path: Path) -> None:
    program = f"import signal, sys\nif sys.argv[1:] == ['engine']:\n    sys.exit({STAY_ENDED})\n{STANDS}"
    watched = Watched(children_run(program, tmp_path))
    watched.supervisor.start("watchdog", ("watchdog",), ends_with="engine")
    watched.supervisor.start("worker", ("worker",))
    watchdog, worker = await watched.pid("watchdog"), await watched.pid("worker")
    watched.supervisor.start("engine", ("engine",))
    async with asyncio.timeout(PATIENCE_SECONDS):
        while {"watchdog", "engine"} & watched.supervisor.pids.keys() or alive(watchdog):
            watched.changed.clear()
            await watched.changed.wait()
    assert watched.supervisor.pids == {"worker": worker}
    await watched.supervisor.close()


async def test_good_end_is_not_cut_short_when_the_signal_comes_twice(tmp_path: Path) -> None:
    may_end, told = tmp_path / "may_end", tmp_path / "told"
    os.mkfifo(may_end)
    os.mkfifo(told)
    program = (
        "import asyncio, pathlib\n"
        "from callflow.app import run_until_signalled\n"
        "async def main():\n"
        "    try:\n"
        f"        pathlib.Path({str(told)!r}).write_text('running')\n"
        "        await asyncio.Event().wait()\n"
        "    finally:\n"
        f"        await asyncio.to_thread(pathlib.Path({str(told)!r}).write_text, 'ending')\n"
        f"        await asyncio.to_thread(pathlib.Path({str(may_end)!r}).read_bytes)\n"
        "        print('in good order')\n"
        "run_until_signalled(main())\n"
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    assert await asyncio.to_thread(told.read_text) == "running"
    process.terminate()
    assert await asyncio.to_thread(told.read_text) == "ending"
    process.terminate()
    await asyncio.to_thread(may_end.write_bytes, b"")
    output, _ = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)
    assert output.decode().splitlines()[0] == "in good order"
    assert process.returncode == 0
