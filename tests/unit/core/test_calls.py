from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from callflow.core.commands import Note
from callflow.core.events import Caller, FallbackWitnessed, RecordingMeasured, Track
from callflow.core.facts import CallServedInFallback, HangupParty, RecordingStored
from callflow.core.ids import CallId
from callflow.core.switchboard import Switchboard


@pytest.mark.parametrize(
    ("hung_up_by", "party"),
    [
        (None, HangupParty.UNKNOWN),
        ("trunk-city", HangupParty.CALLER),
        ("op-ani", HangupParty.OPERATOR),
        ("trunk-province", HangupParty.DESTINATION),
    ],
)
def test_call_of_the_fallback_is_told_with_who_hung_up(
    switchboard: Switchboard, now: datetime, hung_up_by: str | None, party: HangupParty
) -> None:
    witnessed = FallbackWitnessed(
        at=now,
        call=CallId("node1-9"),
        caller=Caller(number=None, raw=""),
        dialled="112",
        trunk="trunk-city",
        arrived_at=now - timedelta(seconds=50),
        answered_at=None,
        answered_by=None,
        ended_at=now,
        hung_up_by=hung_up_by,
        cause=16,
    )
    (note,) = switchboard.handle(witnessed)
    assert isinstance(note, Note)
    assert isinstance(note.fact, CallServedInFallback)
    assert note.fact.ended_by is party
    assert not switchboard.state.calls


def test_recording_is_told_with_its_digests(switchboard: Switchboard, now: datetime) -> None:
    track = Track(name="mixed", path="2026/01/05/x.wav", sha256="00" * 32, bytes=44, seconds=0.0)
    (note,) = switchboard.handle(RecordingMeasured(at=now, call=CallId("node1-9"), tracks=(track,)))
    assert isinstance(note, Note)
    assert note.fact == RecordingStored(at=now, call=CallId("node1-9"), tracks=(track,))
