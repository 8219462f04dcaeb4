"""All that the Switchboard knows, as values: written whole into a checkpoint and read back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from callflow.core.city import CentreSettings, Destination, OperatorProfile
from callflow.core.events import Caller, FlowPublished
from callflow.core.facts import AlarmRaised
from callflow.core.ids import CallId, ChannelId, OfferId, OperatorId, PlaybackId
from callflow.core.states import CallState, OfferState, OperatorState
from callflow.core.timers import Timer


class IvrPhase(StrEnum):
    """What the flow's node is doing."""

    PROMPT = "prompt"
    OFFER = "offer"
    INPUT = "input"


@dataclass(frozen=True, slots=True, kw_only=True)
class IvrPosition:
    """Where a call stands in its flow.

    Attributes:
        steps: nodes entered so far, against the flow's step budget.
        wrong_keys: wrong keys pressed at this menu.
        keys: what was pressed at this node.
        kept_key: a key pressed while a Say played, for the next Menu or Gather; '' = none.
    """

    flow_version: int
    node: str
    entered_at: datetime
    language: str
    phase: IvrPhase = IvrPhase.PROMPT
    steps: int = 1
    wrong_keys: int = 0
    keys: str = ""
    kept_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One citizen's call.

    Attributes:
        at_head: the caller lost a person already and goes before all others.
        person: the answered offer, joining or talking.
        joined: channels seen in the talk bridge.
        connected_at: first moment with a person; the call counts as answered from then on.
        last_resort: the last-resort list is being rung; `next_destination` is the index of its next entry.
    """

    call: CallId
    channel: ChannelId
    caller: Caller
    dialled: str
    trunk: str
    arrived_at: datetime
    state: CallState
    ivr: IvrPosition | None = None
    tier: str | None = None
    skill: str | None = None
    queued_at: datetime | None = None
    at_head: bool = False
    playing: PlaybackId | None = None
    playbacks: int = 0
    offers_made: int = 0
    person: OfferId | None = None
    joined: frozenset[ChannelId] = frozenset()
    connected_at: datetime | None = None
    last_resort: bool = False
    next_destination: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One ringing of one phone for one call; kept until its leg is gone, whatever became of the call.

    Attributes:
        met: caller and person were in one bridge.
    """

    offer: OfferId
    call: CallId
    operator: OperatorId | None
    destination: Destination | None
    state: OfferState
    made_at: datetime
    met: bool = False

    @property
    def outside(self) -> str | None:
        """The name of the number outside that is rung; None where it is an operator."""
        return None if self.destination is None else self.destination.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """An operator and the phone.

    Attributes:
        signed_in: takes calls; where the person returns to after a call depends on it and on `pause`.
        pause: the reason, '' when not paused; SET_ASIDE when the centre did it after an unanswered offer.
        since: when `state` began; who is AVAILABLE longest is offered first.
        online: the phone is registered.
        elsewhere: there is a channel on the phone that is not ours.
    """

    profile: OperatorProfile
    active: bool = True
    signed_in: bool = False
    pause: str = ""
    state: OperatorState = OperatorState.SIGNED_OUT
    since: datetime
    online: bool = False
    elsewhere: bool = False
    offer: OfferId | None = None
    call: CallId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningTimer:
    """A timer and when it comes due."""

    timer: Timer
    due: datetime


SET_ASIDE = "no_answer"
"""The pause reason of an operator who did not take an offered call."""


@dataclass(slots=True, kw_only=True)
class State:
    """The whole. Its dicts are changed by the Ledger alone.

    Attributes:
        flows: versions in force or in use by a call.
        timers: by `timer_key`. alarms: by `alarm_key`.
    """

    settings: CentreSettings | None = None
    flow_version: int | None = None
    flows: dict[int, FlowPublished] = field(default_factory=dict)
    operators: dict[OperatorId, Operator] = field(default_factory=dict)
    calls: dict[CallId, Call] = field(default_factory=dict)
    offers: dict[OfferId, Offer] = field(default_factory=dict)
    timers: dict[str, RunningTimer] = field(default_factory=dict)
    alarms: dict[str, AlarmRaised] = field(default_factory=dict)


def timer_key(timer: Timer) -> str:
    """The key of a timer in `State.timers`."""
    return f"{timer.kind}:{timer.subject}"


def alarm_key(kind: str, subject: str) -> str:
    """The key of an alarm in `State.alarms`."""
    return f"{kind}:{subject}"
