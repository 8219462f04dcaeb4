"""`callflow run`: all processes of an installation, or one of them."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import Annotated

import typer

from callflow import app, logs
from callflow.settings import Settings
from callflow.supervisor import STAY_ENDED, Supervisor
from callflow.web.server import run_web


class Process(StrEnum):
    """The processes that `callflow run` keeps running."""

    ENGINE = "engine"
    WORKER = "worker"
    WEB = "web"
    AGI = "agi"


def run(
    process: Annotated[Process | None, typer.Argument(help="Only this process; without it all of them.")] = None,
) -> None:
    """Run callflow until it is told to end. Each process ends and starts by itself; systemd needs only this command."""
    os.umask(0o077)  # recordings, journal and database are nobody else's on this machine
    settings = Settings()
    logs.configure(settings.log_level, process=str(process or "run"))
    match process:
        case Process.ENGINE:
            engine = app.Engine(settings)
            app.run_until_signalled(engine.run())
            if engine.fenced:
                raise typer.Exit(STAY_ENDED)
        case Process.WORKER:
            app.run_until_signalled(app.run_worker(settings))
        case Process.WEB:
            app.run_until_signalled(run_web(settings))
        case Process.AGI:
            app.run_until_signalled(app.run_agi(settings))
        case None:
            app.run_until_signalled(_supervise())


async def _supervise() -> None:
    supervisor = Supervisor({})
    try:
        for process in Process:
            supervisor.start(process, ("run", process))
        await supervisor.wait()
    finally:
        await supervisor.close()
