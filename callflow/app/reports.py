"""Reads what other processes report to the engine: only what is theirs to say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from callflow.core.centre_facts import REPORTED
from callflow.core.events import Event
from callflow.core.faults import FaultMended, FaultReported
from callflow.core.reports import (
    FallbackQueueReported,
    FallbackWitnessed,
    RecordingMeasured,
    RecordingMissed,
    TrunkReported,
)
from callflow.journal.codec import decode_event

REPORTS: Final = (
    *(RecordingMeasured, RecordingMissed, FallbackWitnessed, TrunkReported, FallbackQueueReported),
    *(FaultReported, FaultMended),
)
"""Events that the worker may hand in."""


def decode_report(document: Mapping[str, Any]) -> Event:
    """The event.

    Raises:
        TypeError, ValueError: it is none, or none that a reporter may hand in.
    """
    event = decode_event(document)
    if not isinstance(event, REPORTS):
        raise TypeError(f"{type(event).__name__} is no report")
    if isinstance(event, FaultReported | FaultMended) and event.kind not in REPORTED:
        raise ValueError(f"{event.kind} is the core's own alarm")
    return event
