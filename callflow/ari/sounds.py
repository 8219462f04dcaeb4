"""Names a prompt's file as Asterisk plays it: by its path, without a suffix."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from callflow.core.commands import Prompt


class Sounds:
    """The centre's prompts on Asterisk's disk.

    Args:
        directory: where they are, by language.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def paths(self, prompts: Iterable[Prompt]) -> list[str]:
        """For the dialplan's Playback."""
        return [f"{self._directory}/{prompt.language}/{prompt.name}" for prompt in prompts]

    def media(self, prompts: Iterable[Prompt]) -> list[str]:
        """For ARI's play."""
        return [f"sound:{path}" for path in self.paths(prompts)]
