"""What can go wrong with Asterisk itself; every sentence says what to do."""

from __future__ import annotations

from pathlib import Path

from callflow.errors import CallflowError


class AsteriskError(CallflowError):
    """Root of this package's errors."""


class NoAsterisk(AsteriskError):
    """No usable Asterisk on this machine.

    Attributes:
        tried: what was looked at, and why it did not do.
    """

    def __init__(self, tried: list[str]) -> None:
        self.tried = tried
        super().__init__(
            "no Asterisk 22.10.1 or later: " + "; ".join(tried) + ". 'make setup' makes a private one; or install one"
        )


class InstallFailed(AsteriskError):
    """The private Asterisk could not be made; nothing was left half done.

    Attributes:
        step: what was being done.
        last_words: the end of its output.
    """

    def __init__(self, step: str, last_words: str) -> None:
        self.step = step
        self.last_words = last_words
        super().__init__(f"{step} failed: {last_words}")


class AsteriskDidNotStart(AsteriskError):
    """Asterisk ended, or was not ready in time.

    Attributes:
        status: its exit status; None = it was still running and was ended.
        last_words: the end of its console output.
    """

    def __init__(self, status: int | None, last_words: str, log: Path) -> None:
        self.status = status
        self.last_words = last_words
        why = "was not ready in time" if status is None else f"ended with status {status}"
        super().__init__(f"Asterisk {why}; see {log}. Its last words: {last_words or '(none)'}")


class CliFailed(AsteriskError):
    """A command for Asterisk's console did not reach it.

    Attributes:
        command: the console command.
    """

    def __init__(self, command: str, output: str) -> None:
        self.command = command
        super().__init__(f"Asterisk's console did not take {command!r}: {output.strip() or 'no answer'}")
