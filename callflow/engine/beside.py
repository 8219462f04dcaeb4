"""What the engine says of those beside it that cannot: the worker, the watchdog, the centre document."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Final

from callflow.centre.in_force import CentreInForce
from callflow.core.centre_facts import AlarmKind
from callflow.engine.figures import Figures
from callflow.engine.heartbeat import HeartbeatReader
from callflow.engine.telling import Fault, Watch

AWAY_SECONDS: Final = 30.0
"""A process that is restarted is back long before."""


def worker_watch(figures: Figures, now: Callable[[], float] = time.monotonic) -> Watch:
    """The worker, which tells of database, disks, prompts and recordings: without it nobody knows of those."""
    began = now()

    async def look() -> Iterable[Fault]:
        if min(figures.age_seconds, now() - began) <= AWAY_SECONDS:
            return ()
        detail = (
            "the worker is away: no record reaches the database, and nobody watches disks, prompts and recordings; "
            "see its log"
        )
        return (Fault(kind=AlarmKind.WORKER_AWAY, detail=detail),)

    return Watch(kinds=(AlarmKind.WORKER_AWAY,), look=look)


def watchdog_watch(turns: HeartbeatReader, now: Callable[[], float] = time.monotonic) -> Watch:
    """The watchdog: without it nobody sends callers on while the engine is away."""
    began = now()

    async def look() -> Iterable[Fault]:
        age = turns.turned_seconds()
        if now() - began <= AWAY_SECONDS or (age is not None and age <= AWAY_SECONDS):
            return ()
        detail = "the watchdog is away: were this engine to fail now, callers would wait until it is back; see its log"
        return (Fault(kind=AlarmKind.WATCHDOG_AWAY, detail=detail),)

    return Watch(kinds=(AlarmKind.WATCHDOG_AWAY,), look=look)


def centre_watch(centre: CentreInForce) -> Watch:
    """The centre document: told while it is wrong, before the next restart goes by the copy."""

    async def look() -> Iterable[Fault]:
        await asyncio.to_thread(lambda: centre.document)
        if not centre.wrong:
            return ()
        detail = f"the centre document is wrong, what it said before stays in force: {centre.wrong}"
        return (Fault(kind=AlarmKind.CENTRE_UNREADABLE, detail=detail),)

    return Watch(kinds=(AlarmKind.CENTRE_UNREADABLE,), look=look)
