"""Starts the watchdog's process with nothing but what it needs: of all processes it is to be there first."""

from __future__ import annotations

import os
import sys

from callflow import logs
from callflow.errors import CallflowError
from callflow.settings import Settings
from callflow.watchdog.process import run_watchdog


def start_watchdog() -> None:
    """Watch until told to end; an error of ours is one clear line and exit code 1."""
    os.umask(0o077)
    try:
        settings = Settings()
        logs.configure(settings.log_level, process="watchdog")
        run_watchdog(settings)
    except CallflowError as error:
        sys.stderr.write(f"callflow: {error}\n")
        sys.exit(1)
