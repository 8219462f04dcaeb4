"""Runs the web process: builds it from the settings, serves until it is cancelled, and ends it in order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final

import structlog
from aiohttp import web

from callflow.asterisk.secret_files import kept_secret, make_secrets_dir
from callflow.centre.in_force import CentreInForce
from callflow.core.ids import CentreId
from callflow.engine.client import EngineClient
from callflow.journal.alarms import JournalAlarm
from callflow.journal.append import Journal
from callflow.permissions import PermissionTable
from callflow.settings import Settings
from callflow.storage.sessions import open_database, sessions_of
from callflow.storage.users import Account, list_accounts
from callflow.web.accesses import Accesses
from callflow.web.app import create_app
from callflow.web.auth import Auth
from callflow.web.context import WebContext
from callflow.web.database import Database
from callflow.web.directory import Directory
from callflow.web.feed import Feed
from callflow.web.metrics import Metrics
from callflow.web.passwords import Passwords
from callflow.web.sessions import EndedSessions, Seal
from callflow.web.throttle import Throttle

log = structlog.get_logger(__name__)

COOKIE_SECRET: Final = "web_cookie_key"  # noqa: S105 - the name of the file, not what is in it
SHUTDOWN_SECONDS: Final = 3.0


async def run_web(settings: Settings) -> None:
    """Serve until cancelled.

    Raises:
        ConfigurationError: the centre document or a secret is wrong. OSError: the address is taken.
    """
    async with build(settings) as (context, directory):
        runner = web.AppRunner(create_app(context), access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
        await runner.setup()
        try:
            await web.TCPSite(runner, settings.web_host, settings.web_port).start()
            log.info("web is listening", host=settings.web_host, port=settings.web_port)
            async with asyncio.TaskGroup() as group:
                group.create_task(context.feed.run(), name="feed")
                group.create_task(directory.run(), name="directory")
        finally:
            await runner.cleanup()


@asynccontextmanager
async def build(settings: Settings) -> AsyncIterator[tuple[WebContext, Directory]]:
    """Everything that the web answers from, with the directory that `run_web` keeps fresh.

    Raises:
        ConfigurationError.
    """
    document = CentreInForce.of(settings).document
    centre = CentreId(document.centre.id)
    make_secrets_dir(settings.secrets_dir)
    seal = Seal(kept_secret(settings.secrets_dir, COOKIE_SECRET))
    state_dir = settings.data_dir / "web"
    engine_of_database = open_database(settings.database)
    database = Database(sessions_of(engine_of_database))
    journal = Journal(
        settings.journal_dir,
        writer="web",
        centre=centre,
        second=settings.second_journal_dir,
        on_alarm=_journal_alarm,
    )

    async def accounts() -> tuple[Account, ...]:
        async with database.reading() as session:
            return await list_accounts(session, centre)

    directory = Directory(accounts, state_dir / "users.json")
    directory.load_copy()
    ended = EndedSessions(state_dir / "ended-sessions", time.time)
    ended.load()
    journal.open()
    try:
        async with EngineClient(settings.engine_socket) as engine:
            yield (
                WebContext(
                    centre=centre,
                    centre_name=document.centre.name,
                    zone=document.centre.zone,
                    auth=Auth(
                        seal=seal,
                        ended=ended,
                        directory=directory,
                        passwords=Passwords(),
                        throttle=Throttle(time.monotonic),
                        table=PermissionTable(centre),
                        now=time.time,
                        behind_tls=settings.web_behind_tls,
                    ),
                    engine=engine,
                    feed=Feed(engine),
                    database=database,
                    accesses=Accesses(journal, lambda: datetime.now(UTC)),
                    metrics=Metrics(),
                    recordings_dir=settings.recordings_dir,
                    now=lambda: datetime.now(UTC),
                ),
                directory,
            )
    finally:
        await asyncio.to_thread(journal.close)
        await engine_of_database.dispose()


def _journal_alarm(alarm: JournalAlarm) -> None:
    log.error("the web's journal needs an eye", fault=alarm.fault, detail=alarm.detail)
