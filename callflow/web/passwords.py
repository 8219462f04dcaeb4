"""Hashes and checks passwords with argon2id, a few at a time and off the loop; an unknown user costs the same time."""

from __future__ import annotations

import asyncio
import secrets
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

AT_ONCE: Final = 2
"""Each takes 64 MiB and a core for some 50 ms: a storm of logins must not take the machine from the calls."""
WAITING_AT_MOST: Final = 40
SHORTEST: Final = 10
LONGEST: Final = 256


class TooBusy(Exception):
    """More people sign in at once than can be checked soon."""


def new_password() -> str:
    """A password that can be read out over the phone: four groups, 80 bits, no letters that look alike."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(4))


def hash_password(password: str) -> str:
    """The argon2id hash, with its parameters and salt. Takes some 50 ms."""
    return PasswordHasher().hash(password)


class Passwords:
    """Checks passwords for one web process."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._decoy = self._hasher.hash(secrets.token_urlsafe(16))
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def fits(self, password_hash: str | None, password: str) -> bool:
        """Whether the password belongs to the hash; None = there is no such user, which takes as long and fails.

        Raises:
            TooBusy.
        """
        if self._waiting >= WAITING_AT_MOST:
            raise TooBusy
        self._waiting += 1
        try:
            async with self._slots:
                fits = await asyncio.to_thread(self._verify, password_hash or self._decoy, password)
        finally:
            self._waiting -= 1
        return fits and password_hash is not None

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False
