"""Decides what is made of a caller's number: the look-up, the assessment, the one line that operators see."""

from __future__ import annotations

from dataclasses import asdict, replace

from callflow.core import prank
from callflow.core.commands import LookUpCaller
from callflow.core.events import CallerHistory, CallerHistoryKnown
from callflow.core.facts import CallerAssessed
from callflow.core.ids import TrunkRoute
from callflow.core.state import Call
from callflow.core.states import CallState
from callflow.core.turn import Turn


def look_up(turn: Turn, call: Call) -> None:
    """Ask what is known of the number; an unknown caller is assessed at once, and never pooled with others."""
    if call.caller.number is None:
        _assess(turn, call, None)
    else:
        turn.do(LookUpCaller(call=call.call, number=call.caller.number))


def on_history(turn: Turn, event: CallerHistoryKnown) -> None:
    """The look-up's answer, or that there is none in time. It delays nothing: the flow has begun long before."""
    call = turn.ledger.call(event.call)
    if call is not None and call.state is not CallState.ENDED and call.assessed is None:
        _assess(turn, call, event.history)


def _assess(turn: Turn, call: Call, history: CallerHistory | None) -> None:
    settings = turn.ledger.settings
    assessment = prank.assess(
        history,
        known=call.caller.number is not None,
        verified=TrunkRoute(call.trunk) in settings.verified_trunks,
        at=turn.at,
        policy=settings.prank,
    )
    assessed = CallerAssessed(at=turn.at, call=call.call, **asdict(assessment))
    turn.ledger.put_call(replace(call, assessed=assessed))
    turn.note(assessed)
