"""`callflow agi`: tells dialplans of other systems what is known of a caller."""

from __future__ import annotations

import os

from callflow import logs
from callflow.app import run_until_signalled
from callflow.app.agi import run_agi
from callflow.settings import Settings


def agi() -> None:
    """Serve FastAGI until told to end; `callflow run` keeps this process running. See docs/AGI.md."""
    os.umask(0o077)
    settings = Settings()
    logs.configure(settings.log_level, process="agi")
    run_until_signalled(run_agi(settings))
