"""The centre document that is in force: the file as it is, or, while that is wrong, as it was when it last was sound.

Whatever falls must be able to come back while somebody is editing the file. So each process that reads a sound document
keeps a copy of it, and the next process that finds the file wrong goes by the copy.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import structlog

from callflow.centre.document import CentreDocument, load_centre
from callflow.errors import ConfigurationError
from callflow.settings import Settings

log = structlog.get_logger(__name__)


class CentreInForce:
    """Reads the document anew when it changed.

    Attributes:
        wrong: what is wrong with the file, in words; '' = it is what is in force.

    Args:
        path: the document.
        kept: where a copy of the last sound one lies; it need not be there.

    Raises:
        ConfigurationError: it is not sound to begin with, and there is no copy.
    """

    def __init__(self, path: Path, kept: Path) -> None:
        self.wrong = ""
        self._path = path
        self._kept = kept
        self._seen = self._look()
        try:
            self._document = load_centre(path)
        except ConfigurationError as error:
            if not kept.exists():
                raise
            self._document = load_centre(kept)
            self._say_wrong(error)
        else:
            self._keep()

    @classmethod
    def of(cls, settings: Settings) -> CentreInForce:
        """Of this installation.

        Raises:
            ConfigurationError.
        """
        return cls(settings.centre_path, settings.kept_centre_path)

    @property
    def document(self) -> CentreDocument:
        """Costs one `stat` while nothing changed."""
        seen = self._look()
        if seen != self._seen:
            self._seen = seen
            try:
                self._document = load_centre(self._path)
            except ConfigurationError as error:
                self._say_wrong(error)
            else:
                self.wrong = ""
                self._keep()
        return self._document

    def _say_wrong(self, error: ConfigurationError) -> None:
        self.wrong = str(error)
        log.error("the centre document is wrong; the one before stays in force", problems=self.wrong)

    def _look(self) -> tuple[int, int] | None:
        try:
            stat = self._path.stat()
        except OSError:
            return None
        return stat.st_mtime_ns, stat.st_size

    def _keep(self) -> None:
        """A copy that cannot be written is no reason to stop: the file itself is sound."""
        with suppress(OSError):
            content = self._path.read_bytes()
            if self._kept.exists() and self._kept.read_bytes() == content:
                return
            self._kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            new = self._kept.with_suffix(f".{os.getpid()}")
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(content)
            new.replace(self._kept)
