"""Where the proof's parts are, for every process and command alike; the chains are in `Settings.journal_dirs`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from callflow.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofPlaces:
    """Where the proof's parts are.

    Attributes:
        heads: the signed heads. public_key: verifies them. Keep a copy of both elsewhere.
        key: signs heads, mode 0600.
    """

    heads: Path
    public_key: Path
    key: Path


def proof_places(settings: Settings) -> ProofPlaces:
    """The places of this installation."""
    return ProofPlaces(
        heads=settings.journal_dir / "heads",
        public_key=settings.journal_dir / "journal_key.pub",
        key=settings.secrets_dir / "journal_key",
    )
