"""What queries answer with: plain frozen values, made to be shown or sent, that hold no connection."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from callflow.core.facts import HangupParty, QueueReason, Stage
from callflow.core.states import OfferState, OperatorState


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSummary:
    """One line of the list of calls.

    Attributes:
        caller_number: E.164, or None: unknown.
        stage: None while the call goes on.
        operator: who spoke with the caller, at last; None when nobody or an outside number did.
        fallback: the dialplan served it, at least for a while.
    """

    call_id: str
    centre_id: str
    arrived_at: datetime
    caller_number: str | None
    caller_raw: str
    dialled: str
    trunk: str
    stage: Stage | None
    tier: str | None
    skill: str | None
    flow_version: int | None
    queued_at: datetime | None
    answered_at: datetime | None
    operator: str | None
    destination: str | None
    ended_at: datetime | None
    ended_by: HangupParty | None
    cause: int | None
    fallback: bool
    handed_back_at: datetime | None
    handed_back_reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderRecord:
    """A header of the INVITE."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRecord:
    """A node of the flow that the caller went through."""

    flow_version: int
    node: str
    exit: str
    keys: str
    entered_at: datetime
    left_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRecord:
    """One wait for a person."""

    queued_at: datetime
    reason: QueueReason
    tier: str
    skill: str | None
    left_at: datetime | None
    left_reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferRecord:
    """One ringing of one phone; `lost_at` when that person's leg broke off."""

    offer_id: str
    operator: str | None
    destination: str | None
    made_at: datetime
    connected_at: datetime | None
    closed_at: datetime | None
    outcome: OfferState | None
    cause: int | None
    lost_at: datetime | None
    lost_cause: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackRecord:
    """One audio file: `mixed`, `in` (from the caller) or `out` (to the caller); `path` is below the recordings."""

    name: str
    path: str
    sha256: str
    bytes: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """Everything that is known of a call."""

    call: CallSummary
    headers: tuple[HeaderRecord, ...]
    steps: tuple[StepRecord, ...]
    queue: tuple[QueueRecord, ...]
    offers: tuple[OfferRecord, ...]
    recording: tuple[TrackRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorRecord:
    """An operator and what this person does now."""

    operator: str
    centre_id: str
    name: str
    endpoint: str
    skills: tuple[str, ...]
    active: bool
    state: OperatorState
    reason: str
    online: bool
    call_id: str | None
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """Every arrival between two times, by where it ended; `arrived` is the sum of the others.

    Attributes:
        in_progress: not over yet.
        in_fallback: of all, how many the dialplan served for at least a while; not part of the sum.
    """

    arrived: int
    abandoned_in_ivr: int
    abandoned_in_queue: int
    answered: int
    handled_in_fallback: int
    ended_in_information: int
    in_progress: int
    in_fallback: int
