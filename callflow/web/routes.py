"""One table of what can be asked: each route names its permission, its shapes and its handler; this serves them.

The same table makes the OpenAPI document, so that the two cannot differ.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import hdrs, web
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from callflow.permissions import NOBODY, Permission
from callflow.web.auth import Who
from callflow.web.context import CONTEXT, WebContext
from callflow.web.errors import (
    BodyTooLarge,
    NotPermitted,
    NotReadable,
    NotSignedIn,
    NotValid,
    WrongMediaType,
)

PREFIX: Final = "/api/v1"
LARGEST_BODY: Final = 16 * 1024
_SAFE: Final = frozenset({hdrs.METH_GET, hdrs.METH_HEAD})

PATH_PARAMETERS: Final[Mapping[str, str]] = {
    "call": r"[A-Za-z0-9.\-]{1,160}",
    "login": r"[a-z][a-z0-9\-]{0,30}",
    "track": r"mixed|in|out|consult-[0-9]{1,3}",
}


class Shape(BaseModel):
    """Root of what the API takes and gives."""

    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, checked: who asks, what for, and what to answer from.

    Attributes:
        query, body: instances of the route's shapes.
    """

    request: web.Request
    context: WebContext
    who: Who | None
    query: Any
    body: Any

    @property
    def person(self) -> Who:
        """Who asks, where the route lets nobody in who is not signed in.

        Raises:
            NotSignedIn.
        """
        if self.who is None:
            raise NotSignedIn
        return self.who

    def path(self, name: str) -> str:
        """A part of the path."""
        return self.request.match_info[name]


Handler = Callable[[Asked], Awaitable[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Something that can be asked.

    Attributes:
        path: below /api/v1.
        needs: one of these permissions is enough.
        answer: what the handler returns, as a type; None = it makes its own response, of `media_type`.
        errors: statuses beyond those that every such route may answer with.
        needs_token: False for what begins a session.
    """

    method: str
    path: str
    needs: tuple[Permission, ...]
    handle: Handler
    summary: str
    answer: Any = None
    status: int = 200
    media_type: str = "application/json"
    query: type[Shape] | None = None
    body: type[Shape] | None = None
    errors: tuple[int, ...] = ()
    needs_token: bool = True
    largest_body: int = LARGEST_BODY
    adapter: TypeAdapter[Any] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        if self.answer is not None:
            object.__setattr__(self, "adapter", TypeAdapter(self.answer))

    @property
    def is_safe(self) -> bool:
        """Whether it only looks."""
        return self.method in _SAFE

    @property
    def pattern(self) -> str:
        """The path with what its parameters may be, for aiohttp."""
        path = PREFIX + self.path
        for name, pattern in PATH_PARAMETERS.items():
            path = path.replace(f"{{{name}}}", f"{{{name}:{pattern}}}")
        return path

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Check who asks and what, have it handled, and answer."""
        context = request.app[CONTEXT]
        began = time.perf_counter()
        status = 500
        try:
            who = context.auth.recognise(request)
            response = await self._answer(request, context, who)
            status = response.status
            # One that is on its way has its headers out; signing in and out have set the cookie themselves.
            if who is not None and not response.prepared and context.auth.cookie not in response.cookies:
                context.auth.renew(response, who.session)
        finally:
            context.metrics.requests.labels(self.path, str(status)).observe(time.perf_counter() - began)
        return response

    async def _answer(self, request: web.Request, context: WebContext, who: Who | None) -> web.StreamResponse:
        auth = context.auth
        if not self.is_safe or hdrs.UPGRADE in request.headers:
            auth.check_origin(request)
        if not (who.permissions if who else NOBODY).intersection(self.needs):
            raise NotSignedIn if who is None else NotPermitted(self.needs)
        if who is not None and not self.is_safe and self.needs_token:
            auth.check_token(request, who)
        asked = Asked(request, context, who, self._parsed_query(request), await self._parsed_body(request))
        answer = await self.handle(asked)
        if isinstance(answer, web.StreamResponse):
            return answer
        if self.adapter is None:
            return web.Response(status=self.status)
        return web.Response(
            status=self.status, body=self.adapter.dump_json(answer), content_type=self.media_type, charset="utf-8"
        )

    def _parsed_query(self, request: web.Request) -> Shape | None:
        repeated = sorted({name for name in request.query if len(request.query.getall(name)) > 1})
        if repeated:
            raise NotValid([{"where": f"query.{name}", "what": "stands twice"} for name in repeated])
        return _validated("query", (self.query or Nothing).model_validate, dict(request.query))

    async def _parsed_body(self, request: web.Request) -> Shape | None:
        if self.body is None:
            return None
        if request.content_type != "application/json":
            raise WrongMediaType
        return _validated("body", self.body.model_validate_json, await self._read(request))

    async def _read(self, request: web.Request) -> bytes:
        read = bytearray()
        async for chunk in request.content.iter_any():
            read += chunk
            if len(read) > self.largest_body:
                raise BodyTooLarge(self.largest_body)
        return bytes(read)


class Nothing(Shape):
    """A query that takes no parameters."""


def _validated(where: str, validate: Callable[[Any], Shape], given: Any) -> Shape:
    try:
        return validate(given)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        if any(fault["type"] == "json_invalid" for fault in faults):
            raise NotReadable(faults[0]["msg"]) from None
        raise NotValid(
            [{"where": ".".join([where, *map(str, fault["loc"])]), "what": fault["msg"]} for fault in faults]
        ) from None
