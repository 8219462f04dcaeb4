"""Nobody is lost in any phase of a call when the engine is killed, or freezes, while people call."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..chaos.faults import chosen  # noqa: TID252
from ..chaos.report import as_document  # noqa: TID252
from ..chaos.run import run_matrix  # noqa: TID252
from ..chaos.scene import Phase  # noqa: TID252

MOST_LIMBO_SECONDS = 10.0
TALK_SILENCE_SECONDS = 1.0
LEAST_BACKGROUND = 5
RECOVERED_SECONDS = 12.0
"""A frozen engine was frozen for eight."""


@pytest.mark.alone  # limbo is measured, and scenes have their times
async def test_nobody_is_lost_in_any_phase_when_faults_strike(tmp_path: Path) -> None:
    cells = await run_matrix(tmp_path, chosen("", short=True), tuple(Phase))

    found = as_document(cells)
    assert (found["lost"], found["rows_lost"]) == (0, 0), [cell for cell in cells if cell.why]
    for fault in chosen("", short=True):
        callers = {cell.phase: cell.callers for cell in cells if cell.fault == fault.name}
        assert callers.pop("background") >= LEAST_BACKGROUND
        assert callers == dict.fromkeys(Phase, 1)
    talking = [cell for cell in cells if cell.phase in {Phase.TALKING, Phase.THREE_WAY}]
    assert max(cell.longest_limbo_seconds for cell in talking) < TALK_SILENCE_SECONDS
    assert max(cell.longest_limbo_seconds for cell in cells) < MOST_LIMBO_SECONDS
    assert all(cell.recovery_seconds is not None and cell.recovery_seconds < RECOVERED_SECONDS for cell in cells)
