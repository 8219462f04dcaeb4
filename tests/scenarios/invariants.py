"""Says what must hold after every event, whatever happened: nobody is lost, nobody is held for nothing.

One `Invariants` follows one Switchboard from its first event; it looks at the state and at what was decided, never at
how. It knows nothing of the simulated world, so that recorded histories and the real engine can be checked by it too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from callflow.core.commands import (
    AnswerCaller,
    CancelTimer,
    Command,
    DialDestination,
    EndCall,
    HandBack,
    HoldCaller,
    JoinLegs,
    Note,
    OfferCall,
    Play,
    ReadTrunkHeaders,
    StartTimer,
)
from callflow.core.desk import is_ready
from callflow.core.events import DecisionFailed, Event, LegGone, TimerFired
from callflow.core.facts import CallEnded, CallHandedBack, CallOpened, IvrStepTaken
from callflow.core.ids import CallId, OfferId
from callflow.core.ledger import Ledger
from callflow.core.offering import HANGUP_CAUSES
from callflow.core.state import SET_ASIDE, Call, Offer, State, timer_key
from callflow.core.states import CallState, OfferState, OperatorState
from callflow.core.timers import TimerKind

_ABOUT_THE_CALLER = (
    AnswerCaller,
    ReadTrunkHeaders,
    Play,
    HoldCaller,
    OfferCall,
    DialDestination,
    JoinLegs,
    EndCall,
    HandBack,
)
_LIVE_OFFERS = (OfferState.RINGING, OfferState.ANSWERED)
_OF_A_CALL = (
    TimerKind.NODE_INPUT,
    TimerKind.NODE_PROMPT,
    TimerKind.CALL_RELEASE,
    TimerKind.LAST_RESORT,
    TimerKind.SEEK_AGAIN,
    TimerKind.ANNOUNCE,
)
_OF_AN_OFFER = (TimerKind.OFFER_RING, TimerKind.OFFER_JOIN, TimerKind.LEG_RELEASE)


class Broken(AssertionError):
    """A rule does not hold."""


class Invariants:
    """Follows one Switchboard.

    Args:
        state: as the Switchboard is when the following begins: empty, or read from a checkpoint.
    """

    def __init__(self, state: State) -> None:
        self._open: Counter[CallId] = Counter(c.call for c in state.calls.values() if c.state is not CallState.ENDED)
        self._ending = {c.call for c in state.calls.values() if c.state is CallState.ENDED}
        self._handed_back: set[CallId] = set()
        self._running = set(state.timers)
        self._connected: dict[CallId, OfferId | None] = {}
        self._remember(state)

    def check(self, event: Event, commands: Sequence[Command], state: State) -> None:
        """Check one turn.

        Raises:
            Broken: naming the rule, the event and who is concerned.
        """
        try:
            self._turn(event, commands)
            self._whole(state)
        except Broken as broken:
            raise Broken(f"{broken}\n  after {event}\n  decided {[_brief(c) for c in commands]}") from None
        self._remember(state)

    # --- what was decided -------------------------------------------------------------------------------------------

    def _turn(self, event: Event, commands: Sequence[Command]) -> None:
        if isinstance(event, DecisionFailed) and event.channel is not None and event.call is not None:
            self._handed_back.discard(event.call)  # it had arrived again
        if isinstance(event, TimerFired):
            self._running.discard(timer_key(event.timer))
        facts = [command.fact for command in commands if isinstance(command, Note)]
        for fact in facts:
            if isinstance(fact, CallOpened):
                self._open[fact.call] += 1
                self._ending.discard(fact.call)
                self._handed_back.discard(fact.call)
                _must(self._open[fact.call] == 1, f"call {fact.call} was opened while open")
            elif isinstance(fact, CallEnded | CallHandedBack):
                self._open[fact.call] -= 1
                _must(self._open[fact.call] == 0, f"call {fact.call} ended {1 - self._open[fact.call]} times")
        chosen_ends = {
            fact.call for fact in facts if isinstance(fact, IvrStepTaken) and fact.exit == "end" and fact.keys
        }
        for command in commands:
            match command:
                case StartTimer():
                    self._running.add(timer_key(command.timer))
                case CancelTimer():
                    self._running.discard(timer_key(command.timer))
                case EndCall() if command.call not in self._ending:
                    hung_up = (
                        isinstance(event, LegGone)
                        and event.cause in HANGUP_CAUSES
                        and self._connected.get(command.call) == event.offer
                    )
                    _must(hung_up or command.call in chosen_ends, f"caller {command.call} is hung up on by the system")
                    self._ending.add(command.call)
            if isinstance(command, _ABOUT_THE_CALLER):
                _must(command.call not in self._handed_back, f"{_brief(command)} though handed back")
            if isinstance(command, HandBack):
                self._handed_back.add(command.call)

    def _remember(self, state: State) -> None:
        self._connected = {c.call: c.person for c in state.calls.values() if c.state is CallState.CONNECTED}

    # --- what stands now --------------------------------------------------------------------------------------------

    def _whole(self, state: State) -> None:
        _must(self._running == set(state.timers), f"timers differ: {self._running ^ set(state.timers)}")
        open_now = {c.call for c in state.calls.values() if c.state is not CallState.ENDED}
        _must(open_now == {call for call, n in self._open.items() if n}, "the funnel does not add up")
        for key, running in state.timers.items():
            _must(key == timer_key(running.timer), f"{key} misnamed")
            _belongs(state, running.timer.kind, running.timer.subject)
        for call in state.calls.values():
            _caller(state, call)
        for offer in state.offers.values():
            _offer(state, offer)
        _operators(state)
        _nobody_idle_beside_a_waiting_caller(state)


def _caller(state: State, call: Call) -> None:
    """Every caller has an owner: a deadline, a ringing phone, or a person."""
    name = call.call
    if call.state is CallState.IN_IVR:
        owned = _runs(state, TimerKind.NODE_INPUT, name) or _runs(state, TimerKind.NODE_PROMPT, name)
        _must(owned, f"{name} is stuck in the flow")
        _must(call.person is None, f"{name} has a person in the flow")
    elif call.state is CallState.QUEUED and call.person is None:
        _must(_runs(state, TimerKind.ANNOUNCE, name), f"{name} waits without announcements")
        outside = any(o.call == name and o.destination and o.state is OfferState.RINGING for o in state.offers.values())
        _must(outside or _runs(state, TimerKind.LAST_RESORT, name), f"{name} waits without a limit")
    elif call.state is CallState.QUEUED:
        assert call.person is not None
        _must(_runs(state, TimerKind.OFFER_JOIN, call.person), f"{name} is being joined without a limit")
    elif call.state is CallState.CONNECTED:
        _must(call.person is not None, f"{name} is connected to nobody")
    else:
        _must(call.state is CallState.ENDED, f"{name} stays {call.state}")
        _must(_runs(state, TimerKind.CALL_RELEASE, name), f"{name} was hung up without a limit")
        _must(call.person is None, f"{name} is over and holds a person")
    if call.person is not None:
        person = state.offers.get(call.person)
        _must(person is not None and person.call == name, f"{name}'s person has no leg")
        assert person is not None
        _must(person.state is OfferState.ANSWERED, f"{name}'s person is {person.state}")


def _offer(state: State, offer: Offer) -> None:
    name = offer.offer
    call = state.calls.get(offer.call)
    if offer.state is OfferState.RINGING:
        seeks = call is not None and call.state is CallState.QUEUED and call.person is None
        _must(seeks, f"{name} rings for nobody")
        _must(_runs(state, TimerKind.OFFER_RING, name), f"{name} rings without a limit")
    elif offer.state is OfferState.ANSWERED and call is not None and call.person == name:
        return
    else:
        _must(_runs(state, TimerKind.LEG_RELEASE, name), f"{name} is {offer.state} and nobody sees it go")


def _operators(state: State) -> None:
    held = Counter(o.operator for o in state.offers.values() if o.operator is not None and o.state in _LIVE_OFFERS)
    for name, operator in state.operators.items():
        _must(held[name] <= 1, f"operator {name} has {held[name]} callers")
        offer = None if operator.offer is None else state.offers.get(operator.offer)
        if operator.state in (OperatorState.OFFERED, OperatorState.ON_CALL):
            _must(offer is not None and offer.operator == name, f"operator {name} is {operator.state} without a leg")
        else:
            _must(operator.offer is None and operator.call is None, f"operator {name} is {operator.state} with a leg")
            _must(held[name] == 0, f"operator {name} is {operator.state} and rung")
        if operator.state is OperatorState.WRAP_UP:
            _must(_runs(state, TimerKind.WRAP_UP, name), f"operator {name} wraps up for ever")
        if operator.pause == SET_ASIDE:
            _must(_runs(state, TimerKind.SET_ASIDE, name), f"operator {name} is set aside for ever")
        if operator.state is OperatorState.BUSY_ELSEWHERE:
            _must(operator.elsewhere, f"operator {name} is elsewhere without proof")


def _nobody_idle_beside_a_waiting_caller(state: State) -> None:
    ready = [o.profile.operator for o in state.operators.values() if is_ready(o)]
    if not ready:
        return
    for call in state.calls.values():
        if call.state is CallState.QUEUED and call.person is None:
            inside = (o for o in state.offers.values() if o.call == call.call and o.operator is not None)
            rings = any(o.state is OfferState.RINGING for o in inside)
            _must(rings, f"{call.call} waits beside {ready} who are ready")


def _belongs(state: State, kind: TimerKind, subject: str) -> None:
    """No timer outlives what it is for."""
    if kind in _OF_A_CALL:
        _must(subject in state.calls, f"{kind} of {subject}, which is over")
    elif kind in _OF_AN_OFFER:
        _must(subject in state.offers, f"{kind} of {subject}, which is gone")
    elif kind in (TimerKind.WRAP_UP, TimerKind.SET_ASIDE):
        _must(subject in state.operators, f"{kind} of {subject}, who does not exist")
    else:
        _must(kind is TimerKind.INCIDENT, f"{kind} of {subject}")


def same_indices(ledger: Ledger) -> bool:
    """Whether the ledger's indices are what its state says, as after a restart."""
    fresh = Ledger(ledger.state)
    return [c.call for c in fresh.waiting()] == [c.call for c in ledger.waiting()] and all(
        set(fresh.offers_of(call)) == set(ledger.offers_of(call)) for call in ledger.state.calls
    )


def _runs(state: State, kind: TimerKind, subject: str) -> bool:
    return f"{kind}:{subject}" in state.timers


def _must(holds: bool, rule: str) -> None:
    if not holds:
        raise Broken(rule)


def _brief(command: Command) -> str:
    if isinstance(command, Note):
        return type(command.fact).__name__
    if isinstance(command, StartTimer | CancelTimer):
        return f"{type(command).__name__} {timer_key(command.timer)}"
    return f"{type(command).__name__} {getattr(command, 'offer', None) or getattr(command, 'call', '')}"
