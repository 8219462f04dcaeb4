from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.core.city import OperatorProfile
from callflow.core.commands import Command, Note
from callflow.core.events import Event, KeyPressed, OperatorChanged
from callflow.core.facts import Fact
from callflow.core.ids import CallId, CentreId, EndpointName, OperatorId
from callflow.core.state import State
from callflow.journal.codec import (
    COMMANDS,
    EVENTS,
    FACTS,
    decode_command,
    decode_event,
    decode_fact,
    decode_state,
    encode_command,
    encode_event,
    encode_fact,
    encode_state,
)
from callflow.journal.envelope import canonical
from callflow.journal.errors import MalformedDocument, UnknownType

from .books import AT, busy_centre, key

_ZONES = st.sampled_from([UTC, timezone(timedelta(hours=7)), timezone(timedelta(hours=-3, minutes=-30))])
st.register_type_strategy(datetime, st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=_ZONES))  # noqa: DTZ001
st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False, width=32))
st.register_type_strategy(int, st.integers(-(2**53) + 1, 2**53 - 1))

_EVENTS = st.one_of([st.from_type(cls) for cls in EVENTS.values()])
_FACTS: st.SearchStrategy[Fact] = st.one_of([st.from_type(cls) for cls in FACTS.values()])
_NOTES: st.SearchStrategy[Command] = st.builds(Note, fact=_FACTS, centre=st.builds(CentreId, st.text()))
_COMMANDS = st.one_of([_NOTES if cls is Note else st.from_type(cls) for cls in COMMANDS.values()])


def through_json(document: dict[str, Any]) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(canonical(document))
    return parsed


@given(_EVENTS)
def test_event_comes_back_equal_when_it_went_through_canonical_json(event: Event) -> None:
    assert decode_event(through_json(encode_event(event))) == event


@given(_COMMANDS)
def test_command_comes_back_equal_when_it_went_through_canonical_json(command: Command) -> None:
    assert decode_command(through_json(encode_command(command))) == command


@given(_FACTS)
def test_fact_comes_back_equal_when_it_went_through_canonical_json(fact: Fact) -> None:
    assert decode_fact(through_json(encode_fact(fact))) == fact


@given(_EVENTS)
def test_document_stays_the_same_when_a_decoded_event_is_encoded_again(event: Event) -> None:
    document = encode_event(event)
    assert canonical(encode_event(decode_event(through_json(document)))) == canonical(document)


def test_documents_are_equal_when_sets_were_built_in_another_order() -> None:
    def changed(skills: list[str]) -> Event:
        profile = OperatorProfile(
            operator=OperatorId("ani"), name="Ani", endpoint=EndpointName("op-ani"), skills=frozenset(skills)
        )
        return OperatorChanged(at=AT, profile=profile)

    skills = [f"skill-{n}" for n in range(40)]
    assert canonical(encode_event(changed(skills))) == canonical(encode_event(changed(skills[::-1])))


def test_time_is_written_in_utc_when_it_came_in_another_zone() -> None:
    at = datetime(2026, 1, 5, 8, 0, tzinfo=timezone(timedelta(hours=7)))
    assert encode_event(KeyPressed(at=at, call=CallId("a"), key="1"))["at"] == "2026-01-05T01:00:00+00:00"


def test_encoding_is_refused_when_a_time_has_no_zone() -> None:
    with pytest.raises(MalformedDocument, match="zone"):
        encode_event(KeyPressed(at=datetime(2026, 1, 5), call=CallId("a"), key="1"))  # noqa: DTZ001


@pytest.mark.parametrize(
    "document",
    [{}, {"type": "NoSuchThing"}, {"type": "KeyPressed@9"}, {"type": "KeyPressed@x"}, {"type": "Play"}],
    ids=["no tag", "unknown", "newer", "no number", "a command"],
)
def test_decoding_is_refused_when_the_type_is_unknown(document: dict[str, Any]) -> None:
    with pytest.raises(UnknownType):
        decode_event(document)


def test_refusal_names_places_and_no_values_when_fields_are_wrong() -> None:
    document = encode_event(key()) | {"key": 5081234567}
    with pytest.raises(MalformedDocument, match="key: string_type") as refused:
        decode_event(document)
    assert "5081234567" not in str(refused.value)


def test_decoding_is_refused_when_there_is_a_field_too_many() -> None:
    with pytest.raises(MalformedDocument, match="no field surprise"):
        decode_event(encode_event(key()) | {"surprise": 1})


@pytest.mark.parametrize("document", [{"type": "Note"}, {"type": "Note", "centre": "a", "fact": "b"}])
def test_decoding_is_refused_when_a_note_has_no_fact(document: dict[str, Any]) -> None:
    with pytest.raises(MalformedDocument, match="Note"):
        decode_command(document)


def test_state_comes_back_equal_and_in_order_when_a_centre_is_at_work() -> None:
    world = busy_centre()
    world.arrive("d")
    world.run(1.0)
    state = world.checkpoint()
    assert state.calls
    back = decode_state(json.loads(json.dumps(encode_state(state))))
    assert back == state
    assert list(back.operators) == list(state.operators)
    assert list(back.timers) == list(state.timers)


def test_state_is_refused_when_it_is_of_another_version() -> None:
    with pytest.raises(MalformedDocument, match="no field extra"):
        decode_state(encode_state(State()) | {"extra": {}})
