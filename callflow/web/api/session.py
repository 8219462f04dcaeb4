"""The session: signing in, who one is, signing out."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web
from pydantic import Field, SecretStr

from callflow.permissions import Permission
from callflow.web.auth import Who
from callflow.web.context import WebContext
from callflow.web.errors import SlowDown, WrongCredentials
from callflow.web.passwords import LONGEST
from callflow.web.routes import Asked, Route, Shape


class Credentials(Shape):
    """What a person signs in with."""

    login: str = Field(min_length=1, max_length=64)
    password: SecretStr = Field(min_length=1, max_length=LONGEST)


class SessionShown(Shape):
    """Who is signed in, what this person may do, and the token that changes carry in X-CSRF-Token."""

    login: str
    roles: list[str]
    permissions: list[str]
    operator: str | None
    centre: str
    centre_name: str
    zone: str
    csrf: str


async def sign_in(asked: Asked) -> web.Response:
    """Begin a session."""
    given: Credentials = asked.body
    context = asked.context
    address = context.auth.address(asked.request)
    try:
        who = await context.auth.sign_in(given.login, given.password.get_secret_value(), address)
    except WrongCredentials:
        context.metrics.sign_ins.labels("wrong").inc()
        raise
    except SlowDown:
        context.metrics.sign_ins.labels("slowed").inc()
        raise
    context.metrics.sign_ins.labels("done").inc()
    response = web.Response(
        status=201, body=_shown(context, who).model_dump_json().encode(), content_type="application/json"
    )
    context.auth.set_cookie(response, who.session)
    return response


async def show(asked: Asked) -> SessionShown:
    """Who is signed in."""
    return _shown(asked.context, asked.person)


async def sign_out(asked: Asked) -> web.Response:
    """End the session; its cookie is worth nothing from now on, wherever it was copied."""
    asked.context.auth.sign_out(asked.person)
    response = web.Response(status=204)
    asked.context.auth.drop_cookie(response)
    return response


def _shown(context: WebContext, who: Who) -> SessionShown:
    fields: dict[str, Any] = {
        "login": who.login,
        "roles": list(who.roles),
        "permissions": sorted(who.permissions),
        "operator": who.operator,
        "centre": context.centre,
        "centre_name": context.centre_name,
        "zone": context.zone,
        "csrf": who.session.csrf,
    }
    return SessionShown(**fields)


ROUTES: Final = (
    Route(
        method="POST",
        path="/session",
        needs=(Permission.ANYONE,),
        handle=sign_in,
        summary="Sign in",
        answer=SessionShown,
        status=201,
        body=Credentials,
        errors=(401, 429),
        needs_token=False,
    ),
    Route(
        method="GET",
        path="/session",
        needs=(Permission.SIGNED_IN,),
        handle=show,
        summary="Who is signed in",
        answer=SessionShown,
    ),
    Route(
        method="DELETE",
        path="/session",
        needs=(Permission.SIGNED_IN,),
        handle=sign_out,
        summary="Sign out",
        status=204,
    ),
)
