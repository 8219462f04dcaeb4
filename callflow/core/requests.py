"""What people ask, past tense: operators and supervisors, by the API, by a dialled code, or by keys during a call."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from callflow.core.city import Classification
from callflow.core.events import Event
from callflow.core.ids import CallId, ChannelId, EndpointName, OfferId, OperatorId, RequestId


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInRequested(Event):
    """An operator wants to take calls."""

    request: RequestId
    operator: OperatorId


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOutRequested(Event):
    """An operator wants to leave; `approved_by` names the supervisor when there is one."""

    request: RequestId
    operator: OperatorId
    approved_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseRequested(Event):
    """An operator wants no calls for a while, and says why."""

    request: RequestId
    operator: OperatorId
    reason: str
    approved_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeRequested(Event):
    """An operator is ready again: ends a pause, a set-aside or the wrap-up."""

    request: RequestId
    operator: OperatorId


class TalkAction(StrEnum):
    """What an operator who talks with a caller may ask for. The other party is an agency, a number or a colleague."""

    JOIN = "join"  # bring a party in: three-way
    CONSULT = "consult"  # speak with a party alone, the caller waits with music
    MERGE = "merge"  # after a consultation: all three
    RETURN = "return"  # after a consultation: back to the caller, the party is let go
    DROP = "drop"  # let the party go, or stop seeking it
    LEAVE = "leave"  # the confirming key: caller and party talk on without me
    TRANSFER = "transfer"  # blind: seek that colleague or number for the caller, I leave at once
    CHALLENGE = "challenge"  # ask a silent caller to press a key
    END = "end"  # end the call


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkRequested(Event):
    """An operator asks for something about the call in hand.

    Attributes:
        target: who is meant: `medical`, an agency's name or code, a colleague's login or number, or a telephone
            number; '' where the action needs none.
        by: the supervisor who asks in the operator's place; '' = the operator.
    """

    request: RequestId
    operator: OperatorId
    action: TalkAction
    target: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassificationRequested(Event):
    """Somebody says what a call was; the latest word counts.

    Attributes:
        call: None = the operator's call in hand, or the last one.
        operator: who took the call and says so; None = somebody else, `by`, who may.
    """

    request: RequestId
    classification: Classification
    by: str
    call: CallId | None = None
    operator: OperatorId | None = None


class CallbackAction(StrEnum):
    """What may be done about the call-back of an abandoned call."""

    TAKE = "take"  # it is mine from now on
    DIAL = "dial"  # ring my phone, then the citizen
    CLOSE = "close"  # it is settled; `outcome` says how


class CallbackOutcome(StrEnum):
    """How a call-back came to its end."""

    REACHED = "reached"
    REDIALLED = "redialled"  # the citizen called again and was answered
    NOT_REACHED = "not_reached"  # tried, and given up by a person
    NOT_NEEDED = "not_needed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackRequested(Event):
    """An operator or a supervisor acts on a call-back.

    Attributes:
        callback: the abandoned call; None = the oldest that is open.
        operator: who is to have it; a supervisor may name anyone.
    """

    request: RequestId
    action: CallbackAction
    operator: OperatorId | None
    by: str
    callback: CallId | None = None
    outcome: CallbackOutcome | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeDialled(Event):
    """An operator's idle phone dialled a feature code; the channel is in our application until we end it.

    Attributes:
        code: all that was dialled: `*11`, `*132`.
    """

    endpoint: EndpointName
    channel: ChannelId
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeCallGone(Event):
    """The channel of a dialled feature code is gone."""

    channel: ChannelId


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorKeyPressed(Event):
    """A key on an operator's leg during a call: part of a feature code, heard by nobody. 0-9, *, #."""

    call: CallId
    offer: OfferId
    key: str
