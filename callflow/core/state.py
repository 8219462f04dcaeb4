"""All that the Switchboard knows, as values: written whole into a checkpoint and read back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from callflow.core.centre_facts import AlarmRaised
from callflow.core.city import CentreSettings, Destination, OperatorProfile, Roster
from callflow.core.events import Caller, FlowPublished
from callflow.core.facts import CallerAssessed, ChallengeKind, Direction, LegPurpose, PartyKind, PartyMode
from callflow.core.ids import BridgeId, CallId, ChannelId, OfferId, OperatorId, PlaybackId
from callflow.core.roster import Sitting
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
class Party:
    """Who is brought into a call beside the operator: an agency, a number, or a colleague. One at a time.

    Attributes:
        name: as `PartySought` tells it.
        next_destination: index of the destination that is tried after the present one.
        colleague: the operator who is meant, where it is one.
        by: the operator who asked; None = the flow's medical branch.
        offer: its leg now, ringing or answered; None = between two destinations.
        spoke: speech was heard from the leg that is there now.
        leaving: the operator goes as soon as party and caller are joined.
    """

    name: str
    kind: PartyKind
    mode: PartyMode
    destinations: tuple[Destination, ...] = ()
    next_destination: int = 0
    colleague: OperatorId | None = None
    by: OperatorId | None = None
    offer: OfferId | None = None
    spoke: bool = False
    leaving: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One citizen's call, or an operator's call to one.

    Attributes:
        channel: the citizen's; of an outbound call whether it exists yet or not.
        callback_of: the abandoned call that this outbound one answers.
        priority: of its tier; lower goes first.
        place_at: where it stands among equals: the arrival where None, else that of an earlier call.
        later_seconds: how much later than that a flagged caller stands, for as long.
        at_head: the caller lost a person already and goes before all others.
        seeks: an operator is sought: always while QUEUED without a person, and beside a party that talks already.
        prefer: this operator first: lost a moment ago, or asked for by a colleague.
        medical: of the flow's medical branch: an ambulance service is joined when no operator comes in time.
        person: the answered offer of who serves the caller, joining or talking.
        party: who is brought in beside.
        bridge: the bridge of the call's own that the caller was seen in; None = another, or on the way.
        connected_at: first moment with a person; the call counts as answered from then on.
        last_resort: the last-resort list is being rung; `next_destination` is the index of its next entry.
        spoke: speech was heard from the caller.
        challenge: what the caller was asked to press a key for, until a key comes.
        consultations: how many there were.
        losses: how often an operator's leg broke off in the talk.
        citizen_answered: of an outbound call: the citizen picked up, whatever became of the operator.
        failures: how many commands failed that were to bring a person.
    """

    call: CallId
    channel: ChannelId
    caller: Caller
    dialled: str
    trunk: str
    arrived_at: datetime
    state: CallState
    direction: Direction = Direction.INBOUND
    callback_of: CallId | None = None
    ivr: IvrPosition | None = None
    tier: str | None = None
    priority: int = 0
    place_at: datetime | None = None
    later_seconds: float = 0.0
    skill: str | None = None
    queued_at: datetime | None = None
    at_head: bool = False
    seeks: bool = False
    prefer: OperatorId | None = None
    medical: bool = False
    playing: PlaybackId | None = None
    playbacks: int = 0
    offers_made: int = 0
    person: OfferId | None = None
    party: Party | None = None
    bridge: BridgeId | None = None
    connected_at: datetime | None = None
    last_resort: bool = False
    next_destination: int = 0
    assessed: CallerAssessed | None = None
    spoke: bool = False
    challenge: ChallengeKind | None = None
    consultations: int = 0
    citizen_answered: bool = False
    losses: int = 0
    failures: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One ringing of one phone for one call; kept until its leg is gone, whatever became of the call.

    Attributes:
        met_at: when caller and person were in one bridge first; None = never.
        bridge: the bridge of the call's own that the leg was seen in; None = another, or on the way.
        spoke: speech was heard from a leg outside.
        keys: of a feature code that is being pressed, from its star on.
        silent: the phone does not say that it rings, or is not there any more: others are rung beside it.
    """

    offer: OfferId
    call: CallId
    operator: OperatorId | None
    destination: Destination | None
    state: OfferState
    made_at: datetime
    purpose: LegPurpose = LegPurpose.PERSON
    met_at: datetime | None = None
    bridge: BridgeId | None = None
    spoke: bool = False
    keys: str = ""
    silent: bool = False

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
        foreign: channels on the phone that are neither our legs nor dialled codes.
        codes: channels of feature codes that the phone dialled: at work, but not to be rung.
        last_call: the call that this person served last, for its classification.
    """

    profile: OperatorProfile
    active: bool = True
    signed_in: bool = False
    pause: str = ""
    state: OperatorState = OperatorState.SIGNED_OUT
    since: datetime
    online: bool = False
    foreign: frozenset[ChannelId] = frozenset()
    codes: frozenset[ChannelId] = frozenset()
    offer: OfferId | None = None
    call: CallId | None = None
    last_call: CallId | None = None

    @property
    def elsewhere(self) -> bool:
        """There is a channel on the phone that is not ours."""
        return bool(self.foreign)


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """A citizen whose call ended before a person answered, or broke off, and whom somebody is to call back.

    Attributes:
        call: the abandoned call. number: E.164.
        attempts: outbound calls begun. last_number: in the latest one's id. attempt: the one under way.
        redial: the citizen's own new call, which settles this once a person answers it.
        overdue: its first deadline passed without an attempt.
        dial_after_code: the owner asked by a dialled code: the phone is rung once that channel is gone.
    """

    call: CallId
    number: str
    opened_at: datetime
    deadline: datetime
    owner: OperatorId | None = None
    attempts: int = 0
    last_number: int = 0
    attempt: CallId | None = None
    redial: CallId | None = None
    overdue: bool = False
    dial_after_code: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """Who was left unserved a moment ago: a call from the same number gets this place, and this operator first.

    Attributes:
        call: the one that ended unserved.
    """

    call: CallId
    place_at: datetime
    at_head: bool
    prefer: OperatorId | None = None


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
        sittings: the shifts that run, as of `looked_at`.
        recalls: by number. callbacks: open ones, by the abandoned call, oldest first.
        witnessed: calls that CEL has told of, and whether as answered, the latest last: it may tell of one twice.
        talk_seconds: a call's usual time with a person, a moving mean, for the expected wait.
        timers: by `timer_key`. alarms: by `alarm_key`.
    """

    settings: CentreSettings | None = None
    flow_version: int | None = None
    flows: dict[int, FlowPublished] = field(default_factory=dict)
    operators: dict[OperatorId, Operator] = field(default_factory=dict)
    calls: dict[CallId, Call] = field(default_factory=dict)
    offers: dict[OfferId, Offer] = field(default_factory=dict)
    recalls: dict[str, Recall] = field(default_factory=dict)
    callbacks: dict[CallId, Callback] = field(default_factory=dict)
    witnessed: tuple[tuple[CallId, bool], ...] = ()
    roster: Roster = field(default_factory=Roster)
    sittings: tuple[Sitting, ...] = ()
    looked_at: datetime | None = None
    talk_seconds: float = 120.0
    timers: dict[str, RunningTimer] = field(default_factory=dict)
    alarms: dict[str, AlarmRaised] = field(default_factory=dict)


def timer_key(timer: Timer) -> str:
    """The key of a timer in `State.timers`."""
    return f"{timer.kind}:{timer.subject}"


def alarm_key(kind: str, subject: str) -> str:
    """The key of an alarm in `State.alarms`."""
    return f"{kind}:{subject}"
