"""The core's own snapshot through the lens: each of its fields was decided on, so that a new one is not lost unseen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from callflow.core.centre_facts import AlarmKind, AlarmRaised
from callflow.core.city import Agency, CentreSettings, Destination, OperatorProfile, Roster, Shift
from callflow.core.events import Caller, OperatorChanged, RosterChanged, SettingsChanged
from callflow.core.facts import CallerAssessed, LegPurpose, PartyKind, PartyMode
from callflow.core.ids import CallId, CentreId, ChannelId, EndpointName, OfferId, OperatorId, TrunkRoute, talk_bridge
from callflow.core.state import Call, Callback, Offer, Party
from callflow.core.states import CallState, OfferState
from callflow.core.switchboard import Switchboard
from callflow.core.view import view
from callflow.permissions import PermissionTable, Role
from callflow.web.lens import Lens

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
SITI, C1 = OperatorId("siti"), CallId("c1")
NUMBER, DIALLED = "+6281234567890", "+6281299999999"
RSUD = Destination(name="RSUD", number="118", trunk=TrunkRoute("trunk-city"))
OUTSIDE = Destination(name=DIALLED, number=DIALLED, trunk=TrunkRoute("trunk-city"))


@pytest.fixture
def snapshot() -> dict[str, Any]:
    """A state in which every list has an entry, as the engine would show it."""
    switchboard = Switchboard()
    settings = CentreSettings(
        centre=CentreId("bwi"),
        zone="Asia/Jakarta",
        medical=(RSUD,),
        agencies=(Agency(name="polisi", label="Polisi", code="110", destinations=(RSUD,)),),
    )
    profile = OperatorProfile(operator=SITI, name="Siti", endpoint=EndpointName("op-siti"))
    shifts = tuple(
        Shift(name=name, days=frozenset(range(7)), from_minute=begin, to_minute=end, operators=(SITI,))
        for name, begin, end in (("pagi", 420, 900), ("sore", 900, 1380))
    )
    switchboard.handle(SettingsChanged(at=NOW, settings=settings))
    switchboard.handle(OperatorChanged(at=NOW, profile=profile))
    switchboard.handle(RosterChanged(at=NOW, roster=Roster(shifts=shifts)))
    state = switchboard.state
    offers = (
        Offer(offer=OfferId("c1.o1"), call=C1, operator=SITI, destination=None, state=OfferState.ANSWERED, made_at=NOW),
        Offer(
            offer=OfferId("c1.o2"),
            call=C1,
            operator=None,
            destination=OUTSIDE,
            state=OfferState.ANSWERED,
            made_at=NOW,
            purpose=LegPurpose.PARTY,
            bridge=talk_bridge(C1),
        ),
    )
    assessed = CallerAssessed(
        at=NOW,
        call=C1,
        score=0.8,
        flagged=True,
        warned=False,
        calls=5,
        pranks=4,
        confirmed=5,
        later_seconds=10.0,
        reason_id="4 dari 5",
        reason_en="4 of 5",
    )
    state.offers = {offer.offer: offer for offer in offers}
    state.calls[C1] = Call(
        call=C1,
        channel=ChannelId("c1"),
        caller=Caller(number=NUMBER, raw=NUMBER),
        dialled="112",
        trunk="telkom",
        arrived_at=NOW,
        state=CallState.THREE_WAY,
        person=offers[0].offer,
        party=Party(name=DIALLED, kind=PartyKind.NUMBER, mode=PartyMode.JOIN, by=SITI, offer=offers[1].offer),
        assessed=assessed,
    )
    state.callbacks[CallId("c0")] = Callback(
        call=CallId("c0"), number=NUMBER, opened_at=NOW, deadline=NOW + timedelta(minutes=2)
    )
    state.alarms["x"] = AlarmRaised(at=NOW, kind=AlarmKind.NOBODY_READY, subject="", detail="")
    state.operators[SITI] = replace(state.operators[SITI], call=C1, last_call=C1)
    return {"seq": 7, "at": NOW.isoformat(), **view(state, NOW)}


def places(node: Any, at: str = "") -> Iterator[str]:
    """Where anything stands, by the names on the way."""
    if isinstance(node, dict):
        for name, inner in node.items():
            yield f"{at}.{name}"
            yield from places(inner, f"{at}.{name}")
    elif isinstance(node, list):
        for inner in node:
            yield from places(inner, f"{at}[]")


def seen(role: Role, snapshot: dict[str, Any], operator: str | None = None) -> dict[str, Any]:
    return Lens(PermissionTable(CentreId("bwi")).of([role]), operator).snapshot(snapshot)


def test_every_field_is_shown_to_a_supervisor_when_the_core_has_it(snapshot: dict[str, Any]) -> None:
    given = set(places(snapshot))
    assert {".calls[].party.name", ".callbacks[].number", ".roster.next.expected"} <= given
    assert given - set(places(seen(Role.SUPERVISOR, snapshot))) == {".seq"}
    assert seen(Role.SUPERVISOR, snapshot)["calls"] == snapshot["calls"]


def test_own_call_is_shown_whole_when_an_operator_has_it_in_hand(snapshot: dict[str, Any]) -> None:
    assert seen(Role.OPERATOR, snapshot, "siti")["calls"] == snapshot["calls"]


@pytest.mark.parametrize(("role", "operator"), [(Role.OPERATOR, "budi"), (Role.AUDITOR, None), (Role.SERVICE, None)])
def test_no_number_of_anybody_leaves_when_the_call_is_not_theirs(
    snapshot: dict[str, Any], role: Role, operator: str | None
) -> None:
    shown = seen(role, snapshot, operator)
    assert NUMBER not in repr(shown["calls"])
    assert DIALLED not in repr(shown)
    assert "4 dari 5" not in repr(shown)
