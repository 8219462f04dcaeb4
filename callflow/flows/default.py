"""Loads the flow that a centre runs until it publishes its own; the one module here that reads a file."""

from __future__ import annotations

from functools import cache
from importlib import resources

from callflow.errors import ConfigurationError
from callflow.flows.model import FlowDocument
from callflow.flows.parse import parse_flow

_FILE = "default_flow.json"


def default_flow_text() -> str:
    """The packaged default flow as JSON text."""
    return resources.files("callflow.flows").joinpath(_FILE).read_text(encoding="utf-8")


@cache
def default_flow() -> FlowDocument:
    """The packaged default flow, parsed.

    Raises:
        ConfigurationError: when the package was damaged; it names every problem.
    """
    parsed = parse_flow(default_flow_text())
    if parsed.document is None:
        raise ConfigurationError(_FILE, [str(problem) for problem in parsed.problems])
    return parsed.document
