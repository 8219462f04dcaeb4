"""A call's record: its line in the list, and all that is known of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from callflow.core.city import Classification
from callflow.core.facts import Direction, HangupParty, LegPurpose, QueueReason, Stage
from callflow.core.states import OfferState
from callflow.storage.records.callbacks import CallbackRecord
from callflow.storage.records.callers import AssessmentRecord, ChallengeRecord, ClassificationRecord
from callflow.storage.records.parties import ConsultationRecord, PartyRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSummary:
    """One line of the list of calls.

    Attributes:
        caller_number: E.164, or None: unknown.
        stage: None while the call goes on.
        operator: who spoke with the caller, at last; None when nobody or an outside number did.
        fallback: the dialplan served it, at least for a while.
        callback_of: the abandoned call that an outbound one answers.
        classification: the latest word on what it was, and whose; None = nobody has said.
        prank_score: 0 … 1, of the caller's number on arrival. prank_flagged: operators saw a suspicion.
        caller_spoke_at: first speech of the caller's; None = none was heard.
        no_recording: why there is no audio of it; None = there is, or it is still to come.
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
    direction: Direction = Direction.INBOUND
    callback_of: str | None = None
    classification: Classification | None = None
    classified_at: datetime | None = None
    classified_by: str | None = None
    prank_score: float | None = None
    prank_flagged: bool | None = None
    caller_spoke_at: datetime | None = None
    no_recording: str | None = None


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
    """One ringing of one phone.

    Attributes:
        lost_at: when that person's leg broke off.
        purpose: `person` serves the caller, `party` is beside. reason: why this phone, in words.
        connected_at: first moment in one bridge with the caller. spoke_at: first speech of a party.
        left_at: when an answered leg went, and others talked on. left_reason: a party's end; of an operator
            `confirmed` or `unconfirmed`.
    """

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
    purpose: LegPurpose = LegPurpose.PERSON
    reason: str = ""
    spoke_at: datetime | None = None
    left_at: datetime | None = None
    left_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackRecord:
    """One audio file: `mixed`, `in` (from the caller), `out` (to the caller) or `consult-<n>`, of that consultation.

    Attributes:
        path: below the recordings.
    """

    name: str
    path: str
    sha256: str
    bytes: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """Everything that is known of a call.

    Attributes:
        parties: in the order in which they were sought; the phones that were tried for them are among the offers.
        consultations: by number. classifications: first to latest.
        assessment: what was known of the caller's number; None = it was not looked up.
        callback: the call-back that this abandoned call brought about.
    """

    call: CallSummary
    headers: tuple[HeaderRecord, ...]
    steps: tuple[StepRecord, ...]
    queue: tuple[QueueRecord, ...]
    offers: tuple[OfferRecord, ...]
    recording: tuple[TrackRecord, ...]
    parties: tuple[PartyRecord, ...] = ()
    consultations: tuple[ConsultationRecord, ...] = ()
    assessment: AssessmentRecord | None = None
    challenges: tuple[ChallengeRecord, ...] = ()
    classifications: tuple[ClassificationRecord, ...] = ()
    callback: CallbackRecord | None = None
