"""All errors of callflow on one page: one root, named fields, and a sentence on what to do."""

from __future__ import annotations


class CallflowError(Exception):
    """Root of every error that callflow raises on purpose."""


class ConfigurationError(CallflowError):
    """A setting, file or document is wrong; nothing was started or changed.

    Attributes:
        problems: every problem found, each naming the place and what to do.
    """

    def __init__(self, source: str, problems: list[str]) -> None:
        self.source = source
        self.problems = problems
        super().__init__(f"{source}: " + "; ".join(problems))
