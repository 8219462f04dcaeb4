"""The processes of an installation, and what their supervisor has to know of each."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from callflow.engine.heartbeat import HeartbeatReader
from callflow.settings import Settings
from callflow.supervisor import LONGEST_PAUSE_SECONDS, Supervisor, Turns

_CALLERS_WAIT_SECONDS: Final = 3.0
"""The longest pause before another start of what callers wait for; a start costs a second of one core."""
_ENGINE_FROZEN_SECONDS: Final = 30.0
"""The watchdog sent its callers on after three seconds: this only brings the engine back."""
_WATCHDOG_FROZEN_SECONDS: Final = 5.0
"""Were both to freeze at once, callers would hear nothing for so long and the time of a start."""


class Process(StrEnum):
    """In the order in which they are started."""

    WATCHDOG = "watchdog"
    ENGINE = "engine"
    WORKER = "worker"
    WEB = "web"
    AGI = "agi"


def keep_running(supervisor: Supervisor, process: Process, settings: Settings) -> None:
    """Have the supervisor keep one of them running."""
    turns = {
        Process.ENGINE: Turns(HeartbeatReader(settings.heartbeat_path).turned_seconds, _ENGINE_FROZEN_SECONDS),
        Process.WATCHDOG: Turns(HeartbeatReader(settings.watchdog_turns_path).turned_seconds, _WATCHDOG_FROZEN_SECONDS),
    }
    supervisor.start(
        process.value,
        ("run", process.value),
        turns=turns.get(process),
        longest_pause_seconds=_CALLERS_WAIT_SECONDS if process in turns else LONGEST_PAUSE_SECONDS,
        # the watchdog of an engine that another one fenced would take that one's callers from it
        ends_with=Process.ENGINE.value if process is Process.WATCHDOG else None,
    )
