"""Callers who go on coming while faults strike: SIPp, at a steady rate; each hears the greeting and hangs up by itself.

They never reach a person, so they take nobody from the probed callers. They show how soon an engine serves new callers
again, and each must have been answered, not been hung up on, and have one record.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import soundfile

from callflow.demo.layout import CALLERS_BIND, Layout

from ..asterisk.sipp import Scenario, SippCall, SippCallers, sipp_callers  # noqa: TID252

A_SECOND: Final = 2.0
STAY_SECONDS: Final = 3.0
_ENOUGH: Final = 600
OWN_END: Final = frozenset({"hung_up", "gave_up"})


@dataclass(slots=True)
class Background:
    """Where the callers' numbers come from: none comes twice."""

    layout: Layout
    folder: Path
    _runs: Iterator[int]

    @asynccontextmanager
    async def going_on(self) -> AsyncIterator[SippCallers]:
        """Callers come until the block ends."""
        run = next(self._runs)
        settings = self.layout.settings
        async with sipp_callers(
            Scenario.CALL,
            (settings.trunk_host, settings.trunk_port),
            self.folder / f"background-{run}",
            callers=[f"0817{run:03d}{number:05d}" for number in range(_ENOUGH)],
            rate_per_second=A_SECOND,
            bind=CALLERS_BIND,
            hold_seconds=STAY_SECONDS,
            media=voice(self.folder / "voice.ulaw"),
        ) as callers:
            yield callers


def background(layout: Layout, folder: Path) -> Background:
    """Callers for one installation."""
    return Background(layout, folder, itertools.count(1))


def voice(path: Path) -> Path:
    """A second of a 440 Hz tone, as SIPp streams it: raw mu-law."""
    if not path.exists():
        tone = 0.25 * np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, tone, 8000, format="RAW", subtype="ULAW")
    return path


def lost(calls: tuple[SippCall, ...]) -> list[str]:
    """What was wrong with each caller who did not end the call alone, or was never answered."""
    return [
        f"SIPp's caller {call.call_id}: {call.ended_by or 'no end'}, answered {call.answered_at is not None}"
        for call in calls
        if call.ended_by not in OWN_END or call.answered_at is None
    ]
