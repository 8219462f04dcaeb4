"""What a check found out, and what the checks are given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from callflow.asterisk.locate import Installation
from callflow.asterisk.render import Rendered
from callflow.centre import CentreDocument
from callflow.settings import Settings


class State(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    """Calls are served; something needs a person soon."""
    FAIL = "fail"
    """Not ready: calls would be lost or not recorded."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact about this installation.

    Attributes:
        remedy: what to do about it; empty when all is well.
    """

    name: str
    state: State
    what: str
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """What is examined.

    Attributes:
        centre: None = the document cannot be read, which is a finding of its own.
        installation: None = there is no usable Asterisk, which is a finding of its own.
        rendered: where the configuration and the log are, whether there yet or not.
        running: whether that Asterisk answers on its console.
    """

    settings: Settings
    centre: CentreDocument | None
    installation: Installation | None
    rendered: Rendered
    running: bool


Check = Callable[[Patient], Awaitable[list[Finding]]]


def ok(name: str, what: str) -> Finding:
    """All is well."""
    return Finding(name, State.OK, what)


def warn(name: str, what: str, remedy: str) -> Finding:
    """A person should look."""
    return Finding(name, State.WARN, what, remedy)


def fail(name: str, what: str, remedy: str) -> Finding:
    """Not ready."""
    return Finding(name, State.FAIL, what, remedy)
