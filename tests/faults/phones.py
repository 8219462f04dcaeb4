"""Faults of operators' phones: unplugged, frozen, or no longer registered."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from callflow.demo.phones.phone import Phone


@asynccontextmanager
async def phone_unplugged(phone: Phone) -> AsyncIterator[None]:
    """The phone dies for good, without BYE or leave: its contact stays registered, and answers nothing."""
    await phone.vanish()
    yield


@asynccontextmanager
async def phone_frozen(phone: Phone) -> AsyncIterator[None]:
    """The phone answers nothing and sends nothing, until the end: then it goes on as if nothing had been."""
    os.kill(phone.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(phone.pid, signal.SIGCONT)


@asynccontextmanager
async def registration_lost(phone: Phone, line: str) -> AsyncIterator[None]:
    """The contact is gone, and the phone itself is well; whoever needs it registers it again."""
    await phone.unregister(line)
    yield
