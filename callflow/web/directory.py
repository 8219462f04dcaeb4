"""Who may sign in, in memory, with a copy on the local disk: people sign in while the database is down.

A user who is disabled while the database is away stays able to sign in until it is back: an empty desk costs more.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import structlog

from callflow.permissions import Role
from callflow.storage.users import Account
from callflow.web.errors import DatabaseAway

log = structlog.get_logger(__name__)

REFRESH_SECONDS: Final = 5.0
"""How soon a change of a user, or the end of sessions, is felt."""
FRESH_SECONDS: Final = 1.0


class Directory:
    """The centre's accounts.

    Args:
        read: all accounts from the database; raises DatabaseAway.
        copy: the local copy, mode 0600; it holds password hashes.
    """

    def __init__(self, read: Callable[[], Awaitable[Iterable[Account]]], copy: Path) -> None:
        self._read = read
        self._copy = copy
        self._accounts: dict[str, Account] = {}
        self._asked_at: float | None = None
        self._reading = asyncio.Lock()
        self.fresh = False

    def find(self, login: str) -> Account | None:
        """The account of this login."""
        return self._accounts.get(login)

    @property
    def knows_nobody(self) -> bool:
        """Whether the accounts were never read, from the database or the copy."""
        return not self._accounts and not self.fresh

    def load_copy(self) -> None:
        """Begin with what was known last."""
        try:
            entries = json.loads(self._copy.read_text(encoding="utf-8"))
            self._accounts = {entry["login"]: _account(entry) for entry in entries}
        except FileNotFoundError:
            return
        except (ValueError, KeyError, TypeError, OSError) as error:
            log.warning("the local copy of the users is not readable", path=str(self._copy), error=type(error).__name__)

    async def refresh(self) -> None:
        """Read the accounts, unless that was tried a moment ago. A database that is away changes nothing."""
        async with self._reading:
            if self._asked_at is not None and time.monotonic() - self._asked_at < FRESH_SECONDS:
                return
            try:
                accounts = {account.login: account for account in await self._read()}
            except DatabaseAway as error:
                if self.fresh or not self._accounts:
                    log.warning("the users cannot be read; going on with those known", reason=error.reason)
                self.fresh = False
                return
            finally:
                self._asked_at = time.monotonic()
            self.fresh = True
            if accounts != self._accounts:
                self._accounts = accounts
                await asyncio.to_thread(self._keep, tuple(accounts.values()))

    async def run(self) -> None:
        """Keep the accounts fresh, for ever."""
        while True:
            await self.refresh()
            await asyncio.sleep(REFRESH_SECONDS)

    def _keep(self, accounts: Iterable[Account]) -> None:
        text = json.dumps([{**asdict(account), "roles": sorted(account.roles)} for account in accounts])
        try:
            self._copy.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            new = self._copy.with_suffix(".new")
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
                file.write(text)
            new.replace(self._copy)
        except OSError as error:
            log.warning("the local copy of the users cannot be written", error=type(error).__name__)


def _account(entry: dict[str, Any]) -> Account:
    return Account(**{**entry, "roles": frozenset(Role(role) for role in entry["roles"])})
