"""Many operators' lines on as few phone processes as will do, so that all of them can talk at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from callflow.demo.phones.phone import MAX_CALLS, Phone


@dataclass(frozen=True)
class PhoneBank:
    """Phones that share the lines of many operators.

    Attributes:
        phones: the processes, each with as many lines as it can have calls.
        phone_of: the phone of each user; the line bears the user's name.
    """

    phones: tuple[Phone, ...]
    phone_of: Mapping[str, Phone]

    @property
    def faults(self) -> list[str]:
        """What went wrong inside any of the phones."""
        return [fault for phone in self.phones for fault in phone.faults]

    async def auto_answer(self, *, after_seconds: float = 0.0, tone_hz: float | None = None) -> None:
        """Take every further call on every line."""
        for phone in self.phones:
            await phone.auto_answer(after_seconds=after_seconds, tone_hz=tone_hz)


@asynccontextmanager
async def phone_bank(
    host: str,
    port: int,
    passwords: Mapping[str, str],
    *,
    bind: str = "127.0.0.1",
    recordings: Path | None = None,
) -> AsyncIterator[PhoneBank]:
    """Register every user of `passwords` at `host:port`, and end all phones afterwards.

    Raises:
        RegistrationRefused: when the registrar turns one of them down.
    """
    users = tuple(passwords)
    groups = [users[start : start + MAX_CALLS] for start in range(0, len(users), MAX_CALLS)]
    async with AsyncExitStack() as stack:
        phone_of: dict[str, Phone] = {}
        for number, group in enumerate(groups, 1):
            phone = await stack.enter_async_context(Phone.start(bind=bind, name=f"bank{number}", recordings=recordings))
            phone_of |= dict.fromkeys(group, phone)
        await asyncio.gather(*(phone.register(host, port, user, passwords[user]) for user, phone in phone_of.items()))
        yield PhoneBank(phones=tuple(dict.fromkeys(phone_of.values())), phone_of=phone_of)
