"""Puts the web together: the table of all routes, the page, headers and problems around them."""

from __future__ import annotations

import json
from typing import Final

from aiohttp import web

from callflow.permissions import Permission
from callflow.web.api import (
    alarms,
    callbacks,
    calls,
    classifications,
    codes,
    flows,
    health,
    live,
    operators,
    recordings,
    roster,
    session,
    talk,
)
from callflow.web.context import CONTEXT, WebContext
from callflow.web.headers import set_headers
from callflow.web.openapi import openapi
from callflow.web.page import Page
from callflow.web.problems import problem_middleware
from callflow.web.routes import Asked, Route


async def _describe(asked: Asked) -> web.Response:
    document = openapi(ROUTES, cookie=asked.context.auth.cookie)
    return web.Response(body=json.dumps(document).encode(), content_type="application/json")


ROUTES: Final[tuple[Route, ...]] = (
    *session.ROUTES,
    *calls.ROUTES,
    *recordings.ROUTES,
    *classifications.ROUTES,
    *operators.ROUTES,
    *talk.ROUTES,
    *callbacks.ROUTES,
    *roster.ROUTES,
    *codes.ROUTES,
    *alarms.ROUTES,
    *live.ROUTES,
    *flows.ROUTES,
    *health.ROUTES,
    Route(
        method="GET",
        path="/openapi.json",
        needs=(Permission.ANYONE,),
        handle=_describe,
        summary="This description",
    ),
)


def create_app(context: WebContext) -> web.Application:
    """The application; whoever runs it also runs `context.feed` and the directory."""
    app = web.Application(middlewares=[problem_middleware])
    app[CONTEXT] = context
    for route in ROUTES:
        app.router.add_route(route.method, route.pattern, route.serve)
    Page().add_to(app)
    app.on_response_prepare.append(_finish)
    app.on_shutdown.append(_leave)
    return app


async def _leave(app: web.Application) -> None:
    app[CONTEXT].feed.end()


async def _finish(request: web.Request, response: web.StreamResponse) -> None:
    set_headers(response, behind_tls=request.app[CONTEXT].auth.behind_tls)
