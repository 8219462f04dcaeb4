"""Health: that the web answers, to anyone; how the parts are, to those who may know; figures for Prometheus."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any, Final, Literal

from aiohttp import web
from sqlalchemy import text

from callflow.engine.client import EngineAway
from callflow.permissions import Permission
from callflow.web.context import WebContext
from callflow.web.errors import DatabaseAway, NotPermitted, NotSignedIn
from callflow.web.routes import Asked, Route, Shape


class PartsShown(Shape):
    """The parts: `engine` null = away; `live_readers` are browsers on the live page."""

    engine: dict[str, Any] | None
    following_engine: bool
    database: Literal["connected", "away"]
    live_readers: int


class HealthShown(Shape):
    """`ok` says that the web answers, no more; `parts` null where one may not see them."""

    status: Literal["ok"]
    parts: PartsShown | None


async def show(asked: Asked) -> HealthShown:
    """How we are."""
    parts = None
    if asked.who is not None and asked.who.may(Permission.SEE_HEALTH):
        parts = await _parts(asked.context)
    return HealthShown(status="ok", parts=parts)


async def _parts(context: WebContext) -> PartsShown:
    engine: dict[str, Any] | None
    try:
        engine = await context.engine.health()
    except EngineAway:
        engine = None
    database: Literal["connected", "away"] = "connected"
    try:
        async with context.database.reading() as session:
            await session.execute(text("SELECT 1"))
    except DatabaseAway:
        database = "away"
    return PartsShown(
        engine=engine,
        following_engine=context.feed.connected,
        database=database,
        live_readers=context.feed.readers,
    )


async def figures(asked: Asked) -> web.Response:
    """Prometheus text: the web's figures and, when it answers, the engine's."""
    if asked.who is None and not _is_local(asked):
        raise NotSignedIn
    if asked.who is not None and not asked.who.may(Permission.SEE_METRICS) and not _is_local(asked):
        raise NotPermitted((Permission.SEE_METRICS,))
    context = asked.context
    context.metrics.engine_connected.set(1 if context.feed.connected else 0)
    try:
        engine = await context.engine.metrics()
    except EngineAway:
        engine = b""
    return web.Response(body=context.metrics.text() + engine, headers={"Content-Type": "text/plain; version=0.0.4"})


def _is_local(asked: Asked) -> bool:
    """From this very machine. Behind a proxy everybody seems to be, so that nobody counts as such there."""
    if asked.context.auth.behind_tls or asked.request.remote is None:
        return False
    return ip_address(asked.request.remote).is_loopback


ROUTES: Final = (
    Route(
        method="GET",
        path="/health",
        needs=(Permission.ANYONE,),
        handle=show,
        summary="That the web answers; how the parts are to those who may see it",
        answer=HealthShown,
    ),
    Route(
        method="GET",
        path="/metrics",
        needs=(Permission.ANYONE,),
        handle=figures,
        summary="Figures for Prometheus: from this machine, or with the permission",
        media_type="text/plain",
        errors=(401, 403),
    ),
)
