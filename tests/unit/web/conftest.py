"""The web's application with a fake engine port, a chain in memory, a clock of its own and a small database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse, CookieJar
from aiohttp.test_utils import TestClient, TestServer
from argon2 import PasswordHasher

from callflow.core.events import Event
from callflow.core.ids import CentreId
from callflow.engine.client import EngineClient
from callflow.journal.errors import EntryLost
from callflow.journal.witnessed import AccessRecorded
from callflow.permissions import PermissionTable, Role
from callflow.storage.models import Base
from callflow.storage.sessions import Sessions, open_database, sessions_of
from callflow.storage.users import Account
from callflow.web.accesses import Accesses
from callflow.web.app import create_app
from callflow.web.auth import CSRF_HEADER, Auth
from callflow.web.context import WebContext
from callflow.web.database import Database
from callflow.web.directory import Directory
from callflow.web.feed import Feed
from callflow.web.metrics import Metrics
from callflow.web.passwords import Passwords
from callflow.web.sessions import EndedSessions, Seal
from callflow.web.testing import FakeEnginePort
from callflow.web.throttle import Throttle

PASSWORD = "benar-sekali-rahasia"
HASHER = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
_HASH = HASHER.hash(PASSWORD)


class FakeClock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.seconds = 1_800_000_000.0

    def __call__(self) -> float:
        return self.seconds


class FakeChain:
    """Keeps accesses in memory; `lost` = the disk takes nothing."""

    def __init__(self) -> None:
        self.events: list[AccessRecorded] = []
        self.committed_up_to = 0
        self.lost = False

    def append(self, event: Event) -> int:
        assert isinstance(event, AccessRecorded)
        self.events.append(event)
        return len(self.events)

    async def committed(self, seq: int) -> None:
        if self.lost:
            raise EntryLost(seq)
        self.committed_up_to = seq


@dataclass
class Stage:
    """The application under test and all that stands around it."""

    client: TestClient[Any, Any]
    engine: FakeEnginePort
    chain: FakeChain
    clock: FakeClock
    accounts: dict[str, Account]
    context: WebContext
    directory: Directory
    sessions: Sessions
    recordings: Path
    token: str = ""
    visitors: list[TestClient[Any, Any]] = field(default_factory=list)

    async def sign_in(self, role: Role | str, password: str = PASSWORD) -> ClientResponse:
        """Sign in as the user of that role; login and role have the same name here."""
        response = await self.client.post("/api/v1/session", json={"login": str(role), "password": password})
        if response.status == 201:
            self.token = (await response.json())["csrf"]
        return response

    async def get(self, path: str, **more: Any) -> ClientResponse:
        return await self.client.get(f"/api/v1{path}", **more)

    async def post(self, path: str, body: Any = None, **headers: str) -> ClientResponse:
        return await self.client.post(f"/api/v1{path}", json=body or {}, headers={CSRF_HEADER: self.token, **headers})

    async def change(self, login: str, **fields: Any) -> None:
        """Change an account, as the command would, and let the web learn it."""
        self.accounts[login] = replace(self.accounts[login], **fields)
        self.directory._asked_at = None
        await self.directory.refresh()


def account(login: str, *roles: Role, operator: str | None = None) -> Account:
    return Account(
        centre="bwi",
        login=login,
        password_hash=_HASH,
        roles=frozenset(roles),
        active=True,
        operator=operator,
        session_version=1,
    )


@pytest.fixture
def behind_tls() -> bool:
    return False


@pytest.fixture
async def stage(tmp_path: Path, behind_tls: bool) -> AsyncIterator[Stage]:
    accounts = {role.value: account(role.value, role) for role in Role}
    accounts["operator"] = account("operator", Role.OPERATOR, operator="siti")
    engine = FakeEnginePort(tmp_path / "engine.sock")
    engine.add_operator("siti", "Siti Aminah")
    engine.add_operator("budi", "Budi Santoso")
    await engine.start()
    database = open_database(f"sqlite:///{tmp_path / 'callflow.db'}")
    async with database.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)

    async def read() -> tuple[Account, ...]:
        return tuple(accounts.values())

    clock, chain = FakeClock(), FakeChain()
    directory = Directory(read, tmp_path / "users.json")
    client_of_engine = EngineClient(tmp_path / "engine.sock", answer_within_seconds=2.0)
    now: Callable[[], datetime] = lambda: datetime.fromtimestamp(clock(), UTC)  # noqa: E731
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    context = WebContext(
        centre=CentreId("bwi"),
        centre_name="Banyuwangi",
        zone="Asia/Jakarta",
        auth=Auth(
            seal=Seal("a secret of this test"),
            ended=EndedSessions(tmp_path / "ended", clock),
            directory=directory,
            passwords=Passwords(HASHER),
            throttle=Throttle(clock),
            table=PermissionTable(CentreId("bwi")),
            now=clock,
            behind_tls=behind_tls,
        ),
        engine=client_of_engine,
        feed=Feed(client_of_engine),
        database=Database(sessions_of(database), answer_within_seconds=1.0),
        accesses=Accesses(chain, now),
        metrics=Metrics(),
        recordings_dir=recordings,
        now=now,
    )
    await directory.refresh()
    async with TestClient(TestServer(create_app(context)), cookie_jar=CookieJar(unsafe=True)) as client:
        yield Stage(
            client=client,
            engine=engine,
            chain=chain,
            clock=clock,
            accounts=accounts,
            context=context,
            directory=directory,
            sessions=sessions_of(database),
            recordings=recordings,
        )
    await client_of_engine.close()
    await engine.stop()
    await database.dispose()


async def problem(response: ClientResponse) -> dict[str, Any]:
    """The answer's problem, with its shape checked."""
    assert response.content_type == "application/problem+json"
    body: dict[str, Any] = await response.json()
    assert body["status"] == response.status
    assert body["type"].startswith("urn:callflow:problem:")
    assert body["title"]
    return body


def kind(body: dict[str, Any]) -> str:
    return str(body["type"]).rpartition(":")[2]
