"""Serves the page: a few plain files, read once, with their digests as ETags."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import web

from callflow.web.errors import NoSuchThing

DIRECTORY: Final = Path(__file__).parent / "ui"
_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class _File:
    body: bytes
    type: str
    digest: str


class Page:
    """The page's files."""

    def __init__(self, directory: Path = DIRECTORY) -> None:
        self._files = {path.name: _read(path) for path in sorted(directory.iterdir()) if path.suffix in _TYPES}

    def add_to(self, app: web.Application) -> None:
        """Serve them: the page at `/`, the rest below `/ui/`."""
        app.router.add_get("/", self._index)
        app.router.add_get("/ui/{name}", self._file)

    async def _index(self, request: web.Request) -> web.Response:
        return self._send(request, "index.html")

    async def _file(self, request: web.Request) -> web.Response:
        return self._send(request, request.match_info["name"])

    def _send(self, request: web.Request, name: str) -> web.Response:
        file = self._files.get(name)
        if file is None:
            raise NoSuchThing("page")
        headers = {"Content-Type": file.type, "ETag": f'"{file.digest}"', "Cache-Control": "no-cache"}
        known = request.if_none_match or ()
        if any(tag.value == file.digest for tag in known):
            return web.Response(status=304, headers=headers)
        return web.Response(body=file.body, headers=headers)


def _read(path: Path) -> _File:
    body = path.read_bytes()
    return _File(body=body, type=_TYPES[path.suffix], digest=hashlib.sha256(body).hexdigest()[:24])
