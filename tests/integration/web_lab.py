"""A web process of one's own: real settings, files and database, and a fake of the engine's port."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import ClientSession, CookieJar
from argon2 import PasswordHasher

from callflow.permissions import Role
from callflow.settings import Settings
from callflow.storage.models import Base
from callflow.storage.sessions import Sessions, open_database, sessions_of
from callflow.storage.users import add_account
from callflow.web.server import run_web
from callflow.web.testing import FakeEnginePort

PASSWORD = "benar-sekali-rahasia"
QUICK_HASHER = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
USERS = {
    "siti": (Role.OPERATOR, "siti"),
    "wati": (Role.SUPERVISOR, None),
    "adi": (Role.ADMIN, None),
    "agus": (Role.AUDITOR, None),
    "prom": (Role.SERVICE, None),
}
_CENTRE = """
[centre]
id = "bwi"
name = "Pusat Panggilan 112 Banyuwangi"
zone = "Asia/Jakarta"
[[trunks]]
name = "telkom"
match = ["192.0.2.1"]
[[operators]]
login = "siti"
name = "Siti Aminah"
[[operators]]
login = "budi"
name = "Budi Santoso"
"""


@dataclass
class WebLab:
    """A running web."""

    settings: Settings
    engine: FakeEnginePort
    sessions: Sessions

    @property
    def url(self) -> str:
        return f"http://{self.settings.web_host}:{self.settings.web_port}"

    @contextlib.asynccontextmanager
    async def browser(self, login: str | None = None) -> AsyncIterator[Visitor]:
        """A client with cookies of its own, signed in when a login is given."""
        async with ClientSession(self.url, cookie_jar=CookieJar(unsafe=True)) as client:
            visitor = Visitor(client)
            if login is not None:
                await visitor.sign_in(login)
            yield visitor


@dataclass
class Visitor:
    """A client with a session."""

    client: ClientSession
    token: str = ""

    async def sign_in(self, login: str, password: str = PASSWORD) -> None:
        async with self.client.post("/api/v1/session", json={"login": login, "password": password}) as response:
            assert response.status == 201, await response.text()
            self.token = (await response.json())["csrf"]

    @property
    def headers(self) -> dict[str, str]:
        return {"X-CSRF-Token": self.token}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.asynccontextmanager
async def web_lab(directory: Path, database_url: str | None = None) -> AsyncIterator[WebLab]:
    """Set the stage and run the web until the end of the block."""
    settings = Settings(data_dir=directory, web_port=free_port(), database_url=database_url)
    directory.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - before anything runs
    settings.centre_path.write_text(_CENTRE, encoding="utf-8")
    database = open_database(settings.database)
    async with database.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    sessions = sessions_of(database)
    async with sessions.begin() as session:
        for login, (role, operator) in USERS.items():
            await add_account(
                session,
                centre="bwi",
                login=login,
                password_hash=QUICK_HASHER.hash(PASSWORD),
                roles=[role],
                operator=operator,
                at=datetime.now(UTC),
            )
    engine = FakeEnginePort(settings.engine_socket)
    engine.add_operator("siti", "Siti Aminah")
    engine.add_operator("budi", "Budi Santoso", state="available")
    await engine.start()
    serving = asyncio.create_task(run_web(settings))
    try:
        await _until_listening(settings, serving)
        yield WebLab(settings, engine, sessions)
    finally:
        serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serving
        await engine.stop()
        await database.dispose()


async def _until_listening(settings: Settings, serving: asyncio.Task[None]) -> None:
    async with asyncio.timeout(10):
        while True:
            if serving.done():
                serving.result()
            try:
                _, writer = await asyncio.open_connection(settings.web_host, settings.web_port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                await writer.wait_closed()
                return
