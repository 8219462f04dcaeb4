"""Where the journal's parts are, for every process and command alike."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from callflow.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where the journal's parts are.

    Attributes:
        first: where chains live. second: where they go while the first fails: best mounted from another disk.
        key: signs heads, mode 0600. public_key: for those who verify; keep a copy elsewhere, as of the heads.
    """

    first: Path
    second: Path
    checkpoints: Path
    heads: Path
    key: Path
    public_key: Path

    @property
    def directories(self) -> tuple[Path, ...]:
        """Where chains may be."""
        return (self.first, self.second)


def journal_places(settings: Settings) -> Places:
    """The places of this installation."""
    first = settings.journal_dir
    return Places(
        first=first,
        second=settings.data_dir / "journal-second",
        checkpoints=first / "checkpoints",
        heads=first / "heads",
        key=settings.secrets_dir / "journal_key",
        public_key=first / "journal_key.pub",
    )
