"""How the watchdog's process starts: light, and with one clear line when it cannot."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = (
    "sqlalchemy",
    "alembic",
    "typer",
    "callflow.app",
    "callflow.journal",
    "callflow.core.switchboard",
    "callflow.cli",
)


@pytest.mark.parametrize("command", [["run", "watchdog"], ["watchdog"]])
def test_watchdog_says_what_is_missing_and_loads_nothing_else_when_there_is_no_password(
    command: list[str], tmp_path: Path
) -> None:
    ended = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "callflow", *command],
        env=os.environ | {"CALLFLOW_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 1
    lines = ended.stderr.splitlines()
    loaded = {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")}
    [told] = [line for line in lines if not line.startswith("import time:")]
    assert told.startswith("callflow: ")
    assert "ari_password" in told
    assert loaded.isdisjoint(HEAVY)
