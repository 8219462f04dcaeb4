from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from callflow.core.centre_facts import AlarmKind
from callflow.core.commands import Note
from callflow.core.events import Caller, Event
from callflow.core.facts import CallServedInFallback, HangupParty, RecordingStored
from callflow.core.ids import CallId
from callflow.core.reports import FallbackQueueReported, FallbackWitnessed, RecordingMeasured, Track, TrunkReported
from callflow.core.switchboard import Switchboard

NUMBER = "+6281200001"


def witnessed(now: datetime, **more: object) -> FallbackWitnessed:
    told = {
        "at": now,
        "call": CallId("node1-9"),
        "caller": Caller(number=None, raw=""),
        "dialled": "112",
        "trunk": "trunk-city",
        "arrived_at": now - timedelta(seconds=50),
        "answered_at": None,
        "answered_by": None,
        "ended_at": now,
        "hung_up_by": None,
        "cause": 16,
    }
    return FallbackWitnessed(**(told | more))  # type: ignore[arg-type]


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
    (note,) = switchboard.handle(witnessed(now, hung_up_by=hung_up_by))
    assert isinstance(note, Note)
    assert isinstance(note.fact, CallServedInFallback)
    assert note.fact.ended_by is party
    assert not switchboard.state.calls


@pytest.mark.parametrize(
    ("ago", "answered", "number", "opened"),
    [
        (timedelta(minutes=5), False, NUMBER, True),
        (timedelta(minutes=5), True, NUMBER, False),
        (timedelta(minutes=5), False, None, False),
        (timedelta(hours=2), False, NUMBER, False),
    ],
)
def test_citizen_whom_nobody_answered_in_the_fallback_is_to_be_called_back(  # noqa: PLR0917 - a table
    switchboard: Switchboard, now: datetime, ago: timedelta, answered: bool, number: str | None, opened: bool
) -> None:
    event = witnessed(
        now,
        caller=Caller(number=number, raw=""),
        ended_at=now - ago,
        answered_at=now - ago if answered else None,
    )
    switchboard.handle(event)
    assert list(switchboard.state.callbacks) == ([event.call] if opened else [])


@pytest.mark.parametrize(
    ("bad", "good", "kind"),
    [
        ({"reachable": False}, {"reachable": True}, AlarmKind.TRUNK_DOWN),
        ({"waiting": 2}, {"waiting": 0}, AlarmKind.FALLBACK_IN_USE),
    ],
)
def test_alarm_stands_as_long_as_a_witness_says_so(
    switchboard: Switchboard, now: datetime, bad: dict[str, int], good: dict[str, int], kind: AlarmKind
) -> None:
    for told, stands in ((bad, True), (bad, True), (good, False)):
        event: Event = (
            TrunkReported(at=now, trunk="trunk-city", reachable=bool(told["reachable"]))
            if "reachable" in told
            else FallbackQueueReported(at=now, waiting=told["waiting"])
        )
        switchboard.handle(event)
        assert (kind in {alarm.kind for alarm in switchboard.state.alarms.values()}) is stands


def test_recording_is_told_with_its_digests(switchboard: Switchboard, now: datetime) -> None:
    track = Track(name="mixed", path="2026/01/05/x.wav", sha256="00" * 32, bytes=44, seconds=0.0)
    (note,) = switchboard.handle(RecordingMeasured(at=now, call=CallId("node1-9"), tracks=(track,)))
    assert isinstance(note, Note)
    assert note.fact == RecordingStored(at=now, call=CallId("node1-9"), tracks=(track,))
