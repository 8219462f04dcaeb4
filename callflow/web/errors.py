"""Why the web refuses: each error with what a client needs to know; `problems.py` says with which status."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from callflow.errors import CallflowError


class WebError(CallflowError):
    """Root of the web's errors."""


class NotSignedIn(WebError):
    """This needs a session."""

    def __init__(self) -> None:
        super().__init__("sign in first: POST /api/v1/session")


class WrongCredentials(WebError):
    """Login and password do not belong together, or the user may not sign in; which, is not told."""

    def __init__(self) -> None:
        super().__init__("login or password is wrong")


class SlowDown(WebError):
    """Too many wrong passwords; try again in a while.

    Attributes:
        after_seconds: how long to wait, at least.
    """

    def __init__(self, after_seconds: float) -> None:
        self.after_seconds = after_seconds
        super().__init__(f"too many attempts; wait {after_seconds:.0f} s")


class NotPermitted(WebError):
    """This person's roles do not allow it."""

    def __init__(self, permissions: Sequence[str]) -> None:
        self.permissions = tuple(permissions)
        super().__init__(f"needs the permission {' or '.join(self.permissions)}")


class ForeignOrigin(WebError):
    """Another site's page sent this request."""

    def __init__(self) -> None:
        super().__init__("this request did not come from our own page")


class MissingToken(WebError):
    """A request that changes something came without the session's token."""

    def __init__(self) -> None:
        super().__init__("the X-CSRF-Token header is missing or is not this session's; GET /api/v1/session tells it")


class NoSuchThing(WebError):
    """There is nothing under this address, or it is not this person's to see.

    Attributes:
        what: `call`, `recording`, `operator`, `page`.
    """

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(f"no such {what}")


class NotReadable(WebError):
    """The body is not JSON."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the body is not readable: {reason}")


class WrongMediaType(WebError):
    """The body is not declared as JSON."""

    def __init__(self) -> None:
        super().__init__("send the body as application/json")


class BodyTooLarge(WebError):
    """The body is longer than this route takes."""

    def __init__(self, largest: int) -> None:
        self.largest = largest
        super().__init__(f"the body may have {largest} bytes at most")


class NotValid(WebError):
    """A query or body does not hold what the route needs.

    Attributes:
        errors: `{"where": …, "what": …}` for each fault.
    """

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        self.errors = errors
        super().__init__("; ".join(f"{error['where']}: {error['what']}" for error in errors))


class CallStillRuns(WebError):
    """The recording is complete only when the call is over."""

    def __init__(self) -> None:
        super().__init__("the call still runs; its recording can be heard once it is over")


class DatabaseAway(WebError):
    """The database does not answer in time; calls and the live page go on without it."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"the database does not answer ({reason}); calls and the live page go on")


class AccessNotRecorded(WebError):
    """A look at a person's data could not be recorded, so that it was not allowed."""

    def __init__(self) -> None:
        super().__init__("this access cannot be recorded now, and nobody looks unrecorded; try again")
