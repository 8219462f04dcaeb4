from __future__ import annotations

from datetime import UTC, datetime

import pytest

from callflow.ari import naming

from .samples import CALL, channel, leg, parsed


def test_call_is_known_by_the_dialplans_variable() -> None:
    assert naming.call_of(parsed(channel())) == CALL
    assert naming.offered_leg(parsed(channel())) is None


@pytest.mark.parametrize("text", ["", "../../etc", "a b", "x" * 81, "é", "a\n", 7, None])
def test_call_is_unknown_when_the_variable_is_no_id_of_ours(text: object) -> None:
    assert naming.call_of(parsed(channel(variables={"CALLFLOW_ID": text}))) is None
    assert naming.call_of(parsed(channel(variables={}))) is None


def test_leg_is_known_by_its_channel() -> None:
    assert naming.offered_leg(parsed(leg(12))) == (CALL, f"{CALL}.o12")


@pytest.mark.parametrize("name", ["x", ".o1x", "a.o", "a.o-1", "a.p1"])
def test_channel_is_no_leg_when_its_id_is_another(name: str) -> None:
    assert naming.offered_leg(parsed(channel(name))) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-05T00:59:59.250Z", datetime(2026, 1, 5, 0, 59, 59, 250_000, UTC)),
        ("2026-01-05T07:59:59+07:00", datetime(2026, 1, 5, 0, 59, 59, 0, UTC)),
        ("", None),
        ("yesterday", None),
        ("2026-01-05T00:59:59", None),
        ("0001-01-01T00:00:00+14:00", None),
    ],
)
def test_arrival_is_the_dialplans_or_the_channels_own(text: str, expected: datetime | None) -> None:
    one = parsed(channel(variables={"CALLFLOW_ARRIVED": text}))
    assert naming.arrived_at(one) == (expected or one.creationtime)


@pytest.mark.parametrize(
    ("name", "endpoint"),
    [
        ("PJSIP/op-ani-0000001f", "op-ani"),
        ("PJSIP/trunk-a-b-00000001", "trunk-a-b"),
        ("Local/s@x-00000001;1", ""),
        ("PJSIP/", ""),
    ],
)
def test_endpoint_is_in_the_channels_name(name: str, endpoint: str) -> None:
    assert naming.endpoint_of(parsed(channel(name=name))) == endpoint


def test_variables_are_none_when_asterisk_sends_none() -> None:
    raw = channel()
    del raw["channelvars"]
    assert naming.variable(parsed(raw), naming.STEP) is None
    assert naming.call_of(parsed(raw)) is None
    assert naming.dialled(parsed(raw)) == ""


def test_caller_is_normalised() -> None:
    caller = naming.caller_of(parsed(channel(caller="0812-3456-7890")))
    assert (caller.number, caller.raw) == ("+6281234567890", "0812-3456-7890")
