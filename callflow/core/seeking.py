"""Decides whose phone rings for which waiting caller: the fitting operator who is idle longest, later everyone."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from callflow.core import desk, prank, shifts
from callflow.core.city import Destination, TierPolicy
from callflow.core.commands import DialDestination, OfferCall
from callflow.core.facts import LegPurpose, OfferMade
from callflow.core.ids import CallId, OperatorId, offer_id
from callflow.core.state import Call, Offer, Operator
from callflow.core.states import OfferState
from callflow.core.timers import TimerKind
from callflow.core.turn import Turn

NEXT_ROUND_SECONDS: Final = 3.0
"""Between two rounds of ringing everyone, or of a list: phones that refuse at once must not spin."""
SAME_OPERATOR_SECONDS: Final = 10.0
"""An operator whose leg was lost is rung so long for the same caller before anybody else is."""
SILENT_AFTER_SECONDS: Final = 3.0
"""A phone that is there says within this time that it rings; for one that does not the caller does not wait."""
ASTERISK_MARGIN_SECONDS: Final = 5.0
"""Asterisk's own ring limit is this much longer than ours: it acts only when we do not."""


def seek(turn: Turn) -> None:
    """Offer waiting callers to phones until there is no caller or no phone left. Run at the end of every turn."""
    operators = turn.ledger.operators()
    ready = sorted((o for o in operators if desk.is_ready(o)), key=lambda o: (o.since, o.profile.operator))
    if ready:
        _ring_the_best(turn, ready)
        _ring_everyone_free(turn, ready)
    nobody = not any(desk.is_present(o) for o in operators)
    if nobody or shifts.empty_seats(turn):
        _ring_phones_at_rest(turn, "nobody is present" if nobody else "a seat of the shift is empty")
    elif not ready:
        _ring_phones_at_rest(turn, "nobody is free, and the caller has waited", waited=True)


def tier_of(turn: Turn, name: str | None) -> TierPolicy:
    """The policy of a tier; of one that the centre does not know, the most urgent one's."""
    tiers = turn.ledger.settings.tiers
    return next((tier for tier in tiers if tier.name == name), min(tiers, key=lambda tier: tier.priority))


def _ring_the_best(turn: Turn, ready: list[Operator]) -> None:
    """One phone for each caller, first in line first."""
    for call in turn.ledger.waiting():
        if not ready:
            return
        if rings_inside(turn, call.call):
            continue
        chosen = _choose(turn, ready, call)
        if chosen is not None:
            operator, reason = chosen
            ready.remove(operator)
            offer_operator(turn, call, operator, reason)


def _choose(turn: Turn, ready: list[Operator], call: Call) -> tuple[Operator, str] | None:
    preferred = next((operator for operator in ready if operator.profile.operator == call.prefer), None)
    if preferred is not None:
        return preferred, "the operator of before, or asked for by a colleague"
    if call.skill is None:
        return ready[0], "longest idle"
    skilled = next((operator for operator in ready if call.skill in operator.profile.skills), None)
    if skilled is not None:
        return skilled, f"longest idle with the skill {call.skill}"
    if turn.runs(TimerKind.SKILL_RELAX, call.call) and _is_at_work(turn, call.skill):
        return None
    return ready[0], f"longest idle; nobody with the skill {call.skill} is free"


def _is_at_work(turn: Turn, skill: str) -> bool:
    return any(desk.is_present(o) and skill in o.profile.skills for o in turn.ledger.operators())


def _ring_everyone_free(turn: Turn, ready: list[Operator]) -> None:
    """Whoever is still free rings too for the first caller who has waited long enough."""
    for call in turn.ledger.waiting():
        if not ready:
            return
        if not turn.runs(TimerKind.RING_EVERYONE, call.call):
            for operator in ready:
                offer_operator(turn, call, operator, "everyone who is free: the caller has waited")
            ready.clear()


def _ring_phones_at_rest(turn: Turn, why: str, *, waited: bool = False) -> None:
    """Phones of people who are on a break or away ring as well, for the callers first in line who have waited."""
    resting = [
        o
        for o in turn.ledger.operators()
        if desk.can_ring(o) and not desk.is_ready(o) and not turn.runs(TimerKind.PHONE_RESTS, o.profile.operator)
    ]
    for call in turn.ledger.waiting():
        if not resting:
            return
        kinds = (TimerKind.SEEK_AGAIN, TimerKind.RING_EVERYONE) if waited else (TimerKind.SEEK_AGAIN,)
        if not any(turn.runs(kind, call.call) for kind in kinds):
            for operator in resting:
                offer_operator(turn, call, operator, f"every phone: {why}")
            resting.clear()


def rings_inside(turn: Turn, call: CallId) -> bool:
    """Whether an operator's phone rings to serve this caller, as far as can be told: one that is silent does not."""
    return any(
        o.operator is not None and o.purpose is LegPurpose.PERSON and o.state is OfferState.RINGING and not o.silent
        for o in turn.ledger.offers_of(call)
    )


def offer_operator(
    turn: Turn, call: Call, operator: Operator, reason: str, purpose: LegPurpose = LegPurpose.PERSON
) -> Offer:
    """Ring an operator's phone for this caller."""
    call = count_offer(turn, call)
    offer = Offer(
        offer=offer_id(call.call, call.offers_made),
        call=call.call,
        operator=operator.profile.operator,
        destination=None,
        state=OfferState.RINGING,
        made_at=turn.at,
        purpose=purpose,
    )
    seconds = turn.ledger.settings.ring_seconds
    if call.prefer == operator.profile.operator:
        seconds = min(seconds, SAME_OPERATOR_SECONDS)
    turn.ledger.put_offer(offer)
    turn.do(
        OfferCall(
            call=call.call,
            offer=offer.offer,
            caller_channel=call.channel,
            endpoint=operator.profile.endpoint,
            ring_seconds=seconds + ASTERISK_MARGIN_SECONDS,
            caller_number=call.caller.number,
            display="" if call.assessed is None else prank.display(call.assessed),
        )
    )
    begin_ringing(turn, offer, seconds, reason)
    turn.start(TimerKind.OFFER_SILENT, offer.offer, SILENT_AFTER_SECONDS)
    desk.ring(turn, operator, call.call, offer.offer)
    return offer


def dial_destination(  # noqa: PLR0917 - what is rung, for how long, what for and why
    turn: Turn, call: Call, destination: Destination, seconds: float, purpose: LegPurpose, reason: str
) -> Offer:
    """Ring a number outside for this caller."""
    call = count_offer(turn, call)
    offer = Offer(
        offer=offer_id(call.call, call.offers_made),
        call=call.call,
        operator=None,
        destination=destination,
        state=OfferState.RINGING,
        made_at=turn.at,
        purpose=purpose,
    )
    turn.ledger.put_offer(offer)
    turn.do(
        DialDestination(
            call=call.call,
            offer=offer.offer,
            caller_channel=call.channel,
            destination=destination,
            ring_seconds=seconds + ASTERISK_MARGIN_SECONDS,
            caller_number=call.caller.number,
        )
    )
    begin_ringing(turn, offer, seconds, reason)
    return offer


def count_offer(turn: Turn, call: Call) -> Call:
    """Give the call's next offer its number; the call as it is then."""
    current = turn.ledger.call(call.call)
    assert current is not None, "only calls of the ledger are offered"
    counted = replace(current, offers_made=current.offers_made + 1)
    turn.ledger.put_call(counted)
    return counted


def begin_ringing(turn: Turn, offer: Offer, seconds: float, reason: str) -> None:
    """Limit the ringing of an offer, and tell it."""
    turn.start(TimerKind.OFFER_RING, offer.offer, seconds)
    turn.note(
        OfferMade(
            at=turn.at,
            call=offer.call,
            offer=offer.offer,
            operator=offer.operator,
            destination=offer.outside,
            purpose=offer.purpose,
            reason=reason,
        )
    )


def after_refusal(turn: Turn, offer: Offer) -> None:
    """An operator did not take an offer: phones that ring only for want of others have a pause before the next round.

    Whoever is ready is rung at once: seeking follows every turn.
    """
    call = turn.ledger.call(offer.call)
    if call is None or not call.seeks or call.person is not None:
        return
    if call.prefer is not None and call.prefer == offer.operator:
        turn.ledger.put_call(replace(call, prefer=None))
    turn.start(TimerKind.SEEK_AGAIN, call.call, NEXT_ROUND_SECONDS)


def operator_of(turn: Turn, offer: Offer) -> Operator | None:
    """The operator whom an offer rings, as long as this person is still held by it."""
    operator = None if offer.operator is None else turn.ledger.operator(OperatorId(offer.operator))
    return operator if operator is not None and operator.offer == offer.offer else None
