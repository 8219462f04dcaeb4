"""Says which prompts can be played; without the libraries that build them, for the engine asks too."""

from __future__ import annotations

from pathlib import Path


def available_prompts(directory: Path) -> dict[str, frozenset[str]]:
    """The names of the prompts that can be played from `directory`, by language; none where it is missing."""
    if not directory.is_dir():
        return {}
    return {
        language.name: frozenset(file.stem for file in language.glob("*.wav") if file.stat().st_size)
        for language in sorted(directory.iterdir())
        if language.is_dir() and language.name != "moh" and not language.name.startswith(".")
    }
