"""Sets the stage: a private Asterisk and every process of callflow on loopback, up and checked, and down again."""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Final

import aiohttp

from callflow.asterisk.keeper import kept_running
from callflow.asterisk.locate import Installation, locate
from callflow.asterisk.render import render
from callflow.asterisk.server import PrivateServer
from callflow.centre import parse_centre
from callflow.demo.layout import USERS, Layout
from callflow.engine.client import EngineClient
from callflow.errors import CallflowError, ConfigurationError
from callflow.media.manifest import DEFAULT_MANIFEST, load_manifest
from callflow.media.prompts import build_prompts
from callflow.permissions import Role
from callflow.processes import Process, keep_running
from callflow.storage.migrations import upgrade
from callflow.storage.sessions import open_database, sessions_of
from callflow.storage.users import add_account, list_accounts, set_password
from callflow.supervisor import Supervisor
from callflow.web.passwords import hash_password

Progress = Callable[[str], None]
_UP_SECONDS: Final = 60.0


class NotUp(CallflowError):
    """A part of the demonstration did not come up in time."""

    def __init__(self, part: str, hint: str) -> None:
        self.part = part
        super().__init__(f"{part} did not come up within {_UP_SECONDS:g} s: {hint}")


@dataclass(slots=True, kw_only=True)
class Stage:
    """A running demonstration."""

    layout: Layout
    server: PrivateServer
    supervisor: Supervisor
    installation: Installation

    async def stop_engine(self) -> None:
        """End the engine, as a crash would, and leave all else running."""
        await self.supervisor.stop("engine")

    async def start_engine(self) -> None:
        """Start the engine and wait until it takes calls."""
        keep_running(self.supervisor, Process.ENGINE, self.layout.settings)
        await wait_for_engine(self.layout)


@asynccontextmanager
async def set_stage(layout: Layout, progress: Progress) -> AsyncIterator[Stage]:
    """Bring everything up; on leaving, take everything down.

    Raises:
        CallflowError: a part is missing or did not come up; it says what to do.
    """
    settings = layout.settings
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    lock = _lock(layout)
    layout.file.unlink(missing_ok=True)  # who waits for it must find it only once all is up
    layout.config_file.write_text(layout.config_toml(), encoding="utf-8")
    settings.centre_path.write_text(layout.centre_toml(), encoding="utf-8")
    installation = locate()
    progress(f"Asterisk {installation.version}")
    built = await asyncio.to_thread(
        build_prompts,
        load_manifest(DEFAULT_MANIFEST),
        settings.prompts_dir,
        recorded_dir=DEFAULT_MANIFEST.parent / "recorded",
    )
    progress(f"prompts: {len(built.files)} in {settings.prompts_dir}")
    rendered = render(settings, parse_centre(layout.centre_toml(), "demo"), installation)
    progress(f"configuration of Asterisk in {rendered.etc_dir}")
    await upgrade(settings.database)
    await _make_users(layout)
    progress("database migrated, users made")
    async with AsyncExitStack() as stack:
        stack.callback(lock.close)
        server = PrivateServer(settings, installation, rendered)
        supervisor = Supervisor(environment(layout), logs=settings.data_dir / "log")
        stage = Stage(layout=layout, server=server, supervisor=supervisor, installation=installation)
        await stack.enter_async_context(kept_running(server, lambda: _describe(stage)))
        progress(f"Asterisk runs (process {server.pid})")
        stack.push_async_callback(supervisor.close)
        for process in Process:
            keep_running(supervisor, process, settings)
        await wait_for_engine(layout)
        await _wait_for_web(layout)
        progress("engine, worker, web and agi run")
        _describe(stage)
        supervisor.on_change = lambda: _describe(stage)
        yield stage


def _lock(layout: Layout) -> IO[bytes]:
    """Keep a second demonstration out of this one's files for as long as the answer is open."""
    file = (layout.settings.data_dir / "demo.lock").open("wb")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise ConfigurationError(
            str(layout.settings.data_dir), ["a demonstration runs here already; end it, or choose another --data-dir"]
        ) from None
    return file


def environment(layout: Layout) -> dict[str, str]:
    """The settings of this demonstration as the environment of its processes."""
    chosen = layout.settings.model_dump(mode="json", exclude_none=True, exclude={"database_url"})
    if layout.settings.database_url is not None:
        chosen["database_url"] = layout.settings.database  # a dump would hide the password, and with it all else
    return {f"CALLFLOW_{name.upper()}": str(value) for name, value in chosen.items()}


def _describe(stage: Stage) -> None:
    pids = {"asterisk": stage.server.pid, **stage.supervisor.pids}
    stage.layout.write(root=stage.installation.root, pids=pids)


async def _make_users(layout: Layout) -> None:
    """Every user of the demonstration with the password of this start; those of an earlier start get it anew."""
    centre = parse_centre(layout.centre_toml(), "demo").centre.id
    people: list[tuple[str, str, Role, str | None]] = [
        (login, layout.passwords[login], Role(login), None) for login in USERS
    ]
    people += [(each.login, each.password, Role.OPERATOR, each.login) for each in layout.operators]
    now = datetime.now(UTC)
    database = open_database(layout.settings.database)
    try:
        async with sessions_of(database).begin() as session:
            known = {account.login for account in await list_accounts(session, centre)}
            for login, password, role, operator in people:
                secret = await asyncio.to_thread(hash_password, password)
                if login in known:
                    await set_password(session, centre=centre, login=login, password_hash=secret, at=now)
                else:
                    await add_account(
                        session,
                        centre=centre,
                        login=login,
                        password_hash=secret,
                        roles=(role,),
                        operator=operator,
                        at=now,
                    )
    finally:
        await database.dispose()


async def wait_for_engine(layout: Layout) -> None:
    """Wait until the engine is connected with Asterisk."""

    async def connected() -> bool:
        async with EngineClient(layout.settings.engine_socket) as client:
            return bool((await client.health())["ari"] == "connected")

    await _until(
        "the engine", connected, f"see {layout.settings.data_dir}/log and {layout.settings.data_dir}/asterisk/log"
    )


async def _wait_for_web(layout: Layout) -> None:
    async def answers() -> bool:
        async with aiohttp.ClientSession() as session, session.get(f"{layout.web_url}/api/v1/health") as response:
            return bool(response.status == 200)

    await _until("the web", answers, f"is port {layout.settings.web_port} taken?")


async def _until(part: str, up: Callable[[], Awaitable[bool]], hint: str) -> None:
    try:
        async with asyncio.timeout(_UP_SECONDS):
            while True:
                try:
                    if await up():
                        return
                except (CallflowError, aiohttp.ClientError, OSError):
                    pass
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise NotUp(part, hint) from None
