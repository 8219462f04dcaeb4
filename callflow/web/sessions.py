"""Sessions in an encrypted cookie: what one holds, when it is over, and which were ended before their time."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final, Self

from cryptography.fernet import Fernet, InvalidToken

IDLE_SECONDS: Final = 30 * 60
"""Without a request for so long it is over; an open page asks every few minutes."""
LONGEST_SECONDS: Final = 14 * 3600
"""A shift of eight hours and one that the next person never came to end."""
RENEW_AFTER_SECONDS: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One sign-in of one person in one browser.

    Attributes:
        version: the account's session version at sign-in.
        csrf: what a request that changes something carries in X-CSRF-Token.
        created, seen: seconds since 1970.
    """

    id: str
    login: str
    version: int
    csrf: str = field(repr=False)
    created: float
    seen: float

    @classmethod
    def begin(cls, login: str, version: int, now: float) -> Self:
        """A new session."""
        return cls(
            id=secrets.token_urlsafe(18),
            login=login,
            version=version,
            csrf=secrets.token_urlsafe(24),
            created=now,
            seen=now,
        )

    @property
    def ends_at(self) -> float:
        """When it is over, whatever happens."""
        return self.created + LONGEST_SECONDS

    def is_over(self, now: float) -> bool:
        """Whether it stood unused, or stood at all, for too long."""
        return now > self.ends_at or now > self.seen + IDLE_SECONDS

    def used(self, now: float) -> Self | None:
        """The session with its last use told anew; None when that is not worth a new cookie yet."""
        return replace(self, seen=now) if now > self.seen + RENEW_AFTER_SECONDS else None


class Seal:
    """Turns sessions into cookies that nobody else can read or make.

    Args:
        secret: any long random text, the same for every web process.
    """

    def __init__(self, secret: str) -> None:
        self._fernet = Fernet(base64.urlsafe_b64encode(hashlib.sha256(secret.encode()).digest()))

    def close(self, session: Session) -> str:
        """The cookie's value."""
        return self._fernet.encrypt(json.dumps(asdict(session)).encode()).decode()

    def open(self, cookie: str) -> Session | None:
        """The session in a cookie; None when it is none of ours."""
        try:
            return Session(**json.loads(self._fernet.decrypt(cookie.encode("ascii", "replace"))))
        except (InvalidToken, ValueError, TypeError):
            return None


class EndedSessions:
    """Sessions that their people ended by signing out: a cookie copied before is worth nothing.

    Args:
        path: one line a session, kept so that a restart forgets none.
        now: seconds since 1970.
    """

    def __init__(self, path: Path, now: Callable[[], float]) -> None:
        self._path = path
        self._now = now
        self._ends_at: dict[str, float] = {}

    def load(self) -> None:
        """Read what was kept, and forget those that are over by themselves."""
        try:
            lines = self._path.read_text(encoding="ascii").splitlines()
        except FileNotFoundError:
            return
        for line in lines:
            name, _, ends_at = line.partition(" ")
            try:
                self._ends_at[name] = float(ends_at)
            except ValueError:
                continue
        self._ends_at = {name: at for name, at in self._ends_at.items() if at > self._now()}
        kept = self._path.with_suffix(".new")
        kept.write_text("".join(f"{name} {at}\n" for name, at in self._ends_at.items()), encoding="ascii")
        kept.chmod(0o600)
        kept.replace(self._path)

    def end(self, session: Session) -> None:
        """End a session."""
        self._ends_at[session.id] = session.ends_at
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "a", encoding="ascii") as file:
            file.write(f"{session.id} {session.ends_at}\n")

    def __contains__(self, session: Session) -> bool:
        return session.id in self._ends_at
