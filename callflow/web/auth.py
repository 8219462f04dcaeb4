"""Decides who sends a request: signs people in and out, recognises their sessions, refuses other sites' requests."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from callflow.permissions import Permission, PermissionTable
from callflow.storage.users import Account
from callflow.web.directory import Directory
from callflow.web.errors import DatabaseAway, ForeignOrigin, MissingToken, NotPermitted, SlowDown, WrongCredentials
from callflow.web.passwords import Passwords, TooBusy
from callflow.web.sessions import EndedSessions, Seal, Session
from callflow.web.throttle import Throttle

CSRF_HEADER: Final = "X-CSRF-Token"
_BUSY_SECONDS: Final = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """A person who is signed in.

    Attributes:
        operator: the operator this person is; None when none.
    """

    login: str
    roles: tuple[str, ...]
    permissions: frozenset[Permission]
    operator: str | None
    session: Session

    def may(self, permission: Permission) -> bool:
        """Whether this person may do that."""
        return permission in self.permissions

    def acts_for(self, operator: str, needs: Permission) -> bool:
        """Whether this is somebody else's matter, which takes a permission.

        Raises:
            NotPermitted: it is, and this person does not have it.
        """
        if operator == self.operator:
            return False
        if not self.may(needs):
            raise NotPermitted((needs,))
        return True


class Auth:
    """Sign-in, sessions and where requests come from.

    Args:
        now: seconds since 1970.
        behind_tls: browsers come by https, through a proxy of ours that sets X-Forwarded-For.
    """

    def __init__(
        self,
        *,
        seal: Seal,
        ended: EndedSessions,
        directory: Directory,
        passwords: Passwords,
        throttle: Throttle,
        table: PermissionTable,
        now: Callable[[], float],
        behind_tls: bool,
    ) -> None:
        self._seal = seal
        self._ended = ended
        self._directory = directory
        self._passwords = passwords
        self._throttle = throttle
        self._table = table
        self._now = now
        self.behind_tls = behind_tls

    @property
    def cookie(self) -> str:
        """The cookie's name; `__Host-` binds it to this very host wherever TLS allows that."""
        return "__Host-callflow" if self.behind_tls else "callflow"

    async def sign_in(self, login: str, password: str, address: str) -> Who:
        """Begin a session.

        Raises:
            WrongCredentials, SlowDown. DatabaseAway: who there is was never read yet.
        """
        wait = self._throttle.wait_seconds(login, address)
        if wait > 0:
            raise SlowDown(wait)
        await self._directory.refresh()
        account = self._directory.find(login)
        if self._directory.knows_nobody:
            raise DatabaseAway("users")  # 'wrong password' would be a lie, and counted against them
        try:
            fits = await self._passwords.fits(None if account is None else account.password_hash, password)
        except TooBusy:
            raise SlowDown(_BUSY_SECONDS) from None
        if account is None or not fits or not account.active:
            self._throttle.failed(login, address)
            raise WrongCredentials
        self._throttle.succeeded(login, address)
        return self._who(account, Session.begin(login, account.session_version, self._now()))

    def sign_out(self, who: Who) -> None:
        """End the session, in every browser that holds its cookie."""
        self._ended.end(who.session)

    def recognise(self, request: web.Request) -> Who | None:
        """Who sends this request; None when nobody is signed in or the session is over."""
        cookie = request.cookies.get(self.cookie)
        session = self._seal.open(cookie) if cookie else None
        return None if session is None else self.valid(session)

    def valid(self, session: Session) -> Who | None:
        """Whom a session stands for now; None when it is over, was ended, or its person may not sign in any more."""
        account = self._directory.find(session.login)
        if account is None or not account.active or account.session_version != session.version:
            return None
        if session.is_over(self._now()) or session in self._ended:
            return None
        return self._who(account, session)

    def renew(self, response: web.StreamResponse, session: Session) -> None:
        """Tell the session's last use anew in the cookie, when that is due."""
        used = session.used(self._now())
        if used is not None:
            self.set_cookie(response, used)

    def set_cookie(self, response: web.StreamResponse, session: Session) -> None:
        """Give the browser the session."""
        response.set_cookie(
            self.cookie, self._seal.close(session), path="/", httponly=True, samesite="Strict", secure=self.behind_tls
        )

    def drop_cookie(self, response: web.StreamResponse) -> None:
        """Take the session from the browser."""
        response.del_cookie(self.cookie, path="/", httponly=True, samesite="Strict", secure=self.behind_tls)

    def check_origin(self, request: web.Request) -> None:
        """Refuse what another site's page sent. Programs that are no browser send no Origin, and pass.

        Raises:
            ForeignOrigin.
        """
        origin = request.headers.get("Origin")
        if origin is None:
            if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
                raise ForeignOrigin
            return
        if origin != f"{'https' if self.behind_tls else 'http'}://{request.host}":
            raise ForeignOrigin

    def check_token(self, request: web.Request, who: Who) -> None:
        """Refuse a change without the session's token.

        Raises:
            MissingToken.
        """
        given = request.headers.get(CSRF_HEADER, "")
        if not hmac.compare_digest(given.encode(), who.session.csrf.encode()):
            raise MissingToken

    def address(self, request: web.Request) -> str:
        """Where the request comes from; behind our proxy, what that says."""
        forwarded = request.headers.get("X-Forwarded-For", "")
        if self.behind_tls and forwarded:
            return forwarded.rpartition(",")[2].strip()
        return request.remote or "unknown"

    def _who(self, account: Account, session: Session) -> Who:
        return Who(
            login=account.login,
            roles=tuple(sorted(account.roles)),
            permissions=self._table.of(account.roles),
            operator=account.operator,
            session=session,
        )
