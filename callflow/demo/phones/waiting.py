"""Waits for a fact about a phone: looks again after each report, and says what did not happen in time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from callflow.demo.phones.errors import NotInTime

Fact = TypeVar("Fact")


class Changes:
    """Wakes those who wait whenever something changed.

    Args:
        phone: the phone's name, for the error.
    """

    def __init__(self, phone: str) -> None:
        self._phone = phone
        self._waiters: set[asyncio.Future[None]] = set()
        self._failure: Exception | None = None

    def tell(self) -> None:
        """Something changed."""
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._waiters.clear()

    def fail(self, error: Exception) -> None:
        """Nothing will change any more: whoever waits gets `error`, unless the fact is there already."""
        self._failure = error
        self.tell()

    async def until(self, fact: Callable[[], Fact | None], awaited: str, timeout_seconds: float) -> Fact:
        """The fact, as soon as `fact()` gives something other than None; what it raises is raised.

        Raises:
            NotInTime: when it was not so within `timeout_seconds`; `awaited` says what.
        """
        try:
            async with asyncio.timeout(timeout_seconds):
                while (value := fact()) is None:
                    if self._failure is not None:
                        raise self._failure
                    waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                    self._waiters.add(waiter)
                    try:
                        await waiter
                    finally:
                        self._waiters.discard(waiter)
                return value
        except TimeoutError as error:
            raise NotInTime(self._phone, awaited, timeout_seconds) from error
