from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta

from callflow.core.city import Agency, Destination, Roster, Shift
from callflow.core.events import FlowPublished, OperatorChanged, RosterChanged, SettingsChanged
from callflow.core.facts import CallerAssessed, Direction, LegPurpose, PartyKind, PartyMode
from callflow.core.ids import CallId, OfferId, OperatorId, RequestId, TrunkRoute, talk_bridge
from callflow.core.requests import SignInRequested
from callflow.core.state import Call, Callback, IvrPosition, Offer, Party, State
from callflow.core.states import CallState, OfferState
from callflow.core.switchboard import Switchboard
from callflow.core.view import view
from callflow.flows.default import default_flow_text

from .conftest import SETTINGS

OUTSIDE = Destination(name="posko", number="+62285111", trunk=TrunkRoute("trunk-city"))


def offer(call: Call, number: int, now: datetime, **more: object) -> Offer:
    return Offer(
        **{
            "offer": OfferId(f"{call.call}.o{number}"),
            "call": call.call,
            "operator": OperatorId("ani"),
            "destination": None,
            "state": OfferState.RINGING,
            "made_at": now,
        }
        | more  # type: ignore[arg-type]
    )


def put(state: State, calls: list[Call], *offers: Offer) -> None:
    state.calls = {call.call: call for call in calls}
    state.offers = {offer.offer: offer for offer in offers}


def test_view_shows_calls_first_in_line_first_with_offers_and_people(
    switchboard: Switchboard, call: Call, now: datetime
) -> None:
    state = switchboard.state
    switchboard.handle(FlowPublished(at=now, version=7, document=default_flow_text(), published_by="admin"))
    position = IvrPosition(flow_version=7, node="welcome", entered_at=now, language="id")
    talks = replace(
        call, call=CallId("talks"), state=CallState.CONNECTED, person=OfferId("talks.o1"), at_head=True, seeks=False
    )
    flow = replace(
        call, call=CallId("flow"), state=CallState.IN_IVR, ivr=position, priority=2, queued_at=None, seeks=False
    )
    over = replace(call, call=CallId("over"), state=CallState.ENDED, seeks=False)
    answered = offer(talks, 1, now, operator=None, destination=OUTSIDE, state=OfferState.ANSWERED)
    put(state, [call, talks, flow, over], offer(call, 1, now), answered)
    seen = view(state, now)
    assert json.loads(json.dumps(seen)) == seen
    assert seen["flow_version"] == 7
    assert [shown["call"] for shown in seen["calls"]] == ["talks", call.call, "flow"]
    talking, waiting, in_flow = seen["calls"]
    assert (talking["operator"], talking["destination"], talking["position"]) == (None, "posko", None)
    assert (waiting["operator"], waiting["offers"][0]["operator"], waiting["position"]) == (None, "ani", 1)
    assert (in_flow["node"], in_flow["queued_at"]) == ("welcome", None)
    assert waiting["queued_at"] == now.isoformat()
    assert [shown[key] for shown in seen["calls"] for key in ("party", "assessed")] == [None] * 6


def test_view_shows_the_place_in_line_of_each_caller_who_waits(
    switchboard: Switchboard, call: Call, now: datetime
) -> None:
    calls = [
        replace(call, call=CallId(name), arrived_at=now + timedelta(seconds=seconds), person=person)
        for name, seconds, person in (("b", 2, None), ("a", 1, None), ("joining", 0, OfferId("x.o1")))
    ]
    put(switchboard.state, calls)
    shown = {one["call"]: one["position"] for one in view(switchboard.state, now)["calls"]}
    assert shown == {"a": 1, "b": 2, "joining": None}


def test_view_shows_a_party_on_its_way_and_joined(switchboard: Switchboard, call: Call, now: datetime) -> None:
    party = Party(name="polisi", kind=PartyKind.AGENCY, mode=PartyMode.JOIN, offer=OfferId(f"{call.call}.o2"))
    more = {"operator": None, "destination": OUTSIDE, "purpose": LegPurpose.PARTY}
    rings = offer(call, 2, now, **more)
    answered = replace(rings, state=OfferState.ANSWERED)
    for leg, joined, destination in (
        (None, False, None),
        (rings, False, "posko"),
        (answered, False, "posko"),
        (replace(answered, bridge=talk_bridge(call.call)), True, "posko"),
    ):
        put(switchboard.state, [replace(call, party=party)], *([] if leg is None else [leg]))
        (shown,) = view(switchboard.state, now)["calls"]
        assert shown["party"] == {
            "name": "polisi",
            "kind": "agency",
            "mode": "join",
            "offer": f"{call.call}.o2",
            "operator": None,
            "destination": destination,
            "joined": joined,
            "spoke": False,
        }


def test_view_shows_what_is_known_of_the_caller(switchboard: Switchboard, call: Call, now: datetime) -> None:
    assessed = CallerAssessed(
        at=now,
        call=call.call,
        score=0.75,
        flagged=True,
        warned=False,
        calls=5,
        pranks=4,
        confirmed=5,
        later_seconds=10.0,
        reason_id="4 dari 5 panggilan",
        reason_en="4 of 5 calls",
    )
    outbound = replace(call, assessed=assessed, spoke=True, direction=Direction.OUTBOUND, callback_of=CallId("x"))
    put(switchboard.state, [outbound])
    (shown,) = view(switchboard.state, now)["calls"]
    assert shown["assessed"]["flagged"] is True
    assert shown["assessed"]["reason_en"] == "4 of 5 calls"
    assert set(shown["assessed"]) == {
        "score", "flagged", "warned", "calls", "pranks", "confirmed", "reason_id", "reason_en"
    }  # fmt: skip
    assert (shown["spoke"], shown["direction"], shown["callback_of"]) == (True, "outbound", "x")


def test_view_shows_operators_in_the_order_of_their_names_and_no_retired_one(
    switchboard: Switchboard, now: datetime
) -> None:
    ani = switchboard.state.operators[OperatorId("ani")].profile
    for name, active in (("budi", True), ("aan", True), ("zul", False)):
        profile = replace(ani, operator=OperatorId(name), skills=frozenset({"health", "fire"}), agency="dinkes")
        switchboard.handle(OperatorChanged(at=now, profile=profile, active=active))
    seen = view(switchboard.state, now)
    assert [operator["operator"] for operator in seen["operators"]] == ["aan", "ani", "budi"]
    assert seen["operators"][0]["skills"] == ["fire", "health"]
    assert (seen["operators"][0]["agency"], seen["operators"][1]["agency"]) == ("dinkes", "")
    assert seen["operators"][1]["online"] is True
    assert [alarm["kind"] for alarm in seen["alarms"]] == ["nobody_ready"]


def test_view_shows_open_callbacks(switchboard: Switchboard, now: datetime) -> None:
    callback = Callback(
        call=CallId("a"), number="+62811", opened_at=now, deadline=now, owner=OperatorId("ani"), attempts=2
    )
    switchboard.state.callbacks = {callback.call: callback}
    (shown,) = view(switchboard.state, now)["callbacks"]
    assert shown == {
        "call": "a",
        "number": "+62811",
        "opened_at": now.isoformat(),
        "deadline": now.isoformat(),
        "owner": "ani",
        "attempts": 2,
        "attempt": None,
    }


def test_view_shows_who_is_expected_now_and_next(switchboard: Switchboard, now: datetime) -> None:
    """It is eight on a Monday in Pontianak."""
    minute = 8 * 60
    ani, budi = OperatorId("ani"), OperatorId("budi")
    shifts = (
        Shift(name="pagi", days=frozenset({0}), from_minute=minute, to_minute=minute + 60, operators=(ani, budi)),
        Shift(name="siang", days=frozenset({0}), from_minute=minute + 60, to_minute=minute + 120, operators=(budi,)),
    )
    switchboard.handle(SignInRequested(at=now, request=RequestId("r"), operator=ani))
    switchboard.handle(RosterChanged(at=now, roster=Roster(shifts=shifts)))
    later = now + timedelta(hours=1)
    assert view(switchboard.state, now)["roster"] == {
        "now": [{"shift": "pagi", "until": later.isoformat(), "expected": ["ani", "budi"], "present": ["ani"]}],
        "next": {"shift": "siang", "at": later.isoformat(), "expected": ["budi"]},
    }


def test_view_shows_whom_operators_may_join_the_ambulance_first(switchboard: Switchboard, now: datetime) -> None:
    agency = Agency(name="polisi", label="Polres", code="110", destinations=(OUTSIDE,))
    settings = replace(SETTINGS, medical=(replace(OUTSIDE, name="PSC 119", number="119"), OUTSIDE), agencies=(agency,))
    switchboard.handle(SettingsChanged(at=now, settings=settings))
    seen = view(switchboard.state, now)
    assert seen["agencies"] == [
        {"name": "medical", "label": "PSC 119", "code": "119"},
        {"name": "polisi", "label": "Polres", "code": "110"},
    ]
    assert {reason["key"]: reason["name"] for reason in seen["pause_reasons"]}["2"] == "ibadah"


def test_view_of_an_empty_switchboard_is_empty(now: datetime) -> None:
    assert view(State(), now) == {
        "flow_version": None,
        "calls": [],
        "operators": [],
        "callbacks": [],
        "roster": {"now": [], "next": None},
        "pause_reasons": [],
        "agencies": [],
        "alarms": [],
    }
