"""The live websocket's address; `web/live.py` serves it."""

from __future__ import annotations

from typing import Final

from aiohttp import hdrs, web
from pydantic import Field

from callflow.permissions import Permission
from callflow.web.errors import NotValid
from callflow.web.live import serve_live
from callflow.web.routes import Asked, Route, Shape


class LiveQuery(Shape):
    """`after` = the last `seq` that was seen."""

    after: int | None = Field(default=None, ge=0, le=2**53)


async def follow(asked: Asked) -> web.StreamResponse:
    """Follow live."""
    if asked.request.headers.get(hdrs.UPGRADE, "").lower() != "websocket":
        raise NotValid([{"where": "header.Upgrade", "what": "this is a websocket"}])
    query: LiveQuery = asked.query
    return await serve_live(asked.request, asked.context, asked.person, query.after)


ROUTES: Final = (
    Route(
        method="GET",
        path="/live",
        needs=(Permission.SEE_LIVE,),
        handle=follow,
        summary="A websocket: a snapshot, then facts; resumes after `seq`",
        status=101,
        query=LiveQuery,
    ),
)
