"""The journal's front: takes what happened without ever waiting, and says when it is safe on a disk.

`append` gives the entry its number and returns; a thread puts entries into words, chains them and commits them in
groups. Only who must be able to trust an entry (a sign-in, an access) awaits `committed`.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import structlog

from callflow.core.commands import Command
from callflow.core.events import Event
from callflow.core.ids import CentreId
from callflow.journal.alarms import JournalAlarm, JournalFault, OnAlarm
from callflow.journal.envelope import canonical, core_version, envelope_of, payload_of
from callflow.journal.errors import EntryLost
from callflow.journal.sink import Sink, Text, Unwritable
from callflow.journal.witnessed import EntriesLost, UnwritableEvent

_log: Any = structlog.get_logger(__name__)

GROUP_SECONDS: Final = 0.02
"""Entries that come within this time share one commit; with the commit itself it stays under 50 ms."""
MAX_PENDING: Final = 100_000
"""Entries kept in memory while no disk takes them: some 1,500 calls, about 100 MB."""
_MAX_GROUP: Final = 1_000
_RETRY_SECONDS: Final = 0.25


@dataclass(frozen=True, slots=True)
class _Pending:
    seq: int
    event: Event
    decided: tuple[Command, ...]


class Journal:
    """One writer's journal. `append` belongs to one thread, the loop's; `committed` to coroutines of that loop.

    Args:
        directory: where the chain lives. second: used when that fails; ideally another disk.
        writer: the chain's name: `engine`, `web` or `cli`.
        on_alarm: called in the journal's own thread, or in the caller's during `open`.
    """

    def __init__(
        self,
        directory: Path,
        *,
        writer: str,
        centre: CentreId,
        second: Path | None = None,
        on_alarm: OnAlarm = lambda _alarm: None,
        max_pending: int = MAX_PENDING,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._centre = centre
        self._on_alarm = _guarded(on_alarm)
        self._max_pending = max_pending
        self._now = now
        self._core = core_version()
        self._sink = Sink(
            directory=directory, second=second, writer=writer, centre=centre, on_alarm=self._on_alarm, now=now
        )
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._pending: deque[_Pending] = deque()
        self._waiters: list[tuple[int, Future[None]]] = []
        self._last = 0
        self._committed = 0
        self._loss: tuple[int, int] | None = None
        self._losses: list[tuple[int, int]] = []
        self._thread: threading.Thread | None = None

    @property
    def last_seq(self) -> int:
        """The number last given."""
        return self._last

    @property
    def committed_seq(self) -> int:
        """The last number that is on a disk."""
        return self._committed

    @property
    def pending(self) -> int:
        """Entries in memory that are on no disk yet."""
        return len(self._pending)

    @property
    def path(self) -> Path:
        """The file being written now."""
        return self._sink.path

    def claim(self) -> None:
        """Make sure that nobody else writes this chain.

        Raises:
            JournalBusy: another process does.
        """
        self._sink.claim()

    def open(self, *, empty: bool = False, known: int = 0) -> None:
        """Take the chain over and start writing.

        Args:
            empty: in a new chain that forgets those before.
            known: an entry that was written, as a checkpoint says: no number up to it is given again.

        Raises:
            JournalBusy: another process writes this chain.
        """
        self._last = self._committed = self._sink.open(empty=empty, known=known)
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def append(self, event: Event, decided: Sequence[Command] = ()) -> int:
        """Take an entry and give its number at once. Never waits, never raises for want of a disk."""
        with self._lock:
            if len(self._pending) < self._max_pending:
                if self._loss is not None:
                    self._declare_loss(self._loss)
                return self._take(event, tuple(decided))
            self._last += 1
            fresh = self._loss is None
            self._loss = (self._last if self._loss is None else self._loss[0], self._last)
        if fresh:
            self._tell(JournalFault.ENTRIES_LOST, f"memory is full from entry {self._last} on")
        return self._last

    async def committed(self, seq: int) -> None:
        """Return when the entry is on a disk.

        Raises:
            EntryLost: it never will be.
        """
        await asyncio.wrap_future(self._commitment(seq))

    def wait_committed(self, seq: int, timeout_seconds: float) -> None:
        """As `committed`, for callers without a loop.

        Raises:
            EntryLost: it never will be. TimeoutError: it is not yet.
        """
        self._commitment(seq).result(timeout_seconds)

    def close(self, timeout_seconds: float = 5.0) -> None:
        """Write what is pending, as far as a disk takes it, and let the chain go. Blocks."""
        with self._lock:
            if self._loss is not None:
                self._declare_loss(self._loss)
        self._closing.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout_seconds)
        with self._lock:
            waiters, self._waiters = self._waiters, []
        for seq, waiter in waiters:
            _settle(waiter, EntryLost(seq))

    def _commitment(self, seq: int) -> Future[None]:
        waiter: Future[None] = Future()
        with self._lock:
            if self._is_lost(seq) or (self._closing.is_set() and seq > self._committed):
                waiter.set_exception(EntryLost(seq))
            elif seq <= self._committed:
                waiter.set_result(None)
            else:
                self._waiters.append((seq, waiter))
        return waiter

    def _take(self, event: Event, decided: tuple[Command, ...]) -> int:
        self._last += 1
        self._pending.append(_Pending(self._last, event, decided))
        self._wake.set()
        return self._last

    def _declare_loss(self, loss: tuple[int, int]) -> None:
        first, last = loss
        self._take(EntriesLost(at=self._now(), first=first, last=last, count=last - first + 1), ())
        self._losses.append(loss)
        self._loss = None

    def _is_lost(self, seq: int) -> bool:
        losses = self._losses if self._loss is None else [*self._losses, self._loss]
        return any(first <= seq <= last for first, last in losses)

    # --- the writer's thread ----------------------------------------------------------------------------------------

    def _run(self) -> None:
        words: list[Text] = []
        while True:
            self._wake.wait()
            if not self._closing.wait(_RETRY_SECONDS if words else GROUP_SECONDS):
                self._wake.clear()
            try:
                self._put_into_words(words)
                self._sink.write(words)
            except Unwritable:
                self._wake.set()
                if not self._closing.is_set():
                    continue
                break
            self._report_committed(words)
            words.clear()
            if self._pending:
                self._wake.set()
            elif self._closing.is_set():
                break
        self._sink.close()

    def _put_into_words(self, words: list[Text]) -> None:
        """Entries stay in `_pending` until they are committed, so that the memory's bound counts them."""
        for index in range(len(words), min(len(self._pending), _MAX_GROUP)):
            entry = self._pending[index]
            try:
                words.append(self._in_words(entry.seq, entry.event, entry.decided))
            except Exception as error:  # noqa: BLE001 - whatever it is, the entry's place in the order is kept
                fault = type(error).__name__
                self._tell(JournalFault.UNWRITABLE_EVENT, f"{type(entry.event).__name__} at {entry.seq}: {fault}")
                substitute = UnwritableEvent(at=self._now(), name=type(entry.event).__name__, fault=fault)
                words.append(self._in_words(entry.seq, substitute, ()))

    def _in_words(self, seq: int, event: Event, decided: tuple[Command, ...]) -> Text:
        envelope = envelope_of(event, seq, self._centre, self._core)
        return Text(seq, canonical(envelope.document()), canonical(payload_of(event, decided)))

    def _report_committed(self, words: list[Text]) -> None:
        if not words:
            return
        seq = words[-1].seq
        with self._lock:
            for _ in words:
                self._pending.popleft()
            self._committed = seq
            done = [waiter for number, waiter in self._waiters if number <= seq]
            self._waiters = [pair for pair in self._waiters if pair[0] > seq]
        for waiter in done:
            _settle(waiter, None)

    def _tell(self, fault: JournalFault, detail: str) -> None:
        self._on_alarm(JournalAlarm(fault=fault, detail=detail))


def _guarded(on_alarm: OnAlarm) -> OnAlarm:
    def tell(alarm: JournalAlarm) -> None:
        try:
            on_alarm(alarm)
        except Exception:  # noqa: BLE001 - the listener's fault must not stop the writer
            # Whoever listens may be gone (a loop that closed); the journal goes on.
            _log.exception("journal alarm not delivered", fault=alarm.fault)

    return tell


def _settle(waiter: Future[None], error: EntryLost | None) -> None:
    if not waiter.set_running_or_notify_cancel():
        return
    if error is None:
        waiter.set_result(None)
    else:
        waiter.set_exception(error)
