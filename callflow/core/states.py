"""The three transition tables: call, offer, operator. Diagrams and the exhaustive tests are made from them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

from callflow.errors import CallflowError


class CallState(StrEnum):
    """Where a call is."""

    ARRIVED = "arrived"
    IN_IVR = "in_ivr"
    QUEUED = "queued"
    CONNECTED = "connected"
    CONSULTING = "consulting"
    THREE_WAY = "three_way"
    AGENCY_ONLY = "agency_only"
    ENDED = "ended"


class CallTrigger(StrEnum):
    """What moves a call."""

    ENTERED_FLOW = "entered_flow"
    SENT_TO_QUEUE = "sent_to_queue"
    PERSON_JOINED = "person_joined"
    PERSON_LOST = "person_lost"
    PERSON_LEFT = "person_left"
    PARTY_JOINED = "party_joined"
    PARTY_LEFT = "party_left"
    CONSULTED = "consulted"
    TRANSFERRED = "transferred"
    RETURNED = "returned"
    HANDED_BACK = "handed_back"
    ENDED = "ended"


class OfferState(StrEnum):
    """Where an offer is: ringing one phone once."""

    RINGING = "ringing"
    ANSWERED = "answered"
    DECLINED = "declined"
    TIMED_OUT = "timed_out"
    WITHDRAWN = "withdrawn"


class OfferTrigger(StrEnum):
    """What moves an offer."""

    PICKED_UP = "picked_up"
    REFUSED = "refused"
    RANG_OUT = "rang_out"
    TAKEN_BACK = "taken_back"


class OperatorState(StrEnum):
    """What an operator does."""

    SIGNED_OUT = "signed_out"
    AVAILABLE = "available"
    OFFERED = "offered"
    ON_CALL = "on_call"
    WRAP_UP = "wrap_up"
    PAUSED = "paused"
    BUSY_ELSEWHERE = "busy_elsewhere"


class OperatorTrigger(StrEnum):
    """What moves an operator. The `FREED_…` triggers name where the person belongs once nothing else holds them."""

    SIGNED_IN = "signed_in"
    RUNG = "rung"
    PICKED_UP = "picked_up"
    HUNG_UP = "hung_up"
    FREED_AVAILABLE = "freed_available"
    FREED_PAUSED = "freed_paused"
    FREED_SIGNED_OUT = "freed_signed_out"
    SEEN_ELSEWHERE = "seen_elsewhere"


class IllegalTransition(CallflowError):
    """A decision of ours that the table forbids: a defect of the core, never of the outside."""

    def __init__(self, state: StrEnum, trigger: StrEnum) -> None:
        self.state = state
        self.trigger = trigger
        super().__init__(f"{type(state).__name__} {state} does not allow {trigger}")


_C, _CT = CallState, CallTrigger
_OPEN = (_C.ARRIVED, _C.IN_IVR, _C.QUEUED, _C.CONNECTED, _C.CONSULTING, _C.THREE_WAY, _C.AGENCY_ONLY)
_WITH_PERSON = (_C.CONNECTED, _C.CONSULTING)
CALL_TRANSITIONS: Mapping[tuple[CallState, CallTrigger], CallState] = MappingProxyType(
    {
        (_C.ARRIVED, _CT.ENTERED_FLOW): _C.IN_IVR,
        (_C.ARRIVED, _CT.SENT_TO_QUEUE): _C.QUEUED,
        (_C.ARRIVED, _CT.PERSON_JOINED): _C.CONNECTED,
        (_C.IN_IVR, _CT.SENT_TO_QUEUE): _C.QUEUED,
        (_C.QUEUED, _CT.PERSON_JOINED): _C.CONNECTED,
        # an operator talks with the caller, and brings in a party
        (_C.CONNECTED, _CT.CONSULTED): _C.CONSULTING,
        (_C.CONNECTED, _CT.PARTY_JOINED): _C.THREE_WAY,
        (_C.CONSULTING, _CT.PARTY_JOINED): _C.THREE_WAY,
        (_C.CONSULTING, _CT.PARTY_LEFT): _C.CONNECTED,
        (_C.THREE_WAY, _CT.PARTY_LEFT): _C.CONNECTED,
        # the operator leaves: an outside party talks on with the caller; a colleague becomes the person
        (_C.THREE_WAY, _CT.PERSON_LEFT): _C.AGENCY_ONLY,
        (_C.THREE_WAY, _CT.PERSON_LOST): _C.AGENCY_ONLY,
        (_C.THREE_WAY, _CT.TRANSFERRED): _C.CONNECTED,
        (_C.CONNECTED, _CT.TRANSFERRED): _C.QUEUED,
        # nobody is with the caller but the party, and an operator may still be sought
        (_C.QUEUED, _CT.PARTY_JOINED): _C.AGENCY_ONLY,
        (_C.AGENCY_ONLY, _CT.PERSON_JOINED): _C.THREE_WAY,
        (_C.AGENCY_ONLY, _CT.PARTY_LEFT): _C.QUEUED,
        **{(state, _CT.PERSON_LOST): _C.QUEUED for state in _WITH_PERSON},
        **{(state, _CT.RETURNED): _C.QUEUED for state in _OPEN if state is not _C.ARRIVED},
        **{(state, _CT.HANDED_BACK): _C.ENDED for state in _OPEN},
        **{(state, _CT.ENDED): _C.ENDED for state in _OPEN},
    }
)

_O, _OT = OfferState, OfferTrigger
OFFER_TRANSITIONS: Mapping[tuple[OfferState, OfferTrigger], OfferState] = MappingProxyType(
    {
        (_O.RINGING, _OT.PICKED_UP): _O.ANSWERED,
        (_O.RINGING, _OT.REFUSED): _O.DECLINED,
        (_O.RINGING, _OT.RANG_OUT): _O.TIMED_OUT,
        (_O.RINGING, _OT.TAKEN_BACK): _O.WITHDRAWN,
    }
)

_P, _PT = OperatorState, OperatorTrigger
_HELD = (_P.OFFERED, _P.ON_CALL, _P.WRAP_UP, _P.BUSY_ELSEWHERE)
_AT_REST = (_P.SIGNED_OUT, _P.AVAILABLE, _P.PAUSED)
OPERATOR_TRANSITIONS: Mapping[tuple[OperatorState, OperatorTrigger], OperatorState] = MappingProxyType(
    {
        (_P.SIGNED_OUT, _PT.SIGNED_IN): _P.AVAILABLE,
        (_P.PAUSED, _PT.FREED_AVAILABLE): _P.AVAILABLE,
        (_P.AVAILABLE, _PT.FREED_PAUSED): _P.PAUSED,
        (_P.AVAILABLE, _PT.FREED_SIGNED_OUT): _P.SIGNED_OUT,
        (_P.PAUSED, _PT.FREED_SIGNED_OUT): _P.SIGNED_OUT,
        (_P.OFFERED, _PT.PICKED_UP): _P.ON_CALL,
        (_P.ON_CALL, _PT.HUNG_UP): _P.WRAP_UP,
        **{(state, _PT.RUNG): _P.OFFERED for state in _AT_REST},
        **{(state, _PT.SEEN_ELSEWHERE): _P.BUSY_ELSEWHERE for state in _AT_REST},
        **{(state, _PT.FREED_AVAILABLE): _P.AVAILABLE for state in _HELD},
        **{(state, _PT.FREED_PAUSED): _P.PAUSED for state in _HELD},
        **{(state, _PT.FREED_SIGNED_OUT): _P.SIGNED_OUT for state in _HELD},
    }
)

_S = TypeVar("_S", bound=StrEnum)
_T = TypeVar("_T", bound=StrEnum)


def advance(table: Mapping[tuple[_S, _T], _S], state: _S, trigger: _T) -> _S:
    """The state that follows.

    Raises:
        IllegalTransition: when the table has no such move.
    """
    try:
        return table[state, trigger]
    except KeyError:
        raise IllegalTransition(state, trigger) from None
