"""Answers every error in one shape, RFC 9457 `application/problem+json`; which error means which status stands here."""

from __future__ import annotations

import json
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import structlog
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from callflow.engine.client import EngineAway, FlowRefused, NotKept, RequestRefused
from callflow.errors import CallflowError
from callflow.storage.errors import BadCursor
from callflow.web import errors
from callflow.web.refusals import REFUSALS

log = structlog.get_logger(__name__)

MEDIA_TYPE: Final = "application/problem+json"
RETRY_SECONDS: Final = 2

_Status = tuple[int, str, str]
STATUSES: Final[Mapping[type[Exception], _Status]] = {
    errors.NotReadable: (400, "not-readable", "The body is not JSON"),
    BadCursor: (400, "bad-cursor", "The cursor is not one of ours"),
    errors.NotSignedIn: (401, "not-signed-in", "Not signed in"),
    errors.WrongCredentials: (401, "wrong-credentials", "Login or password is wrong"),
    errors.NotPermitted: (403, "not-permitted", "Not permitted"),
    errors.ForeignOrigin: (403, "foreign-origin", "The request came from another site"),
    errors.MissingToken: (403, "missing-token", "The session's token is missing"),
    errors.NoSuchThing: (404, "not-found", "Not found"),
    errors.CallStillRuns: (409, "call-still-runs", "The call still runs"),
    RequestRefused: (409, "refused", "The engine refused the request"),
    errors.BodyTooLarge: (413, "body-too-large", "The body is too large"),
    errors.WrongMediaType: (415, "wrong-media-type", "The body is not declared as JSON"),
    errors.NotValid: (422, "not-valid", "The request is not valid"),
    FlowRefused: (422, "flow-refused", "The flow has problems"),
    errors.SlowDown: (429, "slow-down", "Too many attempts"),
    errors.DatabaseAway: (503, "database-away", "The database does not answer"),
    errors.AccessNotRecorded: (503, "access-not-recorded", "The access could not be recorded"),
    EngineAway: (503, "engine-away", "The engine does not answer"),
    NotKept: (503, "not-kept", "In force, but on no disk yet"),
}
_OURS: Final[_Status] = (500, "defect", "A defect of ours")


class Problem(BaseModel):
    """RFC 9457. Further members name what a client needs: `refusal` with `title_id`, `problems`, `errors`."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="urn:callflow:problem:<kind>")
    title: str = Field(description="English; a refusal has the Indonesian beside it, as `title_id`")
    status: int
    detail: str | None = None


@web.middleware
async def problem_middleware(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Turn whatever is raised into a problem; what we did not foresee is logged and told as ours."""
    try:
        return await handler(request)
    except CallflowError as error:
        return problem_of(error)
    except web.HTTPRedirection:
        raise
    except web.HTTPException as error:
        kept = {name: error.headers[name] for name in ("Allow", "Retry-After") if name in error.headers}
        return _answer((error.status, f"http-{error.status}", error.reason), headers=kept)
    except ConnectionError:
        raise
    except Exception:
        log.exception("a request raised", method=request.method, route=_route(request))
        return _answer(_OURS, "see the log")


def problem_of(error: CallflowError) -> web.Response:
    """The answer to an error of ours."""
    status = next((STATUSES[cls] for cls in type(error).__mro__ if cls in STATUSES), _OURS)
    if status is _OURS:
        log.error("an error without a status", error=type(error).__name__)
    more: dict[str, Any] = {}
    headers: dict[str, str] = {}
    match error:
        case RequestRefused():
            words = REFUSALS[error.refusal]
            more |= {"refusal": error.refusal.value, "title_id": words.id}
            # A type of its own for each: RFC 9457 wants the same title wherever the type is the same.
            status = (status[0], f"refused-{error.refusal.replace('_', '-')}", words.en)
        case FlowRefused():
            more["problems"] = error.problems
        case errors.NotValid():
            more["errors"] = error.errors
        case errors.SlowDown():
            headers["Retry-After"] = str(math.ceil(error.after_seconds))
        case _ if status[0] == 503:
            headers["Retry-After"] = str(RETRY_SECONDS)
    return _answer(status, str(error) if status[0] != 500 else "see the log", more, headers)


def _answer(
    status: _Status,
    detail: str | None = None,
    more: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    code, kind, title = status
    body = {"type": f"urn:callflow:problem:{kind}", "title": title, "status": code, "detail": detail, **(more or {})}
    return web.Response(
        status=code,
        body=json.dumps({key: value for key, value in body.items() if value is not None}).encode(),
        headers={**(headers or {}), "Content-Type": MEDIA_TYPE, "Cache-Control": "no-store"},
    )


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "none"
