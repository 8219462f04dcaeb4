"""Signs a head when the last one is a day old, for as long as a process runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import structlog

from callflow.journal.errors import JournalError
from callflow.journal.places import ProofPlaces
from callflow.journal.signing import export_public_key, head_files, journal_key, read_head, sign_head

EVERY: Final = timedelta(days=1)
_LOOK_SECONDS: Final = 300.0
_log: Any = structlog.get_logger(__name__)


def sign_if_due(directories: Sequence[Path], places: ProofPlaces, centre: str, now: datetime) -> Path | None:
    """Sign a head if the last one is a day old or there is none; the new file, or None. Blocks.

    Raises:
        JournalError, OSError: nothing was signed.
    """
    heads = head_files(places.heads)
    if heads and now - read_head(heads[-1])[0].at < EVERY:
        return None
    key = journal_key(places.key)
    export_public_key(key, places.public_key)
    return sign_head(directories, places.heads, key, centre, now)


async def keep_signing(
    directories: Sequence[Path],
    places: ProofPlaces,
    centre: str,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> None:
    """Sign for ever. One process of a centre does it; a failure is logged and tried again."""
    while True:
        try:
            signed = await asyncio.to_thread(sign_if_due, directories, places, centre, now())
        except (JournalError, OSError) as error:
            _log.error("the journal's head could not be signed", fault=str(error))
        else:
            if signed is not None:
                _log.info("journal head signed", path=str(signed))
        await asyncio.sleep(_LOOK_SECONDS)
