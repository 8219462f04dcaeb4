"""Who may sign in on the web: finds and changes users. A change that must end open sessions counts the version up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from callflow.permissions import Role
from callflow.storage.errors import StorageError
from callflow.storage.models import User


class UserExists(StorageError):
    """Somebody has this login already."""

    def __init__(self, login: str) -> None:
        self.login = login
        super().__init__(f"there is a user {login!r} already; see 'callflow users list'")


class UnknownUser(StorageError):
    """Nobody has this login."""

    def __init__(self, login: str) -> None:
        self.login = login
        super().__init__(f"there is no user {login!r}; see 'callflow users list'")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user as login and sessions need to know them.

    Attributes:
        operator: the operator this person is; None when none.
        session_version: a session that was opened under another one is over.
    """

    centre: str
    login: str
    password_hash: str = field(repr=False)
    roles: frozenset[Role]
    active: bool
    operator: str | None
    session_version: int


async def list_accounts(session: AsyncSession, centre: str) -> tuple[Account, ...]:
    """All of the centre's users, by login."""
    query = select(User).where(User.centre_id == centre).order_by(User.login)
    return tuple(_account(row) for row in await session.scalars(query))


async def add_account(
    session: AsyncSession,
    *,
    centre: str,
    login: str,
    password_hash: str,
    roles: Iterable[Role],
    operator: str | None,
    at: datetime,
) -> Account:
    """Add a user, who may sign in from now on.

    Raises:
        UserExists.
    """
    if await _row(session, centre, login) is not None:
        raise UserExists(login)
    row = User(
        centre_id=centre,
        login=login,
        password_hash=password_hash,
        roles=sorted(role.value for role in roles),
        active=True,
        operator_id=operator,
        session_version=1,
        created_at=at,
        changed_at=at,
    )
    session.add(row)
    await session.flush()
    return _account(row)


async def set_password(session: AsyncSession, *, centre: str, login: str, password_hash: str, at: datetime) -> None:
    """Give a user another password; every open session of this person ends.

    Raises:
        UnknownUser.
    """
    row = await _known(session, centre, login)
    row.password_hash = password_hash
    _end_sessions(row, at)


async def set_active(session: AsyncSession, *, centre: str, login: str, active: bool, at: datetime) -> None:
    """Let a user sign in, or not any more; every open session of this person ends.

    Raises:
        UnknownUser.
    """
    row = await _known(session, centre, login)
    row.active = active
    _end_sessions(row, at)


def _end_sessions(row: User, at: datetime) -> None:
    row.session_version += 1
    row.changed_at = at


async def _known(session: AsyncSession, centre: str, login: str) -> User:
    row = await _row(session, centre, login)
    if row is None:
        raise UnknownUser(login)
    return row


async def _row(session: AsyncSession, centre: str, login: str) -> User | None:
    found: User | None = await session.scalar(select(User).where(User.centre_id == centre, User.login == login))
    return found


def _account(row: User) -> Account:
    known = {role.value for role in Role}
    return Account(
        centre=row.centre_id,
        login=row.login,
        password_hash=row.password_hash,
        roles=frozenset(Role(name) for name in row.roles if name in known),
        active=row.active,
        operator=row.operator_id,
        session_version=row.session_version,
    )
