"""What other processes of ours witnessed, past tense: the worker's word on recordings, CEL's and AMI's on Asterisk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from callflow.core.events import Caller, Event
from callflow.core.ids import CallId


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One audio file of a call.

    Attributes:
        name: `mixed`, `in` (from the caller), `out` (to the caller), or `consult-1` … of the call's consultations.
        path: relative to the recordings' directory.
        sha256: hex digest of the file.
    """

    name: str
    path: str
    sha256: str
    bytes: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingMeasured(Event):
    """The worker read a finished recording."""

    call: CallId
    tracks: tuple[Track, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingMissed(Event):
    """The worker gave up waiting for a call's recording; `reason` is for people, without personal data."""

    call: CallId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FallbackWitnessed(Event):
    """CEL tells of a call that the dialplan served alone; taken into the journal afterwards.

    Attributes:
        answered_by: endpoint or trunk of the person who answered; None when nobody did.
        hung_up_by: endpoint or trunk of who hung up; None where CEL does not say.
        in_fallback: the dialplan served it; else an engine had it, and could not say how it ended.
    """

    call: CallId
    caller: Caller
    dialled: str
    trunk: str
    arrived_at: datetime
    answered_at: datetime | None
    answered_by: str | None
    ended_at: datetime
    hung_up_by: str | None
    cause: int
    in_fallback: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TrunkReported(Event):
    """AMI tells whether a trunk's far end answers; `trunk` is its endpoint in Asterisk."""

    trunk: str
    reachable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FallbackQueueReported(Event):
    """AMI tells how many callers wait in the dialplan's own queue."""

    waiting: int
