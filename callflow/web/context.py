"""What the web's handlers answer from, made once by `server.py` and carried by the application."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from aiohttp import web

from callflow.core.ids import CentreId
from callflow.engine.client import EngineClient
from callflow.web.accesses import Accesses
from callflow.web.auth import Auth
from callflow.web.database import Database
from callflow.web.feed import Feed
from callflow.web.metrics import Metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class WebContext:
    """Everything that handlers need.

    Attributes:
        zone: IANA name of the centre's time zone.
        recordings_dir: below it are the paths that the records name.
        now: aware UTC.
    """

    centre: CentreId
    centre_name: str
    zone: str
    auth: Auth
    engine: EngineClient
    feed: Feed
    database: Database
    accesses: Accesses
    metrics: Metrics
    recordings_dir: Path
    now: Callable[[], datetime]


CONTEXT: Final = web.AppKey("context", WebContext)
