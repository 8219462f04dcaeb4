"""Says what must hold after every event, whatever happened: nobody is lost, nobody is held for nothing.

One `Invariants` follows one Switchboard from its first event; it looks at the state and at what was decided, never at
how. It knows nothing of the simulated world, so that recorded histories and the real engine can be checked by it too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from callflow.core.causes import HANGUP
from callflow.core.commands import (
    AddCaller,
    AnswerCaller,
    BeginOutbound,
    CallCitizen,
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
from callflow.core.events import CommandFailed, DecisionFailed, Event, LegGone, TimerFired
from callflow.core.facts import (
    CallEnded,
    CallHandedBack,
    CallOpened,
    ConsultationBegan,
    ConsultationEnded,
    IvrStepTaken,
    OfferClosed,
    OfferMade,
    PartyEnd,
    PartyGone,
    PartySought,
)
from callflow.core.ids import CallId, OperatorId, outbound_call_of_channel
from callflow.core.ledger import Ledger
from callflow.core.requests import TalkAction, TalkRequested
from callflow.core.state import Call, State, timer_key
from callflow.core.states import CallState, OfferState

from .standing import Broken, must, stands

_ABOUT_THE_CALLER = (
    AnswerCaller,
    ReadTrunkHeaders,
    Play,
    HoldCaller,
    AddCaller,
    OfferCall,
    DialDestination,
    JoinLegs,
    CallCitizen,
    BeginOutbound,
    EndCall,
    HandBack,
)


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
        self._parties = Counter({c.call: 1 for c in state.calls.values() if c.party is not None})
        self._consulting = {c.call for c in state.calls.values() if c.state is CallState.CONSULTING}
        self._offered = {o.offer for o in state.offers.values() if o.state is OfferState.RINGING}
        self._before: dict[CallId, Call] = {}
        self._callers_of: dict[OperatorId, CallId | None] = {}
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
        self._funnel(commands)
        self._record(commands)
        for command in commands:
            match command:
                case StartTimer():
                    self._running.add(timer_key(command.timer))
                case CancelTimer():
                    self._running.discard(timer_key(command.timer))
                case EndCall() if command.call not in self._ending:
                    chosen = self._was_ended_by_a_person(event, command.call) or _chose_the_end(commands, command.call)
                    given_up = self._is_a_citizen_not_met(command)
                    must(chosen or given_up, f"caller {command.call} is hung up on by the system")
                    self._ending.add(command.call)
            again = isinstance(event, CommandFailed) and isinstance(command, HandBack)
            if isinstance(command, _ABOUT_THE_CALLER) and not again:
                must(command.call not in self._handed_back, f"{_brief(command)} though handed back")
            if isinstance(command, HandBack):
                self._handed_back.add(command.call)

    def _funnel(self, commands: Sequence[Command]) -> None:
        """Every call is opened once and comes to one end."""
        for fact in (command.fact for command in commands if isinstance(command, Note)):
            if isinstance(fact, CallOpened):
                self._open[fact.call] += 1
                self._ending.discard(fact.call)
                self._handed_back.discard(fact.call)
                must(self._open[fact.call] == 1, f"call {fact.call} was opened while open")
            elif isinstance(fact, CallEnded | CallHandedBack):
                self._open[fact.call] -= 1
                must(self._open[fact.call] == 0, f"call {fact.call} ended {1 - self._open[fact.call]} times")

    def _record(self, commands: Sequence[Command]) -> None:
        """What begins in the record ends there: offers, parties, consultations, each once and with its call."""
        for fact in (command.fact for command in commands if isinstance(command, Note)):
            match fact:
                case OfferMade():
                    self._offered.add(fact.offer)
                case OfferClosed():
                    must(fact.offer in self._offered, f"{fact.offer} is closed twice")
                    self._offered.discard(fact.offer)
                case PartySought():
                    self._parties[fact.call] += 1
                    must(self._parties[fact.call] == 1, f"{fact.call} seeks a second party")
                case PartyGone() if fact.reason is not PartyEnd.SILENT:
                    self._parties[fact.call] -= 1
                    must(self._parties[fact.call] == 0, f"{fact.call}'s party is gone and was not there")
                case ConsultationBegan():
                    must(fact.call not in self._consulting, f"{fact.call} consults twice at once")
                    self._consulting.add(fact.call)
                case ConsultationEnded():
                    must(fact.call in self._consulting, f"{fact.call}'s consultation ends twice")
                    self._consulting.discard(fact.call)
                case CallEnded() | CallHandedBack():
                    must(not self._parties[fact.call], f"{fact.call} is over and its party is not")
                    must(fact.call not in self._consulting, f"{fact.call} is over and its consultation is not")

    def _was_ended_by_a_person(self, event: Event, name: CallId) -> bool:
        """The operator hung up or ended the call."""
        call = self._before.get(name)
        if isinstance(event, TalkRequested):
            return event.action is TalkAction.END and self._callers_of.get(event.operator) == name
        hung_up = isinstance(event, LegGone) and event.cause in HANGUP
        talked = call is not None and call.state is CallState.CONNECTED
        return hung_up and talked and call is not None and call.person == getattr(event, "offer", None)

    def _is_a_citizen_not_met(self, command: EndCall) -> bool:
        """It is a call-back whose citizen had not met the operator yet; the call-back stays open."""
        call = self._before.get(command.call)
        met = call is not None and call.connected_at is not None
        return outbound_call_of_channel(command.channel) == command.call and not met

    def _remember(self, state: State) -> None:
        self._before = dict(state.calls)
        self._callers_of = {name: operator.call for name, operator in state.operators.items()}

    # --- what stands now --------------------------------------------------------------------------------------------

    def _whole(self, state: State) -> None:
        must(self._running == set(state.timers), f"timers differ: {self._running ^ set(state.timers)}")
        open_now = {c.call for c in state.calls.values() if c.state is not CallState.ENDED}
        must(open_now == {call for call, n in self._open.items() if n}, "the funnel does not add up")
        stands(state)


def _chose_the_end(commands: Sequence[Command], call: CallId) -> bool:
    """The caller pressed the key by which an information branch ends."""
    steps = (command.fact for command in commands if isinstance(command, Note))
    return any(isinstance(f, IvrStepTaken) and (f.call, f.exit) == (call, "end") and f.keys for f in steps)


def same_indices(ledger: Ledger) -> bool:
    """Whether the ledger's indices are what its state says, as after a restart."""
    fresh = Ledger(ledger.state)
    return [c.call for c in fresh.waiting()] == [c.call for c in ledger.waiting()] and all(
        set(fresh.offers_of(call)) == set(ledger.offers_of(call)) for call in ledger.state.calls
    )


def _brief(command: Command) -> str:
    if isinstance(command, Note):
        return type(command.fact).__name__
    if isinstance(command, StartTimer | CancelTimer):
        return f"{type(command).__name__} {timer_key(command.timer)}"
    return f"{type(command).__name__} {getattr(command, 'offer', None) or getattr(command, 'call', '')}"
