from __future__ import annotations

import pytest

from callflow.core.events import CallArrived, Caller, Event, TimerFired
from callflow.core.ids import CallId, ChannelId, OperatorId, RequestId
from callflow.core.requests import SignInRequested
from callflow.core.timers import Timer, TimerKind
from callflow.journal.envelope import Envelope, call_of, canonical, core_version, envelope_of, payload_of

from .books import AT, CENTRE, key


def test_envelope_holds_no_personal_field_when_a_caller_arrives() -> None:
    caller = Caller(number="+628123456789", raw="08123456789")
    event = CallArrived(
        at=AT,
        call=CallId("pbx-1.1"),
        channel=ChannelId("1.1"),
        caller=caller,
        dialled="112",
        trunk="trunk-telco",
        arrived_at=AT,
    )
    envelope = envelope_of(event, 7, CENTRE, "1+abc")
    assert canonical(envelope.document()) == (
        '{"at":"2026-01-05T01:00:00+00:00","call":"pbx-1.1","centre":"pekalongan","core_version":"1+abc","seq":7,'
        '"type":"CallArrived","version":1}'
    )
    assert "8123456789" in canonical(payload_of(event, ()))
    assert Envelope.of_document(envelope.document()) == envelope


@pytest.mark.parametrize(
    ("event", "call"),
    [
        (key(call="x.1"), "x.1"),
        (TimerFired(at=AT, timer=Timer(TimerKind.NODE_INPUT, "x.1")), "x.1"),
        (TimerFired(at=AT, timer=Timer(TimerKind.OFFER_RING, "x.1.o2")), "x.1"),
        (TimerFired(at=AT, timer=Timer(TimerKind.WRAP_UP, "ani")), None),
        (SignInRequested(at=AT, request=RequestId("r"), operator=OperatorId("ani")), None),
    ],
)
def test_call_is_named_when_the_event_is_about_one(event: Event, call: str | None) -> None:
    assert call_of(event) == call


def test_text_has_a_form_when_the_outside_sent_half_a_surrogate() -> None:
    assert canonical({"\udc80": ["x\ud800", 1]}) == '{"�":["x�",1]}'


def test_core_version_names_number_and_sources_when_asked() -> None:
    number, _, digest = core_version().partition("+")
    assert number.isdecimal()
    assert len(digest) == 12
