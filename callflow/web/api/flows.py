"""Flows that were published, and publishing: the engine checks the document and puts it in force."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from pydantic import Field
from sqlalchemy import select

from callflow.flows.text import MAX_DOCUMENT_BYTES
from callflow.permissions import Permission
from callflow.storage.models import FlowVersion
from callflow.web.routes import Asked, Route, Shape


class FlowShown(Shape):
    """A published flow, without its document."""

    version: int
    published_by: str
    published_at: datetime


class FlowsShown(Shape):
    """Published flows, latest first; the first is in force."""

    flows: list[FlowShown]


class FlowGiven(Shape):
    """A flow to publish: the document's JSON text."""

    document: str = Field(min_length=2)


class Published(Shape):
    """The version that calls get from now on."""

    version: int


async def show_all(asked: Asked) -> FlowsShown:
    """The latest versions."""
    query = (
        select(FlowVersion)
        .where(FlowVersion.centre_id == asked.context.centre)
        .order_by(FlowVersion.version.desc())
        .limit(100)
    )
    async with asked.context.database.reading() as session:
        return FlowsShown(flows=[FlowShown.model_validate(row) for row in await session.scalars(query)])


async def publish(asked: Asked) -> Published:
    """Put a flow in force."""
    given: FlowGiven = asked.body
    return Published(version=await asked.context.engine.publish_flow(given.document, asked.person.login))


ROUTES: Final = (
    Route(
        method="GET",
        path="/flows",
        needs=(Permission.READ_FLOWS,),
        handle=show_all,
        summary="Published flows, latest first",
        answer=FlowsShown,
        errors=(503,),
    ),
    Route(
        method="POST",
        path="/flows",
        needs=(Permission.PUBLISH_FLOWS,),
        handle=publish,
        summary="Publish a flow; every problem is named when it is not fit",
        answer=Published,
        status=201,
        body=FlowGiven,
        errors=(503,),
        largest_body=2 * MAX_DOCUMENT_BYTES,
    ),
)
