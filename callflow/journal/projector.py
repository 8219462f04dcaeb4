"""Brings the journal's facts to the database, exactly once, whatever the database does meanwhile.

Facts and the position up to which the chain was read are written in one transaction. A database that is down, slow or
not yet migrated is waited for; an entry that it refuses for good (a defect of ours) is noted and passed over, so that
later calls still get their records.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import structlog
from sqlalchemy import select
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, StatementError
from sqlalchemy.ext.asyncio import AsyncSession

from callflow.core.commands import Note
from callflow.journal.codec import decode_command, decode_event
from callflow.journal.errors import JournalDamaged, JournalError
from callflow.journal.files import chain_files, writers_in
from callflow.journal.reader import Birth, Entry, Follower
from callflow.journal.upcasters import split_tag
from callflow.journal.witnessed import AccessRecorded
from callflow.storage.models import Access, ProjectionFault, ProjectorPosition
from callflow.storage.projection import Place, write_fact
from callflow.storage.sessions import Sessions

POLL_SECONDS: Final = 0.2
BATCH: Final = 200
"""Entries in one transaction at most: some three calls."""
QUICK_SECONDS: Final = 2.0
"""A transaction that took less lets the next one be twice as large."""
TRANSACTION_SECONDS: Final = 20.0
"""A transaction that takes longer is given up and made smaller, so that a slow database gets on at all."""
SMALLEST_SECONDS: Final = 600.0
"""The same for a single entry, which cannot be made smaller."""
_MAX_PAUSE_SECONDS: Final = 5.0
_DATA_EXCEPTION: Final = "22"
"""SQLSTATE's class."""
_log: Any = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """How far the database is behind the journal; both 0 when it is not.

    Attributes:
        entries: on the disk and not in the database; at a start with the database away, all there are.
        seconds: the age of the oldest of them, or, where that is not known, for how long it was looked for.
    """

    entries: int
    seconds: float


class _Refused(Exception):
    """The database will never take this batch as it is."""


class Projector:
    """Follows every chain in these directories. One process of a centre runs one.

    Args:
        directories: where the chains are, the second directory included.
        sessions: of the database that is written.

    Attributes:
        caught_up_at: what was in the journal then is in the database; None = not yet in this life.
    """

    def __init__(
        self,
        directories: Sequence[Path],
        sessions: Sessions,
        *,
        poll_seconds: float = POLL_SECONDS,
        batch: int = BATCH,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._directories = tuple(directories)
        self._sessions = sessions
        self._poll_seconds = poll_seconds
        self._batch = batch
        self._size = batch
        self._now = now
        self._followers: dict[Path, Follower] = {}
        self._positions: dict[str, int] = {}
        self._seen_at: dict[str, int] = {}
        self._waiting: dict[Path, tuple[int, datetime]] = {}
        self._damaged: dict[Path, str] = {}
        self.caught_up_at: datetime | None = None

    @property
    def lag(self) -> Lag:
        """How far the database is behind, as of the last look."""
        if not self._waiting:
            return Lag(entries=0, seconds=0.0)
        oldest = min(at for _, at in self._waiting.values())
        return Lag(
            entries=sum(count for count, _ in self._waiting.values()),
            seconds=max(0.0, (self._now() - oldest).total_seconds()),
        )

    @property
    def unreadable(self) -> Mapping[Path, str]:
        """Chains that cannot be read further now, and why; the others go on."""
        return dict(self._damaged)

    async def run(self, stop: asyncio.Event) -> None:
        """Project until `stop` is set. Raises nothing: what fails is tried again, ever more slowly up to 5 s."""
        pause = self._poll_seconds
        while not stop.is_set():
            try:
                await self.catch_up(stop)
                pause = self._poll_seconds
            except Exception as error:  # noqa: BLE001 - a fault of the database must end nothing
                _log.warning("projection waits", fault=type(error).__name__, again_in_seconds=round(pause, 1))
                self._positions.clear()  # whether the last commit held is the database's to say
                self._look_at_all()
                pause = min(pause * 2, _MAX_PAUSE_SECONDS)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)
        self.close()

    async def catch_up(self, stop: asyncio.Event | None = None) -> None:
        """Bring all that is in the journal now to the database.

        Raises:
            Exception: the database's; what was not committed is done again next time.
        """
        began = self._now()
        for writer in writers_in(*self._directories):
            for path in chain_files(writer, *self._directories):
                if stop is not None and stop.is_set():
                    return
                try:
                    await self._follow(path, stop)
                    self._damaged.pop(path, None)
                except JournalDamaged as error:
                    self._tell_damage(path, error)
        if not self._damaged:
            self.caught_up_at = began

    def close(self) -> None:
        """Let go of the journal's files."""
        for follower in self._followers.values():
            follower.close()
        self._followers.clear()

    async def _follow(self, path: Path, stop: asyncio.Event | None) -> None:
        follower = self._followers.setdefault(path, Follower(path))
        fresh = follower.refresh()
        birth = follower.birth
        if birth is None or not (
            fresh or path in self._waiting or path in self._damaged or birth.chain_id not in self._positions
        ):
            return
        self._look(path)
        if birth.chain_id not in self._positions:
            self._positions[birth.chain_id] = await self._position(birth)
        while stop is None or not stop.is_set():
            after = self._positions[birth.chain_id]
            entries = await asyncio.to_thread(follower.read, after, self._size)
            if not entries:
                self._seen_at[birth.chain_id] = after
                self._waiting.pop(path, None)
                return
            self._waiting[path] = (follower.count_after(after), entries[0].envelope.at)
            await self._project(birth, entries)
            self._seen_at[birth.chain_id] = self._positions[birth.chain_id]

    def _look_at_all(self) -> None:
        """The lag grows while the database is away, also in chains that are not reached then."""
        for path in self._followers:
            with suppress(JournalDamaged):
                self._look(path)

    def _look(self, path: Path) -> None:
        """See what of a chain waits for the database."""
        follower = self._followers[path]
        if follower.birth is None:
            return
        reached = self._seen_at.get(follower.birth.chain_id)
        waiting = follower.count_after(reached or 0)
        if not waiting:
            return
        known = self._waiting.get(path)
        if known is not None:
            since = known[1]
        else:
            since = self._now() if reached is None else follower.read(reached, 1)[0].envelope.at
        self._waiting[path] = (waiting, since)

    async def _position(self, birth: Birth) -> int:
        async with asyncio.timeout(TRANSACTION_SECONDS * 3), self._sessions() as session:
            position = await session.get(ProjectorPosition, birth.chain_id)
            return 0 if position is None else position.seq

    async def _project(self, birth: Birth, entries: list[Entry]) -> None:
        """Write a batch; where the database refuses it, one entry after the other."""
        try:
            await self._write(birth, entries)
        except _Refused:
            for entry in entries:
                try:
                    await self._write_or_try_once_more(birth, entry)
                except _Refused as refused:
                    fault = type(refused.__cause__).__name__
                    _log.error("entry passed over", chain=birth.chain_id, seq=entry.envelope.seq, fault=fault)
                    await self._write(birth, [entry], fault=fault)

    async def _write_or_try_once_more(self, birth: Birth, entry: Entry) -> None:
        try:
            await self._write(birth, [entry])
        except _Refused:  # a server that goes down can look like one that refuses
            await asyncio.sleep(self._poll_seconds)
            await self._write(birth, [entry])

    async def _write(self, birth: Birth, entries: list[Entry], fault: str | None = None) -> None:
        last = entries[-1].envelope.seq
        began = time.monotonic()
        limit = TRANSACTION_SECONDS if len(entries) > 1 else SMALLEST_SECONDS
        try:
            async with asyncio.timeout(limit), self._sessions.begin() as session:
                position = await self._locked_position(session, birth)
                if position.seq < self._positions.get(birth.chain_id, 0):
                    # The database was taken back to an earlier day: all since then is read again.
                    self._positions[birth.chain_id] = position.seq
                    return
                for entry in entries:
                    if entry.envelope.seq <= position.seq:
                        continue
                    if fault is None:
                        await _write_entry(session, birth, entry)
                    else:
                        await session.merge(_fault_row(birth, entry, fault, self._now()))
                position.seq = max(position.seq, last)
                position.moved_at = self._now()
        except (DataError, IntegrityError, JournalError, ValueError, LookupError, TypeError) as error:
            raise _Refused from error
        except StatementError as error:
            if _is_about_the_value(error):
                raise _Refused from error
            raise
        except TimeoutError:
            self._size = max(1, len(entries) // 8)
            raise
        if time.monotonic() - began < QUICK_SECONDS:
            self._size = min(self._batch, self._size * 2)
        self._positions[birth.chain_id] = last

    async def _locked_position(self, session: AsyncSession, birth: Birth) -> ProjectorPosition:
        """The chain's position, held until the commit: a second projector waits and then finds the work done."""
        query = select(ProjectorPosition).where(ProjectorPosition.chain_id == birth.chain_id).with_for_update()
        position = (await session.scalars(query)).one_or_none()
        if position is None:
            position = ProjectorPosition(
                chain_id=birth.chain_id, centre_id=birth.centre, writer=birth.writer, seq=0, moved_at=self._now()
            )
            session.add(position)
            await session.flush()
        return position

    def _tell_damage(self, path: Path, error: JournalDamaged) -> None:
        self._waiting.pop(path, None)
        follower = self._followers.get(path)
        birth = None if follower is None else follower.birth
        reached = None if birth is None else self._positions.get(birth.chain_id)
        where = "its beginning" if reached is None else f"entry {reached}"
        if path not in self._damaged:
            _log.error("journal file cannot be read further", path=str(path), after=where, reason=error.reason)
        self._damaged[path] = f"no entry after {where} can be read ({error.reason})"


def _is_about_the_value(error: StatementError) -> bool:
    """Whether a value was refused, by errors that have no class of their own in SQLAlchemy.

    PostgreSQL's full disks, deadlocks, cancelled queries and standbys come in the same class: its SQLSTATE tells what
    an entry is refused for ('data exception') from what passes.
    """
    if type(error) is DBAPIError:
        return str(getattr(error.orig, "sqlstate", None) or "").startswith(_DATA_EXCEPTION)
    return type(error) is StatementError


async def _write_entry(session: AsyncSession, birth: Birth, entry: Entry) -> None:
    envelope = entry.envelope
    if envelope.type == AccessRecorded.__name__ and entry.event is not None:
        await _write_access(session, birth, envelope.seq, entry.event)
    for position, document in enumerate(entry.commands):
        if split_tag(str(document["type"]))[0] == Note.__name__:
            note = decode_command(document)
            assert isinstance(note, Note)
            await write_fact(session, note.fact, Place(centre=note.centre, seq=envelope.seq, position=position))


async def _write_access(session: AsyncSession, birth: Birth, seq: int, document: dict[str, Any]) -> None:
    event = decode_event(document)
    assert isinstance(event, AccessRecorded)
    known = select(Access.id).where(Access.writer == birth.writer, Access.seq == seq)
    if (await session.scalars(known)).first() is None:
        session.add(
            Access(
                centre_id=birth.centre,
                at=event.at,
                who=event.who,
                what=event.what,
                call_id=event.call,
                purpose=event.purpose,
                writer=birth.writer,
                seq=seq,
            )
        )
        await session.flush()


def _fault_row(birth: Birth, entry: Entry, fault: str, at: datetime) -> ProjectionFault:
    return ProjectionFault(chain_id=birth.chain_id, seq=entry.envelope.seq, centre_id=birth.centre, at=at, fault=fault)
