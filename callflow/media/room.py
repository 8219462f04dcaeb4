"""Finds out whether files can be written in a directory now, and how much room is left: by writing one. Blocks."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

_PROBE: Final = ".callflow-probe"
_PROBE_BYTES: Final = 4096
MEGABYTE: Final = 1_000_000


def why_unwritable(directory: Path, least_free_mb: int = 0) -> str | None:
    """Why nothing can be written there, in words for people; None = it can be.

    Args:
        directory: which must be there.
        least_free_mb: less room than this counts as none.
    """
    probe = directory / _PROBE
    try:
        if not directory.is_dir():
            return f"{directory} is gone: bring it back, or mount its disk"
        handle = os.open(probe, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        try:
            os.write(handle, bytes(_PROBE_BYTES))
            os.fsync(handle)
        finally:
            os.close(handle)
            with suppress(OSError):
                probe.unlink()
        free = free_mb(directory)
    except OSError as error:
        return f"{directory} cannot be written: {error.strerror}"
    if free < least_free_mb:
        return f"{directory} has {free} MB left: make room, old recordings after their retention"
    return None


def free_mb(directory: Path) -> int:
    """Room for us on the directory's disk, in millions of bytes.

    Raises:
        OSError: the directory is gone.
    """
    return shutil.disk_usage(directory).free // MEGABYTE
