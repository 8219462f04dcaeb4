"""`callflow run`: all processes of an installation, or one of them."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from callflow import logs
from callflow.app import run_until_signalled
from callflow.app.agi import run_agi
from callflow.app.engine import start_engine
from callflow.app.worker import run_worker
from callflow.processes import Process, keep_running
from callflow.settings import Settings
from callflow.supervisor import Supervisor
from callflow.watchdog.start import start_watchdog
from callflow.web.server import run_web


def run(
    process: Annotated[Process | None, typer.Argument(help="Only this process; without it all of them.")] = None,
) -> None:
    """Run callflow until it is told to end. Each process ends and starts by itself; systemd needs only this command."""
    os.umask(0o077)  # recordings, journal and database are nobody else's on this machine
    settings = Settings()
    logs.configure(settings.log_level, process=str(process or "run"))
    match process:
        case Process.ENGINE:
            start_engine()
        case Process.WORKER:
            run_until_signalled(run_worker(settings))
        case Process.WEB:
            run_until_signalled(run_web(settings))
        case Process.WATCHDOG:
            start_watchdog()
        case Process.AGI:
            run_until_signalled(run_agi(settings))
        case None:
            run_until_signalled(_supervise(settings))


async def _supervise(settings: Settings) -> None:
    supervisor = Supervisor({})
    try:
        for process in Process:
            keep_running(supervisor, process, settings)
        await supervisor.wait()
    finally:
        await supervisor.close()
