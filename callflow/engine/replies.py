"""Brings the core's replies to the people who asked, and waits a bounded time until what they asked for is on disk."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, TypeAlias

from callflow.core.commands import Refusal, Reply
from callflow.core.events import Event
from callflow.core.ids import RequestId
from callflow.engine.ports import Journal
from callflow.errors import CallflowError

COMMIT_WITHIN_SECONDS: Final = 3.0
"""A person waits no longer for the journal's disk."""

Answered: TypeAlias = tuple[int, Refusal | None]
"""The journal's number of the turn that decided, and why it was refused; None = done."""


class NotOnDisk(CallflowError):
    """What was asked for is done and in force, but the journal's disk does not take it now."""

    def __init__(self) -> None:
        super().__init__(
            "it is in force, but the journal cannot be written now: it may be forgotten if the engine ends before its "
            "disk is mended, see the alarms"
        )


class DecisionRaised(CallflowError):
    """The core raised on a person's request; nothing changed, and an alarm stands."""

    def __init__(self, event: str) -> None:
        super().__init__(f"the decision on a {event} failed; nothing was changed, see the alarms")


class Replies:
    """Who waits for which reply."""

    def __init__(self) -> None:
        self._waiting: dict[RequestId, asyncio.Future[Answered]] = {}

    @contextmanager
    def awaited(self, request: RequestId) -> Iterator[asyncio.Future[Answered]]:
        """The reply to a request that is handed in within `with`; it raises DecisionRaised when the decision did."""
        reply: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
        self._waiting[request] = reply
        try:
            yield reply
        finally:
            del self._waiting[request]

    def give(self, reply: Reply, seq: int) -> None:
        """Bring the core's reply of turn `seq`; one that nobody waits for any more is dropped."""
        waiting = self._waiting.get(reply.request)
        if waiting is not None and not waiting.done():
            waiting.set_result((seq, reply.refusal))

    def fail(self, event: Event) -> None:
        """The decision on an event raised: who asked for it, if anybody did, is not left waiting."""
        request = getattr(event, "request", None)
        waiting = None if request is None else self._waiting.get(request)
        if waiting is not None and not waiting.done():
            waiting.set_exception(DecisionRaised(type(event).__name__))


async def on_disk(journal: Journal, seq: int) -> None:
    """Wait until the journal's turn `seq` is on disk.

    Raises:
        NotOnDisk: it is not within 3 s, or cannot be.
    """
    try:
        async with asyncio.timeout(COMMIT_WITHIN_SECONDS):
            await journal.committed(seq)
    except (TimeoutError, CallflowError) as error:
        raise NotOnDisk from error
