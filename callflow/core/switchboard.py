"""The one mutable object: takes an event, decides, returns commands. No I/O, no clock; an exception changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from callflow.core import (
    attendance,
    callbacks,
    callers,
    calls,
    classifying,
    clocking,
    connecting,
    desk,
    ending,
    ivr,
    keypad,
    lastresort,
    listening,
    offering,
    outbound,
    parties,
    queueing,
    recalls,
    reconcile,
    seeking,
    shifts,
    talking,
    witnessing,
)
from callflow.core.centre_facts import FlowInForce, SettingsApplied
from callflow.core.commands import Command, StartTimer
from callflow.core.events import (
    CallArrived,
    CallerGone,
    CallerHistoryKnown,
    CallerReturned,
    CitizenAnswered,
    CitizenNotReached,
    CommandFailed,
    DecisionFailed,
    EndpointReported,
    Event,
    FlowPublished,
    KeyPressed,
    LegGone,
    LegJoined,
    OfferAnswered,
    OfferRang,
    OperatorChanged,
    PlaybackEnded,
    RosterChanged,
    SettingsChanged,
    SnapshotTaken,
    SpeechHeard,
    TimerFired,
    TrunkHeadersRead,
)
from callflow.core.faults import ClockSet, FaultMended, FaultReported
from callflow.core.ids import CallId, OfferId
from callflow.core.ledger import Ledger
from callflow.core.reports import (
    FallbackQueueReported,
    FallbackWitnessed,
    RecordingMeasured,
    RecordingMissed,
    TrunkReported,
)
from callflow.core.requests import (
    CallbackRequested,
    ClassificationRequested,
    CodeCallGone,
    CodeDialled,
    OperatorKeyPressed,
    PauseRequested,
    ResumeRequested,
    SignInRequested,
    SignOutRequested,
    TalkRequested,
)
from callflow.core.state import State, timer_key
from callflow.core.timers import TimerKind
from callflow.core.turn import Turn
from callflow.errors import CallflowError

CORE_VERSION: Final = 3
"""Counts up whenever the same events may give other decisions; it stands on every journal entry."""


class NotOpened(CallflowError):
    """An event came before the centre's settings: the shell's fault."""


class Switchboard:
    """Decides what happens to every call of one centre.

    Args:
        state: as read from a checkpoint, taken over; None = an empty switchboard.
    """

    def __init__(self, state: State | None = None) -> None:
        self._ledger = Ledger(state or State())

    @property
    def state(self) -> State:
        """All it knows, to be read only."""
        return self._ledger.state

    def handle(self, event: Event) -> tuple[Command, ...]:
        """Take in an event and decide.

        Raises:
            Exception: whatever a handler raised; the state is as it was before.
        """
        turn = Turn(self._ledger, event.at)
        try:
            self._decide(turn, event)
        except BaseException:
            self._ledger.rollback()
            raise
        self._ledger.commit()
        return tuple(turn.commands)

    def failure_of(self, event: Event, error: Exception) -> DecisionFailed:
        """The event that is to follow one on which `handle` raised this error."""
        call: CallId | None = getattr(event, "call", None)
        if isinstance(event, TimerFired):
            offer = self.state.offers.get(OfferId(event.timer.subject))
            subject = CallId(event.timer.subject)
            call = offer.call if offer is not None else subject if subject in self.state.calls else None
        return DecisionFailed(
            at=event.at,
            call=call,
            event=type(event).__name__,
            error=type(error).__name__,
            channel=event.channel if isinstance(event, CallArrived) else None,
        )

    def _decide(self, turn: Turn, event: Event) -> None:
        if isinstance(event, SettingsChanged):
            self._ledger.put_settings(event.settings)
            turn.note(SettingsApplied(at=event.at, settings=event.settings))
        elif self._ledger.state.settings is None:
            raise NotOpened(f"{type(event).__name__} before the first SettingsChanged")
        elif isinstance(event, DecisionFailed):
            calls.on_decision_failed(turn, event)
            return  # seeking may be what failed, and would fail again
        else:
            HANDLERS[type(event)](turn, event)
        callbacks.dial_after_codes(turn)
        seeking.seek(turn)
        lastresort.watch(turn)
        callbacks.assign(turn)
        attendance.watch_presence(turn)
        shifts.watch_seats(turn)


def _on_flow_published(turn: Turn, event: FlowPublished) -> None:
    """Calls that arrive from now on take this flow; calls under way keep theirs."""
    turn.ledger.put_flow(event)
    turn.note(FlowInForce(at=event.at, version=event.version, document=event.document, published_by=event.published_by))


def _on_timer(turn: Turn, event: TimerFired) -> None:
    """A timer came due, if it still runs: one that was moved or cancelled meanwhile changes nothing.

    One that comes too early is started again for the rest of its time: were it only ignored and the shell's clock
    a microsecond behind the core's, nothing would ever follow.
    """
    running = turn.ledger.state.timers.get(timer_key(event.timer))
    if running is None:
        return
    if running.due > event.at:
        turn.do(StartTimer(timer=event.timer, seconds=(running.due - event.at).total_seconds()))
        return
    turn.ledger.drop_timer(event.timer)
    TIMER_HANDLERS[event.timer.kind](turn, event.timer.subject)


def _on_seek_again(turn: Turn, subject: str) -> None:
    """The next round, or a limit on whom to ring is over: seeking follows every turn."""


def _on_incident_over(turn: Turn, subject: str) -> None:
    """No such incident followed: the alarm is old news."""
    kind, _, name = subject.partition("/")
    for alarm in tuple(turn.ledger.state.alarms.values()):
        if (alarm.kind, alarm.subject) == (kind, name):
            turn.clear(alarm.kind, alarm.subject)


TIMER_HANDLERS: Final[Mapping[TimerKind, Callable[[Turn, str], None]]] = MappingProxyType(
    {
        TimerKind.NODE_INPUT: ivr.on_silence,
        TimerKind.NODE_PROMPT: ivr.on_prompt_overdue,
        TimerKind.OFFER_RING: offering.on_ring_over,
        TimerKind.OFFER_SILENT: offering.on_silent,
        TimerKind.OFFER_JOIN: connecting.on_join_overdue,
        TimerKind.LEG_RELEASE: offering.on_leg_release_overdue,
        TimerKind.CALL_RELEASE: ending.on_call_release_overdue,
        TimerKind.LAST_RESORT: lastresort.on_due,
        TimerKind.SEEK_AGAIN: _on_seek_again,
        TimerKind.PHONE_RESTS: _on_seek_again,
        TimerKind.RING_EVERYONE: _on_seek_again,
        TimerKind.SKILL_RELAX: _on_seek_again,
        TimerKind.LATER_PLACE: queueing.on_later_place_over,
        TimerKind.MEDICAL: parties.on_medical_due,
        TimerKind.PARTY_SILENT: parties.on_silent,
        TimerKind.CODE_DIGITS: keypad.on_digits_over,
        TimerKind.RECALL: recalls.on_over,
        TimerKind.CALLBACK: callbacks.on_due,
        TimerKind.CITIZEN: outbound.on_citizen_overdue,
        TimerKind.PAUSE_LIMIT: attendance.on_pause_overdue,
        TimerKind.SEATS: shifts.on_look_due,
        TimerKind.ANNOUNCE: queueing.on_announce_due,
        TimerKind.WRAP_UP: desk.on_wrap_up_over,
        TimerKind.SET_ASIDE: desk.on_set_aside_over,
        TimerKind.INCIDENT: _on_incident_over,
    }
)

HANDLERS: Final[Mapping[type[Event], Callable[[Turn, Any], None]]] = MappingProxyType(
    {
        FlowPublished: _on_flow_published,
        OperatorChanged: desk.on_operator_changed,
        RosterChanged: shifts.on_roster_changed,
        SignInRequested: attendance.on_sign_in,
        SignOutRequested: attendance.on_sign_out,
        PauseRequested: attendance.on_pause,
        ResumeRequested: attendance.on_resume,
        TalkRequested: talking.on_requested,
        ClassificationRequested: classifying.on_requested,
        CallbackRequested: callbacks.on_requested,
        CodeDialled: keypad.on_dialled,
        CodeCallGone: keypad.on_code_call_gone,
        OperatorKeyPressed: keypad.on_key,
        EndpointReported: offering.on_endpoint_reported,
        CallerHistoryKnown: callers.on_history,
        SpeechHeard: listening.on_speech,
        CitizenAnswered: outbound.on_citizen_answered,
        CitizenNotReached: outbound.on_citizen_not_reached,
        CallArrived: calls.on_arrived,
        TrunkHeadersRead: calls.on_headers,
        KeyPressed: calls.on_key,
        PlaybackEnded: calls.on_playback_ended,
        CallerGone: calls.on_caller_gone,
        CallerReturned: calls.on_caller_returned,
        OfferRang: offering.on_rang,
        OfferAnswered: offering.on_answered,
        LegGone: offering.on_leg_gone,
        LegJoined: connecting.on_joined,
        TimerFired: _on_timer,
        CommandFailed: calls.on_command_failed,
        SnapshotTaken: reconcile.on_snapshot,
        ClockSet: clocking.on_clock_set,
        RecordingMeasured: witnessing.on_recording_measured,
        RecordingMissed: witnessing.on_recording_missed,
        FaultReported: witnessing.on_fault_reported,
        FaultMended: witnessing.on_fault_mended,
        FallbackWitnessed: witnessing.on_fallback_witnessed,
        TrunkReported: witnessing.on_trunk_reported,
        FallbackQueueReported: witnessing.on_fallback_queue_reported,
    }
)
