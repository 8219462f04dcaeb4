"""What can go wrong with sound, each error naming what to do."""

from __future__ import annotations

from callflow.errors import CallflowError


class MediaError(CallflowError):
    """Root of the errors of this package."""


class MissingToolError(MediaError):
    """A program that makes sound is not installed.

    Attributes:
        tool: the program's name.
        package: the Debian or Ubuntu package that brings it.
    """

    def __init__(self, tool: str, package: str) -> None:
        self.tool = tool
        self.package = package
        super().__init__(f"{tool} is not installed; run: apt-get install {package}")


class ToolFailedError(MediaError):
    """A program that makes sound refused its work.

    Attributes:
        tool: the program's name.
        reason: its last words.
    """

    def __init__(self, tool: str, reason: str) -> None:
        self.tool = tool
        self.reason = reason
        super().__init__(f"{tool} failed: {reason}")


class UnusableAudioError(MediaError):
    """An audio file cannot be played to callers.

    Attributes:
        reason: what is wrong with it and what to do.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)
