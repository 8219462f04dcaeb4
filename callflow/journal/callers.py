"""Keeps the callers' file in step with the engine's journal, in a thread that no call waits for, and answers from it.

The journal's files are followed, not the running engine: what is taken in is in order, on a disk, and numbered, so that
a start after any crash goes on where it was. A file that is missing or damaged, or that was taken from a journal whose
tail was lost, is made anew from the start.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import structlog

from callflow.core.events import CallerHistory
from callflow.core.facts import CallClassified, CallOpened, CallServedInFallback, Direction
from callflow.core.ids import CallId
from callflow.journal.caller_file import CallerFile, CallerReader, discard, is_damage
from callflow.journal.caller_pages import CallerFact, TailLost, read_page
from callflow.journal.errors import JournalDamaged
from callflow.journal.files import chain_files
from callflow.journal.reader import Birth, Follower

POLL_SECONDS: Final = 0.1
BREATH_SECONDS: Final = 0.005
"""Between two pages of a long catch-up: the engine's loop shares the interpreter with this thread."""
_LONGEST_PAUSE_SECONDS: Final = 30.0
_DROP_EVERY: Final = timedelta(days=1)
_log: Any = structlog.get_logger(__name__)


class CallerIndex:
    """Feeds the callers' file from one writer's chains. One process of a centre runs one: the engine.

    Args:
        path: the file.
        directories: where the chains are, the second directory included.
        writer: whose chains.
    """

    def __init__(
        self,
        path: Path,
        directories: Sequence[Path],
        *,
        writer: str = "engine",
        poll_seconds: float = POLL_SECONDS,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._path = path
        self._directories = tuple(directories)
        self._writer = writer
        self._poll_seconds = poll_seconds
        self._now = now
        self._file: CallerFile | None = None
        self._followers: dict[Path, Follower] = {}
        self._behind: set[Path] = set()
        self._damaged: set[Path] = set()
        self._dropped_at: datetime | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Follow in a thread of its own until `close`. Raises nothing, then or later."""
        self._thread = threading.Thread(target=self._run, name="callers", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop following. Blocks for a page at most."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(5.0)
        self._let_go()

    def catch_up(self) -> None:
        """Take in all that is in the journal now.

        Raises:
            sqlite3.Error, OSError: the file cannot be written; what was taken in before stays.
        """
        file = self._opened()
        if not self._take_in_all(file):
            _log.warning("callers' file is made anew: the journal's numbers were given a second time")
            self._begin_anew(file)
            self._take_in_all(file)
        if self._dropped_at is None or self._now() - self._dropped_at >= _DROP_EVERY:
            self._dropped_at = self._now()
            file.drop_older(self._dropped_at)

    def _run(self) -> None:
        pause, told = 0.0, False
        while not self._stop.wait(pause):
            try:
                self.catch_up()
                pause, told = self._poll_seconds, False
            except Exception as error:  # noqa: BLE001 - whatever it is, calls go on without histories
                if not told:
                    _log.exception("callers' file is behind", path=str(self._path), fault=type(error).__name__)
                pause, told = min(max(1.0, pause * 2), _LONGEST_PAUSE_SECONDS), True
                self._let_go()

    def _opened(self) -> CallerFile:
        if self._file is not None and not self._file.is_there():
            self._let_go()
        if self._file is None:
            self._behind.clear()
            for follower in self._followers.values():
                follower.close()  # the first look at each chain is fresh again
            try:
                self._file = CallerFile(self._path)
            except sqlite3.Error as error:
                if not is_damage(error):
                    raise
                _log.warning("callers' file is damaged and made anew", path=str(self._path))
                discard(self._path)
                self._file = CallerFile(self._path)
        return self._file

    def _in_order(self) -> list[Path]:
        """Files with something new, in the order of their numbers."""
        fresh: list[tuple[int, Path]] = []
        for path in chain_files(self._writer, *self._directories):
            follower = self._followers.setdefault(path, Follower(path))
            try:
                news = follower.refresh()
            except JournalDamaged as error:
                self._tell_damage(path, error)
                continue
            if follower.birth is not None and (news or path in self._behind):
                self._behind.add(path)
                fresh.append((follower.birth.first, path))
        return [path for _, path in sorted(fresh)]

    def _take_in_all(self, file: CallerFile) -> bool:
        """Take in what is new in every file; False = some chain is not the one that was taken in."""
        whole = True
        for path in self._in_order():
            try:
                self._follow(file, path)
            except JournalDamaged as error:
                self._tell_damage(path, error)
            except TailLost:
                self._behind.discard(path)
                whole = False
        return whole

    def _follow(self, file: CallerFile, path: Path) -> None:
        birth = self._followers[path].birth
        assert birth is not None
        while self._take_page(file, path, birth):
            if self._stop.wait(BREATH_SECONDS):
                return
        self._behind.discard(path)

    def _take_page(self, file: CallerFile, path: Path, birth: Birth) -> bool:
        """Take in a page; whether there may be more."""
        try:
            with file.transaction():
                position = file.position(birth.chain_id)
                page = read_page(path, position)
                if page is None:
                    return False
                for fact in page.facts:
                    _take_in(file, fact)
                file.move(birth.chain_id, page.end)
        except sqlite3.Error as error:
            if is_damage(error):
                self._let_go()
                discard(self._path)
            raise
        return True

    def _begin_anew(self, file: CallerFile) -> None:
        with file.transaction():
            file.clear()
        self._behind.update(path for path, follower in self._followers.items() if follower.birth is not None)

    def _let_go(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        for follower in self._followers.values():
            follower.close()

    def _tell_damage(self, path: Path, error: JournalDamaged) -> None:
        self._behind.discard(path)
        if path not in self._damaged:
            self._damaged.add(path)
            _log.error("journal file cannot be read further", path=str(path), reason=error.reason)


class CallerLookups:
    """Answers look-ups from the file without blocking a loop: one thread of its own, one look-up at a time."""

    def __init__(self, path: Path, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._reader = CallerReader(path)
        self._now = now
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="look-ups")
        self._told = False

    async def look_up(self, number: str, call: CallId | None = None) -> CallerHistory | None:
        """What is known of a number apart from this call; None when the file cannot be read now.

        Cancelled in time, a look-up that had to wait for another is never begun.
        """
        return await asyncio.wrap_future(self._thread.submit(self._look_up, number, call))

    def close(self) -> None:
        """Let go of the file, without waiting for a look-up that hangs."""
        with suppress(RuntimeError):
            self._thread.submit(self._reader.close)
        self._thread.shutdown(wait=False)

    def _look_up(self, number: str, call: CallId | None) -> CallerHistory | None:
        try:
            history = self._reader.look_up(number, at=self._now(), call=call)
        except (sqlite3.Error, OSError, ValueError) as error:
            if not self._told:
                _log.warning("callers' histories cannot be read now", fault=type(error).__name__)
            self._told = True
            return None
        self._told = False
        return history


def _take_in(file: CallerFile, fact: CallerFact) -> None:
    match fact:
        case CallOpened(direction=Direction.INBOUND) | CallServedInFallback():
            file.add_call(fact.call, fact.caller.number, fact.arrived_at)
        case CallClassified():
            file.classify(fact.call, fact.classification)
