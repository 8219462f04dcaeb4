"""Takes in what others witnessed: measured recordings, calls that the dialplan served alone, trunks and its queue."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from callflow.core import callbacks
from callflow.core.centre_facts import AlarmKind
from callflow.core.facts import CallServedInFallback, HangupParty, RecordingMissing, RecordingStored
from callflow.core.faults import FaultMended, FaultReported
from callflow.core.ids import EndpointName
from callflow.core.reports import (
    FallbackQueueReported,
    FallbackWitnessed,
    RecordingMeasured,
    RecordingMissed,
    TrunkReported,
)
from callflow.core.turn import Turn

_WORTH_CALLING_BACK: Final = timedelta(hours=1)
"""Who gave up in the fallback longer ago was missed for good: CEL may be read late, after a long outage."""
_REMEMBERED: Final = 10_000
"""Calls that CEL told of: whoever tells of one again does so within minutes, and a flood brings thousands in one."""


def on_recording_measured(turn: Turn, event: RecordingMeasured) -> None:
    """The audio's digests stand in the chain from now on."""
    turn.note(RecordingStored(at=turn.at, call=event.call, tracks=event.tracks))


def on_recording_missed(turn: Turn, event: RecordingMissed) -> None:
    """The record says that there is no audio, and why; somebody looks after the recordings' disk."""
    turn.note(RecordingMissing(at=turn.at, call=event.call, reason=event.reason))
    turn.incident(AlarmKind.RECORDING_MISSING, "", f"a call has no recording: {event.reason}")


def on_fault_reported(turn: Turn, event: FaultReported) -> None:
    """Something is wrong that we cannot see: people must."""
    if event.lasting:
        if (reworded := turn.ledger.reword_alarm(event.kind, event.subject, event.detail)) is not None:
            turn.note(reworded)  # something else is wrong by now, and the alarm must not go on naming the first
        turn.alarm(event.kind, event.subject, event.detail)
    else:
        turn.incident(event.kind, event.subject, event.detail)


def on_fault_mended(turn: Turn, event: FaultMended) -> None:
    """It is well again."""
    turn.clear(event.kind, event.subject)


def on_fallback_witnessed(turn: Turn, event: FallbackWitnessed) -> None:
    """Take a call into the journal that the dialplan served alone: once, for whoever tells of it may do so again.

    An engine that was killed had it in the journal already, perhaps, and could not say so.
    """
    answered = event.answered_at is not None
    if not {(event.call, True), (event.call, answered)}.isdisjoint(turn.ledger.state.witnessed):
        return
    turn.ledger.witness(event.call, answered=answered, most=_REMEMBERED)
    turn.note(
        CallServedInFallback(
            at=turn.at,
            call=event.call,
            arrived_at=event.arrived_at,
            caller=event.caller,
            dialled=event.dialled,
            trunk=event.trunk,
            answered_at=event.answered_at,
            answered_by=event.answered_by,
            ended_at=event.ended_at,
            ended_by=_who_hung_up(turn, event),
            cause=event.cause,
            in_fallback=event.in_fallback,
        )
    )
    number = event.caller.number
    if event.answered_at is not None:
        callbacks.on_served_in_fallback(turn, event.call, number)
    elif number is not None and turn.at - event.ended_at < _WORTH_CALLING_BACK:
        callbacks.open_for(turn, event.call, number)


def _who_hung_up(turn: Turn, event: FallbackWitnessed) -> HangupParty:
    if event.hung_up_by is None:
        return HangupParty.UNKNOWN
    if event.hung_up_by == event.trunk:
        return HangupParty.CALLER
    operator = turn.ledger.operator_at(EndpointName(event.hung_up_by))
    return HangupParty.DESTINATION if operator is None else HangupParty.OPERATOR


def on_trunk_reported(turn: Turn, event: TrunkReported) -> None:
    """A trunk's far end answers, or does not: calls through it may not come in, or go out."""
    if event.reachable:
        turn.clear(AlarmKind.TRUNK_DOWN, event.trunk)
    else:
        turn.alarm(AlarmKind.TRUNK_DOWN, event.trunk, "the far end does not answer: call the carrier")


def on_fallback_queue_reported(turn: Turn, event: FallbackQueueReported) -> None:
    """Callers wait in the dialplan's own queue, though we are here: they are served without us."""
    if event.waiting > 0:
        turn.alarm(AlarmKind.FALLBACK_IN_USE, "", "callers wait in the dialplan's own queue; answer their calls first")
    else:
        turn.clear(AlarmKind.FALLBACK_IN_USE, "")
