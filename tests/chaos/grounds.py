"""Where faults strike: a whole installation, and what it must stand on for a fault to be possible.

PLAIN is the installation as it is. PREPARED is the same with a proxy before Asterisk's ARI for all of our processes, a
real PostgreSQL, and a small disk each for journal and recordings. CLOCK has a wall clock that can be set.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from callflow.demo.layout import Layout
from callflow.demo.stage import Progress, Stage, set_stage

from ..faults.ari_proxy import AriProxy, ari_proxy  # noqa: TID252
from ..faults.clock import FakedClock  # noqa: TID252
from ..faults.disks import small_disk_of_ours  # noqa: TID252
from ..integration.postgres import PostgresServer, running_postgres  # noqa: TID252


class Kind(StrEnum):
    """What an installation stands on."""

    PLAIN = "plain"
    PREPARED = "prepared"
    CLOCK = "clock"


@dataclass(slots=True, kw_only=True)
class Ground:
    """A running installation, and the handles at which faults take hold; None = not on this kind.

    Attributes:
        folder: for what a fault itself needs.
    """

    stage: Stage
    folder: Path
    ari: AriProxy | None = None
    postgres: PostgresServer | None = None
    wall: FakedClock | None = None


@asynccontextmanager
async def set_ground(kind: Kind, layout: Layout, folder: Path, progress: Progress) -> AsyncIterator[Ground]:
    """Bring an installation of this kind up, and all down at the end.

    Args:
        kind: PREPARED needs mounts of one's own: see `tests.faults.names.hide_mounts`.
        layout: of the installation.
        folder: empty, for what the ground itself keeps.
        progress: told what is going on.
    """
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        match kind:
            case Kind.PLAIN:
                stage = await stack.enter_async_context(set_stage(layout, progress))
                yield Ground(stage=stage, folder=folder)
            case Kind.PREPARED:
                ari = await stack.enter_async_context(ari_proxy(layout.settings.ari_url))
                postgres = stack.enter_context(running_postgres())
                stack.enter_context(small_disk_of_ours(layout.settings.journal_dir))
                stack.enter_context(small_disk_of_ours(layout.settings.recordings_dir, "800m"))  # 3 MB a minute of call
                known = layout.settings.model_dump(exclude_none=True)
                chosen = {"ari_url": ari.url, "database_url": postgres.new_database()}
                through = replace(layout, settings=type(layout.settings)(**known | chosen))
                stage = await stack.enter_async_context(set_stage(through, progress))
                yield Ground(stage=stage, folder=folder, ari=ari, postgres=postgres)
            case Kind.CLOCK:
                wall = FakedClock(layout.settings.data_dir / "wall")
                setting = set_stage(layout, progress)
                with _in_environment(wall.environment):
                    stage = await setting.__aenter__()
                stack.push_async_exit(setting)
                yield Ground(stage=stage, folder=folder, wall=wall)


@contextmanager
def _in_environment(values: dict[str, str]) -> Iterator[None]:
    """For processes that are started inside; the supervisor keeps it for those that it starts later."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
