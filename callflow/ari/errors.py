"""Errors of ARI: what Asterisk refused, what did not arrive, and what Asterisk sent that is no ARI."""

from __future__ import annotations

from callflow.errors import CallflowError


class AriError(CallflowError):
    """Root of ARI's errors."""


class MalformedMessage(AriError):
    """A message lacks a field that Asterisk's own description requires, or has another type there."""

    def __init__(self, kind: str, field: str) -> None:
        self.kind = kind
        self.field = field
        super().__init__(f"{kind}: field {field!r} is missing or of a wrong type")


class Refused(AriError):
    """Asterisk answered a request with an error status.

    Attributes:
        status: HTTP status.
        operation: method and path template of the request.
        reason: Asterisk's word.
    """

    def __init__(self, status: int, operation: str, reason: str) -> None:
        self.status = status
        self.operation = operation
        self.reason = reason
        super().__init__(f"{operation}: {status} {reason}")


class BadRequest(Refused):
    """400: a parameter is wrong, or names something that is not there."""


class Unauthorized(Refused):
    """401 or 403: the user or password in ari.conf is another one, or the user is read-only."""


class NotFound(Refused):
    """404: the channel, bridge or playback is gone."""


class Conflict(Refused):
    """409: the id exists already, or the channel is not in Stasis."""


class WrongState(Refused):
    """412: the resource is in a state that does not allow it."""


class Unprocessable(Refused):
    """422: the resource is not in a Stasis application."""


class ServerFault(Refused):
    """5xx: Asterisk could not do it."""


_BY_STATUS: dict[int, type[Refused]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Unauthorized,
    404: NotFound,
    409: Conflict,
    412: WrongState,
    422: Unprocessable,
}


def refusal(status: int, operation: str, reason: str) -> Refused:
    """The error for an HTTP status of 400 or more."""
    kind = _BY_STATUS.get(status, ServerFault if status >= 500 else Refused)
    return kind(status, operation, reason)


class NotConnected(AriError):
    """The request was never sent: there is no connection."""

    def __init__(self, operation: str) -> None:
        self.operation = operation
        super().__init__(f"{operation}: not connected with Asterisk")


class OutcomeUnknown(AriError):
    """The request was sent, and the connection or the time ended before the answer: it may have been done."""

    def __init__(self, operation: str, why: str) -> None:
        self.operation = operation
        super().__init__(f"{operation}: {why}; it may have been done")


class Unheard(AriError):
    """Asterisk's events do not reach us although the websocket is up: connect anew."""

    def __init__(self, application: str, why: str) -> None:
        super().__init__(f"events of the application {application!r} do not reach us: {why}")


class Stale(AriError):
    """What waits unread in the connection is older than what we need to know: connect anew."""

    def __init__(self) -> None:
        super().__init__("the connection is given up for a new one, which takes stock")


class Fenced(AriError):
    """Another engine connected under our application's name: it owns the calls now. Stop, and never reconnect."""

    def __init__(self, application: str) -> None:
        self.application = application
        super().__init__(f"another engine took over the application {application!r}")
