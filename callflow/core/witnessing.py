"""Takes in what others witnessed: measured recordings, calls that the dialplan served alone, trunks and its queue."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from callflow.core import callbacks
from callflow.core.centre_facts import AlarmKind
from callflow.core.facts import CallServedInFallback, HangupParty, RecordingStored
from callflow.core.ids import EndpointName
from callflow.core.reports import FallbackQueueReported, FallbackWitnessed, RecordingMeasured, TrunkReported
from callflow.core.turn import Turn

_WORTH_CALLING_BACK: Final = timedelta(hours=1)
"""Who gave up in the fallback longer ago was missed for good: CEL may be read late, after a long outage."""


def on_recording_measured(turn: Turn, event: RecordingMeasured) -> None:
    """The audio's digests stand in the chain from now on."""
    turn.note(RecordingStored(at=turn.at, call=event.call, tracks=event.tracks))


def on_fallback_witnessed(turn: Turn, event: FallbackWitnessed) -> None:
    """Take a call into the journal that the dialplan served alone."""
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
        )
    )

    number = event.caller.number
    if event.answered_at is None and number is not None and turn.at - event.ended_at < _WORTH_CALLING_BACK:
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
