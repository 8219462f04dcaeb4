"""What is now true of a call, an operator or the centre: decisions for the record and the live views, past tense.

Events say what the outside did; facts say what the core made of it. The projector writes them to the database, the
live websocket sends them on; neither decides anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from callflow.core.city import CentreSettings, OperatorProfile
from callflow.core.events import Caller, Track
from callflow.core.ids import CallId, OfferId, OperatorId
from callflow.core.states import OfferState, OperatorState


class Stage(StrEnum):
    """Where a call stands in the funnel: arrived = the sum of these five."""

    ABANDONED_IN_IVR = "abandoned_in_ivr"
    ABANDONED_IN_QUEUE = "abandoned_in_queue"
    ANSWERED = "answered"
    HANDLED_IN_FALLBACK = "handled_in_fallback"
    ENDED_IN_INFORMATION = "ended_in_information"


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
    HANDED_BACK = "handed_back"
    ADOPTED = "adopted"


class AlarmKind(StrEnum):
    """What a person must know at once."""

    NOBODY_READY = "nobody_ready"
    NO_PHONE_REGISTERED = "no_phone_registered"
    LAST_RESORT_EMPTY = "last_resort_empty"
    LAST_RESORT_FAILED = "last_resort_failed"
    COMMAND_FAILED = "command_failed"
    DECISION_FAILED = "decision_failed"
    NO_FLOW = "no_flow"
    PROMPT_FAILED = "prompt_failed"
    LEG_STUCK = "leg_stuck"


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
    """A call arrived."""

    arrived_at: datetime
    caller: Caller
    dialled: str
    trunk: str


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
    """A phone is being rung for the call: an operator's, or one outside."""

    offer: OfferId
    operator: OperatorId | None
    destination: str | None


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
    """The dialplan served the call alone, as CEL witnessed."""

    arrived_at: datetime
    caller: Caller
    dialled: str
    trunk: str
    answered_at: datetime | None
    answered_by: str | None
    ended_at: datetime
    ended_by: HangupParty
    cause: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingStored(CallFact):
    """The call's audio is complete and measured."""

    tracks: tuple[Track, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorUpdated(Fact):
    """An operator's profile is new or changed."""

    profile: OperatorProfile
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorMoved(Fact):
    """An operator's state or phone changed.

    Attributes:
        reason: why paused; '' otherwise.
        online: the phone is registered.
    """

    operator: OperatorId
    state: OperatorState
    reason: str
    online: bool
    call: CallId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsApplied(Fact):
    """The centre's settings in force."""

    settings: CentreSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowInForce(Fact):
    """The flow for calls that arrive from now on."""

    version: int
    document: str
    published_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRaised(Fact):
    """Something needs a person's eye; the same kind and subject is raised once until it is cleared."""

    kind: AlarmKind
    subject: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmCleared(Fact):
    """The alarm's reason is gone."""

    kind: AlarmKind
    subject: str
