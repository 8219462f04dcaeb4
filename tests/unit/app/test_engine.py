"""How the engine's process starts: light, and with one clear line when it cannot."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from callflow.app.checkpoints import Checkpoints
from callflow.core.state import State
from callflow.core.switchboard import Switchboard
from callflow.engine.loop import EngineLoop

from ..engine.outside import MemoryJournal, WatchedExecutor  # noqa: TID252 the tests are no package
from ..engine.virtual_time import VirtualClock  # noqa: TID252 the tests are no package

HEAVY = (
    "sqlalchemy",
    "alembic",
    "numpy",
    "soundfile",
    "typer",
    "cryptography",
    "callflow.cli",
    "callflow.web",
    "callflow.demo",
)


def test_engine_says_what_is_missing_and_loads_nothing_that_it_does_not_need_when_there_is_no_centre(
    tmp_path: Path,
) -> None:
    ended = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "callflow", "run", "engine"],
        env=os.environ | {"CALLFLOW_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 1
    lines = ended.stderr.splitlines()
    loaded = {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")}
    told = [line for line in lines if not line.startswith("import time:")]
    assert told[0].startswith("callflow: ")
    assert "centre.toml" in told[0]
    assert loaded.isdisjoint(HEAVY)


async def test_engine_serves_on_when_its_state_cannot_be_put_into_a_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def defect(seq: int, state: State, at: object) -> bytes:
        raise RecursionError

    monkeypatch.setattr("callflow.app.checkpoints.encode_checkpoint", defect)
    loop = EngineLoop(Switchboard(), MemoryJournal(), WatchedExecutor(), VirtualClock(), 0)
    await Checkpoints(loop, MemoryJournal(), tmp_path / "checkpoints", VirtualClock()).write()  # type: ignore[arg-type]
    assert not (tmp_path / "checkpoints").exists()
