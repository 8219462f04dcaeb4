"""What is now true of a call, past tense: decisions for the record and the live views (of the rest: `centre_facts`).

Events say what the outside did; facts say what the core made of it. The projector writes them to the database, the
live websocket sends them on; neither decides anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from callflow.core.city import Classification
from callflow.core.events import Caller
from callflow.core.ids import CallId, OfferId, OperatorId
from callflow.core.reports import Track
from callflow.core.states import OfferState


class Stage(StrEnum):
    """Where a call stands in the funnel: arrived = the sum of the first five. Outbound calls are apart."""

    ABANDONED_IN_IVR = "abandoned_in_ivr"
    ABANDONED_IN_QUEUE = "abandoned_in_queue"
    ANSWERED = "answered"
    HANDLED_IN_FALLBACK = "handled_in_fallback"
    ENDED_IN_INFORMATION = "ended_in_information"
    OUTBOUND_REACHED = "outbound_reached"
    OUTBOUND_NOT_REACHED = "outbound_not_reached"


class HangupParty(StrEnum):
    """Who ended the call."""

    CALLER = "caller"
    OPERATOR = "operator"
    DESTINATION = "destination"
    SYSTEM = "system"
    UNKNOWN = "unknown"


class QueueReason(StrEnum):
    """Why a call stands in the queue."""

    FLOW = "flow"
    NO_FLOW = "no_flow"
    PERSON_LOST = "person_lost"
    PARTY_GONE = "party_gone"
    TRANSFERRED = "transferred"
    HANDED_BACK = "handed_back"
    ADOPTED = "adopted"


class Direction(StrEnum):
    """Who called whom."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class LegPurpose(StrEnum):
    """What an offered leg is for: the person who serves the caller, or a party brought in beside this person."""

    PERSON = "person"
    PARTY = "party"


class PartyKind(StrEnum):
    """Who is brought in."""

    MEDICAL = "medical"
    AGENCY = "agency"
    NUMBER = "number"
    COLLEAGUE = "colleague"


class PartyMode(StrEnum):
    """How: beside the operator, spoken with first, or at once with the caller and nobody between."""

    JOIN = "join"
    CONSULT = "consult"
    DIRECT = "direct"


class PartyEnd(StrEnum):
    """Why a party is sought or joined no more."""

    NOT_REACHED = "not_reached"  # every destination was tried
    HUNG_UP = "hung_up"
    SILENT = "silent"
    DROPPED = "dropped"  # by the operator
    BECAME_PERSON = "became_person"  # a colleague took the call over
    CALL_OVER = "call_over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Root of all facts. `at` is the time of the event that brought it."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFact(Fact):
    """A fact about one call."""

    call: CallId


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOpened(CallFact):
    """A call arrived, or an outbound one was begun.

    Attributes:
        callback_of: the abandoned call that an outbound one answers.
    """

    arrived_at: datetime
    caller: Caller
    dialled: str
    trunk: str
    direction: Direction = Direction.INBOUND
    callback_of: CallId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrunkHeadersNoted(CallFact):
    """The headers that are kept with the call."""

    headers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IvrStepTaken(CallFact):
    """The caller left a node of the flow by one of its exits; `at` is when.

    Attributes:
        keys: what the caller pressed there; '' when nothing.
    """

    flow_version: int
    node: str
    exit: str
    keys: str
    entered_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CallQueued(CallFact):
    """The call seeks a person."""

    tier: str
    skill: str | None
    reason: QueueReason


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferMade(CallFact):
    """A phone is being rung for the call: an operator's, or one outside.

    Attributes:
        reason: why this one, in words; shown to auditors.
    """

    offer: OfferId
    operator: OperatorId | None
    destination: str | None
    purpose: LegPurpose = LegPurpose.PERSON
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferClosed(CallFact):
    """An offer came to its end; `cause` is Q.850 where a leg told one."""

    offer: OfferId
    outcome: OfferState
    cause: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallConnected(CallFact):
    """Caller and person are in one bridge: two-way speech, the call is answered."""

    offer: OfferId
    operator: OperatorId | None
    destination: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonLost(CallFact):
    """The person's leg broke off without a hang-up; the caller is sought another at once."""

    offer: OfferId
    cause: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorLeft(CallFact):
    """The operator left caller and party to talk on; the call goes on.

    Attributes:
        confirmed: by the operator's key after the party had spoken; False = the leg broke off or was hung up, and
            another operator is sought.
    """

    offer: OfferId
    operator: OperatorId | None
    confirmed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PartySought(CallFact):
    """A party is being brought in; its destinations are tried in order.

    Attributes:
        name: `medical`, an agency's name, a colleague's login, or the number.
        operator: who asked; None = the flow's medical branch.
    """

    name: str
    kind: PartyKind
    mode: PartyMode
    operator: OperatorId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyJoined(CallFact):
    """The party is in one bridge with the caller (`three_way` with an operator beside them)."""

    offer: OfferId
    name: str
    destination: str | None
    operator: OperatorId | None
    three_way: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PartySpoke(CallFact):
    """Speech was heard from the party."""

    offer: OfferId
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyGone(CallFact):
    """The party is there no more, or is sought no more; `offer` None = no leg of it was up."""

    name: str
    offer: OfferId | None
    reason: PartyEnd


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsultationBegan(CallFact):
    """Operator and party speak alone, the caller hears music; `number` counts the call's consultations from 1.

    The audio is the recording's track `consult-<number>`.
    """

    offer: OfferId
    number: int
    operator: OperatorId | None
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsultationEnded(CallFact):
    """The consultation is over, however it goes on."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerAssessed(CallFact):
    """What is known of the caller's number, with the one line of reason that operators see.

    Attributes:
        score: posterior mean of a prank, 0 … 1; the prior alone for an unknown number.
        flagged: shown as a suspicion. warned: the warning prompt is due too.
        pranks, confirmed: of the dispositions in the window, decay aside.
        later_seconds: how much later the caller stands among equals.
    """

    score: float
    flagged: bool
    warned: bool
    calls: int
    pranks: int
    confirmed: int
    later_seconds: float
    reason_id: str
    reason_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallClassified(CallFact):
    """Somebody said what the call was; the latest word counts."""

    classification: Classification
    by: str
    operator: OperatorId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerSpoke(CallFact):
    """Speech was heard from the caller for the first time."""


class ChallengeKind(StrEnum):
    """Why a caller is asked to press a key."""

    SILENT = "silent"
    PRANK = "prank"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerChallenged(CallFact):
    """The caller is asked to press a key. Nothing follows from silence."""

    kind: ChallengeKind


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeAnswered(CallFact):
    """The caller pressed a key after a challenge: somebody is there."""

    kind: ChallengeKind


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnded(CallFact):
    """The call is over; `cause` is Q.850."""

    stage: Stage
    ended_by: HangupParty
    cause: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallHandedBack(CallFact):
    """We could not serve the call any more; the dialplan does, and CEL tells how it went on."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallServedInFallback(CallFact):
    """The dialplan served the call alone, as CEL witnessed.

    Attributes:
        in_fallback: False = an engine had the call, or its hand was on it, and could not say how it ended.
    """

    arrived_at: datetime
    caller: Caller
    dialled: str
    trunk: str
    answered_at: datetime | None
    answered_by: str | None
    ended_at: datetime
    ended_by: HangupParty
    cause: int
    in_fallback: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingStored(CallFact):
    """The call's audio is complete and measured."""

    tracks: tuple[Track, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingMissing(CallFact):
    """No audio of the call was found, and why; a RecordingStored that comes all the same ends it."""

    reason: str
