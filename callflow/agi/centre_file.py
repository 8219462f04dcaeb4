"""Reads the centre document anew when it changed; one that became wrong changes nothing."""

from __future__ import annotations

from pathlib import Path

import structlog

from callflow.centre import CentreDocument, load_centre
from callflow.errors import ConfigurationError

log = structlog.get_logger(__name__)


class WatchedCentre:
    """The centre document as it is now, or as it was when it last was sound.

    Raises:
        ConfigurationError: it is not sound to begin with.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = self._look()
        self._document = load_centre(path)

    @property
    def document(self) -> CentreDocument:
        """Costs one `stat` while nothing changed."""
        seen = self._look()
        if seen != self._seen:
            self._seen = seen
            try:
                self._document = load_centre(self._path)
            except ConfigurationError as error:
                log.warning("the centre document is wrong; the one before stays in force", problems=str(error))
        return self._document

    def _look(self) -> tuple[int, int] | None:
        try:
            stat = self._path.stat()
        except OSError:
            return None
        return stat.st_mtime_ns, stat.st_size
