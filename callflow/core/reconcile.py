"""Brings what we know in line with what Asterisk says after a connect: what is not there any more is gone.

Asterisk is the truth. A caller unknown to us is adopted; a leg without its caller is let go; two who talk go on.
"""

from __future__ import annotations

from dataclasses import replace

from callflow.core import calls, desk, ending, offering, queueing
from callflow.core.city import Destination
from callflow.core.commands import PrepareCentre, ReleaseLeg
from callflow.core.events import CallArrived, CallerGone, LegGone, SeenChannel, SnapshotTaken, Whereabouts
from callflow.core.facts import OfferMade, QueueReason
from callflow.core.ids import CallId, EndpointName, OfferId, TrunkRoute, offer_channel, waiting_bridge
from callflow.core.state import Offer
from callflow.core.states import CallState, CallTrigger, OfferState
from callflow.core.timers import TimerKind
from callflow.core.turn import Turn
from callflow.flows.model import FALLBACK_QUEUE

_UNKNOWN_CAUSE = 0


def on_snapshot(turn: Turn, event: SnapshotTaken) -> None:
    """Compare with a snapshot of our application's channels, taken just after a connect."""
    phones = tuple(operator.profile.endpoint for operator in turn.ledger.operators() if operator.active)
    turn.do(PrepareCentre(bridge=waiting_bridge(turn.ledger.settings.centre), endpoints=phones))
    callers = {seen.call: seen for seen in event.channels if seen.offer is None}
    legs = {seen.offer: seen for seen in event.channels if seen.offer is not None}
    for call in tuple(turn.ledger.state.calls):
        if call not in callers:
            calls.on_caller_gone(turn, CallerGone(at=event.at, call=call, cause=_UNKNOWN_CAUSE))
    for offer in tuple(turn.ledger.state.offers.values()):
        if offer.offer not in legs:
            gone = LegGone(at=event.at, call=offer.call, offer=offer.offer, cause=_UNKNOWN_CAUSE)
            offering.on_leg_gone(turn, gone)
    for seen in callers.values():
        _skip_numbers(turn, seen)
        _reconcile_caller(turn, seen, legs)
    for name, seen in legs.items():
        if turn.ledger.offer(name) is None and seen.where is not Whereabouts.TALKING:
            turn.do(ReleaseLeg(call=seen.call, offer=name))


def _skip_numbers(turn: Turn, seen: SeenChannel) -> None:
    """The end of the journal may be lost, and with it the last ids that were given."""
    call = turn.ledger.call(seen.call)
    if call is not None:
        used = calls.numbers_used(turn, call.arrived_at)
        made, played = max(used, call.offers_made), max(used, call.playbacks)
        turn.ledger.put_call(replace(call, offers_made=made, playbacks=played))


def _reconcile_caller(turn: Turn, seen: SeenChannel, legs: dict[OfferId, SeenChannel]) -> None:
    call = turn.ledger.call(seen.call)
    if call is None:
        _adopt(turn, seen, legs)
    elif call.state is CallState.ENDED:
        ending.on_call_release_overdue(turn, seen.call)
    elif call.state in (CallState.ARRIVED, CallState.IN_IVR):
        queueing.enqueue(turn, call, FALLBACK_QUEUE, QueueReason.ADOPTED, CallTrigger.SENT_TO_QUEUE)
    elif call.person is not None:
        _see_person(turn, call.call, seen, legs)
    elif seen.where is not Whereabouts.WAITING:
        queueing.enqueue(turn, replace(call, playing=None), FALLBACK_QUEUE, QueueReason.ADOPTED, CallTrigger.RETURNED)


def _see_person(turn: Turn, name: CallId, seen: SeenChannel, legs: dict[OfferId, SeenChannel]) -> None:
    """A caller who has a person: both in a bridge means that they talk, whatever we missed."""
    call = turn.ledger.call(name)
    assert call is not None
    assert call.person is not None
    both = seen.where is Whereabouts.TALKING and legs[call.person].where is Whereabouts.TALKING
    if both and call.state is CallState.QUEUED:
        channels = frozenset({call.channel, offer_channel(call.person)})
        turn.ledger.put_call(offering.connect(turn, replace(call, joined=channels)))
    elif not both:
        offering.join_failed(turn, call.person)
        if call.state is CallState.CONNECTED:
            offer = turn.ledger.offer(call.person)
            assert offer is not None
            turn.cancel(offer.offer, TimerKind.OFFER_JOIN)
            ending.release_leg(turn, offer)
            offering.lose_person(turn, call, offer, _UNKNOWN_CAUSE)


def _adopt(turn: Turn, seen: SeenChannel, legs: dict[OfferId, SeenChannel]) -> None:
    """A caller in our application whom we do not know: a crash lost the tail of the journal."""
    arrival = CallArrived(
        at=turn.at,
        call=seen.call,
        channel=seen.channel,
        caller=seen.caller,
        dialled=seen.dialled,
        trunk=seen.endpoint,
        arrived_at=seen.arrived_at,
        step=str(seen.where),
    )
    talking = [leg for leg in legs.values() if leg.call == seen.call and leg.where is Whereabouts.TALKING]
    if seen.where is Whereabouts.TALKING and talking:
        calls.open_call(turn, arrival)
        _adopt_talk(turn, seen, talking[0])
    else:
        calls.on_arrived(turn, arrival)


def _adopt_talk(turn: Turn, seen: SeenChannel, leg: SeenChannel) -> None:
    """Two who talk go on talking: take them as they are."""
    assert leg.offer is not None
    call = turn.ledger.call(seen.call)
    assert call is not None
    operator = turn.ledger.operator_at(EndpointName(leg.endpoint))
    outside = Destination(name=leg.endpoint, number="", trunk=TrunkRoute(leg.endpoint))
    offer = Offer(
        offer=leg.offer,
        call=call.call,
        operator=None if operator is None else operator.profile.operator,
        destination=outside if operator is None else None,
        state=OfferState.ANSWERED,
        made_at=turn.at,
    )
    turn.ledger.put_offer(offer)
    turn.note(
        OfferMade(
            at=turn.at,
            call=call.call,
            offer=offer.offer,
            operator=offer.operator,
            destination=None if offer.destination is None else offer.destination.name,
        )
    )
    if operator is not None and desk.can_ring(operator):
        desk.ring(turn, operator, call.call, offer.offer)
        held = turn.ledger.operator(operator.profile.operator)
        assert held is not None
        desk.pick_up(turn, held)
    call = replace(call, person=leg.offer, joined=frozenset({seen.channel, leg.channel}))
    turn.ledger.put_call(offering.connect(turn, call))
