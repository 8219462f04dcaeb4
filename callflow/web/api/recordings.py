"""Recordings: audio of a call that is over, with ranges. The access is on disk before the first byte leaves."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import structlog
from aiohttp import web

from callflow.permissions import Permission
from callflow.web.api.calls import find
from callflow.web.errors import CallStillRuns, NoSuchThing
from callflow.web.routes import Asked, Route

log = structlog.get_logger(__name__)


async def send(asked: Asked) -> web.StreamResponse:
    """Send one track."""
    context = asked.context
    call, name = asked.path("call"), asked.path("track")
    if call in context.feed.calls:
        raise CallStillRuns
    record = await find(asked)
    if record.call.stage is None and record.call.ended_at is None and record.call.handed_back_at is None:
        raise CallStillRuns
    track = next((track for track in record.recording if track.name == name), None)
    if track is None:
        raise NoSuchThing("recording")
    path = _below(context.recordings_dir, track.path)
    if path is None or not path.is_file():
        log.error("a recording is missing on disk", call=call, track=name)
        raise NoSuchThing("recording")
    heard = asked.request.headers.get("Range", "whole")[:64]
    await context.accesses.record(asked.person.login, "recording", call, f"{name}, {heard}")
    return web.FileResponse(
        path,
        headers={"Content-Type": "audio/wav", "Cache-Control": "no-store", "Content-Disposition": "inline"},
    )


def _below(directory: Path, name: str) -> Path | None:
    root = directory.resolve()
    path = (root / name).resolve()
    return path if path.is_relative_to(root) else None


ROUTES: Final = (
    Route(
        method="GET",
        path="/calls/{call}/recording/{track}",
        needs=(Permission.HEAR_RECORDINGS,),
        handle=send,
        summary="The audio: `mixed`, `in` (from the caller), `out` (to the caller) or `consult-N`",
        media_type="audio/wav",
        errors=(404, 409, 503),
    ),
)
