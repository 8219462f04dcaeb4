from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from callflow.core.centre_facts import AlarmKind, CallbackClosed
from callflow.core.commands import Note, StartTimer
from callflow.core.events import Caller, Event
from callflow.core.facts import CallServedInFallback, HangupParty, RecordingMissing, RecordingStored
from callflow.core.faults import FaultMended, FaultReported
from callflow.core.ids import CallId
from callflow.core.reports import (
    FallbackQueueReported,
    FallbackWitnessed,
    RecordingMeasured,
    RecordingMissed,
    Track,
    TrunkReported,
)
from callflow.core.requests import CallbackOutcome
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
    ("later", "number", "outcome"),
    [
        ("node1-9", NUMBER, CallbackOutcome.NOT_NEEDED),  # told first as one who gave up: the end of CEL came later
        ("node1-10", NUMBER, CallbackOutcome.REDIALLED),
        ("node1-10", None, None),
        ("node1-10", "+6281200002", None),
    ],
)
def test_callback_is_settled_when_a_person_answered_in_the_fallback(
    switchboard: Switchboard, now: datetime, later: str, number: str | None, outcome: CallbackOutcome | None
) -> None:
    switchboard.handle(witnessed(now, caller=Caller(number=NUMBER, raw="")))
    answered = witnessed(now, call=CallId(later), caller=Caller(number=number, raw=""), answered_at=now)
    notes = [command.fact for command in switchboard.handle(answered) if isinstance(command, Note)]
    closed = [fact for fact in notes if isinstance(fact, CallbackClosed)]
    assert [(fact.call, fact.outcome) for fact in closed] == ([] if outcome is None else [("node1-9", outcome)])
    assert bool(switchboard.state.callbacks) is (outcome is None)


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


def test_alarm_names_what_is_wrong_now_when_the_fault_is_reported_otherwise(
    switchboard: Switchboard, now: datetime
) -> None:
    later = now + timedelta(seconds=9)
    switchboard.handle(FaultReported(at=now, kind=AlarmKind.ARI_AWAY, subject="", detail="nobody listens"))
    commands = switchboard.handle(FaultReported(at=later, kind=AlarmKind.ARI_AWAY, subject="", detail="refused"))
    (alarm,) = (alarm for alarm in switchboard.state.alarms.values() if alarm.kind is AlarmKind.ARI_AWAY)
    assert (alarm.detail, alarm.at) == ("refused", now)
    assert [command.fact for command in commands if isinstance(command, Note)] == [alarm]


def test_reported_fault_stands_until_it_is_mended(switchboard: Switchboard, now: datetime) -> None:
    kind = AlarmKind.DATABASE_AWAY
    for _ in range(2):
        switchboard.handle(FaultReported(at=now, kind=kind, subject="", detail="no answer"))
    assert [alarm.kind for alarm in switchboard.state.alarms.values()].count(kind) == 1
    switchboard.handle(FaultMended(at=now, kind=kind, subject=""))
    assert kind not in {alarm.kind for alarm in switchboard.state.alarms.values()}


def test_reported_incident_is_old_news_after_a_while(switchboard: Switchboard, now: datetime) -> None:
    commands = switchboard.handle(
        FaultReported(at=now, kind=AlarmKind.JOURNAL_DAMAGED, subject="", detail="torn", lasting=False)
    )
    assert [type(command) for command in commands] == [Note, StartTimer]


def test_missing_recording_is_told_with_its_reason_and_raises_an_alarm(switchboard: Switchboard, now: datetime) -> None:
    note, *_ = switchboard.handle(RecordingMissed(at=now, call=CallId("node1-9"), reason="no file came"))
    assert isinstance(note, Note)
    assert note.fact == RecordingMissing(at=now, call=CallId("node1-9"), reason="no file came")
    assert AlarmKind.RECORDING_MISSING in {alarm.kind for alarm in switchboard.state.alarms.values()}
