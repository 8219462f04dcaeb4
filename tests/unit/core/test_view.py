from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime

from callflow.core.city import Destination
from callflow.core.events import FlowPublished, OperatorChanged
from callflow.core.ids import CallId, OfferId, OperatorId, TrunkRoute
from callflow.core.state import Call, IvrPosition, Offer
from callflow.core.states import CallState, OfferState
from callflow.core.switchboard import Switchboard
from callflow.core.view import view
from callflow.flows.default import default_flow_text


def test_view_shows_calls_first_in_line_first_with_offers_and_people(
    switchboard: Switchboard, call: Call, now: datetime
) -> None:
    state = switchboard.state
    switchboard.handle(FlowPublished(at=now, version=7, document=default_flow_text(), published_by="admin"))
    outside = Destination(name="posko", number="+62285111", trunk=TrunkRoute("trunk-city"))
    position = IvrPosition(flow_version=7, node="welcome", entered_at=now, language="id")
    talks = replace(call, call=CallId("talks"), state=CallState.CONNECTED, person=OfferId("talks.o1"), at_head=True)
    state.calls = {
        one.call: one
        for one in (
            call,
            talks,
            replace(call, call=CallId("flow"), state=CallState.IN_IVR, ivr=position, tier="informasi", queued_at=None),
            replace(call, call=CallId("over"), state=CallState.ENDED),
        )
    }
    ringing = Offer(
        offer=OfferId(f"{call.call}.o1"),
        call=call.call,
        operator=OperatorId("ani"),
        destination=None,
        state=OfferState.RINGING,
        made_at=now,
    )
    answered = replace(
        ringing,
        offer=OfferId("talks.o1"),
        call=talks.call,
        operator=None,
        destination=outside,
        state=OfferState.ANSWERED,
    )
    state.offers = {offer.offer: offer for offer in (ringing, answered)}
    seen = view(state)
    assert json.loads(json.dumps(seen)) == seen
    assert seen["flow_version"] == 7
    assert [shown["call"] for shown in seen["calls"]] == ["talks", call.call, "flow"]
    talking, waiting, in_flow = seen["calls"]
    assert (talking["operator"], talking["destination"]) == (None, "posko")
    assert (waiting["operator"], waiting["offers"][0]["operator"]) == (None, "ani")
    assert (in_flow["node"], in_flow["queued_at"]) == ("welcome", None)
    assert waiting["queued_at"] == now.isoformat()


def test_view_shows_operators_in_the_order_of_their_names_and_no_retired_one(
    switchboard: Switchboard, now: datetime
) -> None:
    ani = switchboard.state.operators[OperatorId("ani")].profile
    for name, active in (("budi", True), ("aan", True), ("zul", False)):
        profile = replace(ani, operator=OperatorId(name), skills=frozenset({"health", "fire"}))
        switchboard.handle(OperatorChanged(at=now, profile=profile, active=active))
    seen = view(switchboard.state)
    assert [operator["operator"] for operator in seen["operators"]] == ["aan", "ani", "budi"]
    assert seen["operators"][0]["skills"] == ["fire", "health"]
    assert seen["operators"][1]["online"] is True
    assert [alarm["kind"] for alarm in seen["alarms"]] == ["nobody_ready"]
