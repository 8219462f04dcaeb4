"""Errors of AMI: nobody there, nobody who answers, not let in. Each ends a connection, never the process."""

from __future__ import annotations

from callflow.errors import CallflowError


class AmiError(CallflowError):
    """Root of AMI's errors."""


class AmiAway(AmiError):
    """There is no connection, or not any more."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"no connection with Asterisk's manager interface: {reason}")


class AmiSilent(AmiError):
    """The connection stands, and nothing answers on it: Asterisk is frozen, or the other side is gone."""

    def __init__(self, action: str, seconds: float) -> None:
        self.action = action
        super().__init__(f"Asterisk's manager interface does not answer {action} within {seconds:g} s")


class AmiRefused(AmiError):
    """Asterisk refused an action: the secret is another one, or manager.conf does not let us."""

    def __init__(self, action: str, reason: str) -> None:
        self.action = action
        self.reason = reason
        super().__init__(f"Asterisk's manager interface refuses {action} ({reason}): render and reload manager.conf")
