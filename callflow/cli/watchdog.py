"""`callflow watchdog`: looks after callers while no engine is in charge."""

from __future__ import annotations

from callflow.watchdog.start import start_watchdog


def watchdog() -> None:
    """Watch the engine until told to end; `callflow run` keeps this process running. See docs/OPERATE.md."""
    start_watchdog()
