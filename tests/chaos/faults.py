"""The faults of the matrix, by name: what befalls the installation, and how long it holds before it is mended."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from sqlalchemy import make_url

from ..faults.ari_proxy import AriProxy  # noqa: TID252
from ..faults.asterisk import ari_password_changed  # noqa: TID252
from ..faults.clock import FakedClock  # noqa: TID252
from ..faults.disks import directory_gone, filled  # noqa: TID252
from ..faults.names import name_servers_gone  # noqa: TID252
from ..faults.processes import OURS, frozen, kept_down, killed, killed_again_and_again  # noqa: TID252
from .grounds import Ground, Kind

Strike = Callable[[Ground], AbstractAsyncContextManager[None]]
HOUR: Final = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault.

    Attributes:
        strike: holds inside the block, is mended on leaving.
        seconds: how long it holds.
        short: part of the short matrix.
        kind: what it needs to stand on.
        talk_notices: whoever talks may lose the other side, and is then served anew; else a talk must never notice.
    """

    name: str
    strike: Strike
    seconds: float = 0.0
    short: bool = False
    kind: Kind = Kind.PLAIN
    talk_notices: bool = False


@asynccontextmanager
async def database_locked(ground: Ground) -> AsyncIterator[None]:
    """Nobody can write into the database, as its server stands still: another connection holds it for itself."""
    path = make_url(ground.stage.layout.settings.database).database
    assert path, "a plain installation's database is a file"
    connection = sqlite3.connect(path, timeout=30.0, isolation_level=None)
    try:
        connection.execute("BEGIN EXCLUSIVE")
        yield
    finally:
        connection.close()


@asynccontextmanager
async def postgresql_stopped(ground: Ground) -> AsyncIterator[None]:
    """The database's server ends as by a crash, and is started again on the same data."""
    assert ground.postgres is not None
    await asyncio.to_thread(ground.postgres.stop)
    try:
        yield
    finally:
        await asyncio.to_thread(ground.postgres.start)


@asynccontextmanager
async def sounds_gone(ground: Ground) -> AsyncIterator[None]:
    """Every prompt and the waiting music are deleted; the worker has copies, so there is nothing to mend."""
    for path in ground.stage.layout.settings.prompts_dir.rglob("*.wav"):
        path.unlink()
    yield


@asynccontextmanager
async def clock_set_by(ground: Ground, seconds: float) -> AsyncIterator[None]:
    """The wall clock of Asterisk and all of ours is set, and stays so."""
    _wall(ground).move(seconds)
    yield


def _ari(ground: Ground) -> AriProxy:
    assert ground.ari is not None, "a prepared installation has a proxy before ARI"
    return ground.ari


def _wall(ground: Ground) -> FakedClock:
    assert ground.wall is not None, "this installation's clock cannot be set"
    return ground.wall


FAULTS: Final = (
    Fault(name="engine_killed", strike=lambda on: killed(on.stage, "engine"), short=True),
    Fault(name="engine_down_8s", strike=lambda on: kept_down(on.stage, "engine"), seconds=8.0),
    Fault(name="engine_stalled_2s", strike=lambda on: frozen(on.stage, "engine"), seconds=2.0),
    Fault(name="engine_frozen_8s", strike=lambda on: frozen(on.stage, "engine"), seconds=8.0, short=True),
    Fault(name="engine_frozen_25s", strike=lambda on: frozen(on.stage, "engine"), seconds=25.0),
    Fault(name="engine_restarts_slowly", strike=lambda on: killed_again_and_again(on.stage, "engine"), seconds=6.0),
    Fault(name="watchdog_killed", strike=lambda on: killed(on.stage, "watchdog")),
    Fault(name="engine_and_watchdog_killed", strike=lambda on: killed(on.stage, "engine", "watchdog")),
    Fault(name="engine_and_watchdog_frozen_8s", strike=lambda on: frozen(on.stage, "engine", "watchdog"), seconds=8.0),
    Fault(name="web_killed", strike=lambda on: killed(on.stage, "web")),
    Fault(name="worker_killed", strike=lambda on: killed(on.stage, "worker")),
    Fault(name="agi_killed", strike=lambda on: killed(on.stage, "agi")),
    Fault(name="all_of_ours_down_10s", strike=lambda on: kept_down(on.stage, *OURS), seconds=10.0),
    Fault(name="database_locked_10s", strike=database_locked, seconds=10.0),
    Fault(name="ari_password_wrong_10s", strike=lambda on: ari_password_changed(on.stage), seconds=10.0),
    Fault(
        name="recordings_gone_10s",
        strike=lambda on: directory_gone(on.stage.layout.settings.recordings_dir),
        seconds=10.0,
    ),
    Fault(
        name="journal_gone_10s", strike=lambda on: directory_gone(on.stage.layout.settings.journal_dir), seconds=10.0
    ),
    Fault(name="sounds_gone", strike=sounds_gone, seconds=4.0),
    Fault(name="ari_answers_503_10s", strike=lambda on: _ari(on).refusing(503), seconds=10.0, kind=Kind.PREPARED),
    Fault(name="ari_late_by_3s_10s", strike=lambda on: _ari(on).late(3.0), seconds=10.0, kind=Kind.PREPARED),
    Fault(name="ari_answers_nothing_10s", strike=lambda on: _ari(on).swallowing(), seconds=10.0, kind=Kind.PREPARED),
    Fault(name="ari_half_open_10s", strike=lambda on: _ari(on).half_open(), seconds=10.0, kind=Kind.PREPARED),
    Fault(name="postgresql_stopped_10s", strike=postgresql_stopped, seconds=10.0, kind=Kind.PREPARED),
    Fault(
        name="journal_disk_full_10s",
        strike=lambda on: filled(on.stage.layout.settings.journal_dir),
        seconds=10.0,
        kind=Kind.PREPARED,
    ),
    Fault(
        name="recordings_full_10s",
        strike=lambda on: filled(on.stage.layout.settings.recordings_dir),
        seconds=10.0,
        kind=Kind.PREPARED,
    ),
    Fault(
        name="name_servers_gone_10s", strike=lambda on: name_servers_gone(on.folder), seconds=10.0, kind=Kind.PREPARED
    ),
    Fault(name="clock_back_by_1h", strike=lambda on: clock_set_by(on, -HOUR), seconds=2.0, kind=Kind.CLOCK),
    Fault(
        name="clock_on_by_1h",
        strike=lambda on: clock_set_by(on, HOUR),
        seconds=2.0,
        kind=Kind.CLOCK,
        talk_notices=True,  # Asterisk takes phones for silent: the caller goes to the head of the queue
    ),
)
"""In the order of the table; those of one kind stand together, for each kind is an installation of its own."""


def chosen(only: str, *, short: bool) -> tuple[Fault, ...]:
    """The faults of a run.

    Raises:
        ValueError: a name is not one of them.
    """
    names = {name.strip() for name in only.split(",") if name.strip()}
    if unknown := names - {fault.name for fault in FAULTS}:
        raise ValueError(f"no such fault: {', '.join(sorted(unknown))}; there are {', '.join(f.name for f in FAULTS)}")
    if names:
        return tuple(fault for fault in FAULTS if fault.name in names)
    return tuple(fault for fault in FAULTS if fault.short or not short)
