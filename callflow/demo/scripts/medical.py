"""Medical calls: an operator joins 118 and leaves when it has spoken; without operators it is joined at once."""

from __future__ import annotations

from callflow.core.facts import Stage
from callflow.demo.cast import CALLER_HZ, OPERATOR_HZ, OUTSIDE_HZ, Cast, Placed
from callflow.demo.hearing import Ear, heard_until_now, listen, told
from callflow.demo.phones.call import IncomingCall, PhoneCall
from callflow.demo.scripts.told import MENU, Told, both

_SITI = OPERATOR_HZ["siti"]
_FIRST, _SECOND = OUTSIDE_HZ["ambulans-a"], OUTSIDE_HZ["ambulans-b"]


async def three_way(cast: Cast) -> list[Told]:
    """Key 1, a health officer, 118 by code; the officer may leave only once 118 has spoken, and they talk on."""
    await cast.on_duty("budi", "siti")  # siti is idle for less long, and the one with the health skill
    await cast.answers("siti")
    await cast.answers_outside("ambulans-a", speaks=False)
    placed, person = await _with_siti(cast)
    await person.send_dtmf("*31")
    ambulance = await cast.came("ambulans-a")
    cast.sees_number(ambulance, placed)
    await cast.fact(placed, "PartyJoined", name="medical", three_way=True)
    since = heard_until_now(person)
    await person.send_dtmf("*36")
    await told(cast, "the operator who may not leave yet", person, "party_not_spoken", since)
    cast.expect(person.end is None, "the operator was let go before 118 had spoken")
    await ambulance.play_tone(_FIRST)
    await cast.fact(placed, "PartySpoke", name="medical")
    await listen(cast, 2.0, *_three(placed, person, _SITI, ambulance, _FIRST))
    await person.send_dtmf("*36")
    await cast.fact(placed, "OperatorLeft", operator="siti", confirmed=True)
    await person.wait_ended()
    await listen(
        cast,
        2.0,
        Ear(who="the caller", call=placed.phone, hears=(_FIRST,), never=(_SITI,)),
        Ear(who="118", call=ambulance, hears=(CALLER_HZ,), never=(_SITI,)),
    )
    await placed.phone.hang_up()
    await ambulance.wait_ended()
    return [_told(placed, operator="siti", outside=(_FIRST,))]


async def first_is_busy(cast: Cast) -> list[Told]:
    """The first ambulance service is busy: the second is joined, three-way; it hangs up, operator and caller go on."""
    await cast.on_duty("siti")
    await cast.answers("siti")
    await cast.outside["ambulans-a"].auto_reject(486)
    placed, person = await _with_siti(cast)
    await cast.consoles["siti"].ask("POST", "/operators/siti/talk", {"action": "join", "target": "medical"})
    busy = await cast.outside["ambulans-a"].wait_incoming(10)
    ambulance = await cast.came("ambulans-b")
    cast.expect((await busy.wait_ended()).sip_code == 486, "the first ambulance service was not busy")
    await cast.fact(placed, "PartySpoke", name="medical")
    await listen(cast, 2.0, *_three(placed, person, _SITI, ambulance, _SECOND))
    since = heard_until_now(person)
    await ambulance.hang_up()
    await cast.fact(placed, "PartyGone", name="medical", reason="hung_up")
    await told(cast, "the operator", person, "party_left", since)
    await listen(
        cast,
        1.0,
        Ear(who="the caller", call=placed.phone, hears=(_SITI,), never=(_SECOND,)),
        Ear(who="the operator", call=person, hears=(CALLER_HZ,), never=(_SECOND,)),
    )
    await placed.phone.hang_up()
    await person.wait_ended()
    return [_told(placed, operator="siti", outside=(_SECOND,))]


async def nobody_ready(cast: Cast) -> list[Told]:
    """Nobody is signed in, a phone rings in vain: key 1 leads to 118 at once; who picks up after all is the third."""
    await cast.on_duty()
    for login in ("siti", "dewi"):
        await cast.desk.unregister(login)
    placed = await cast.dial()
    await placed.phone.send_dtmf("1")
    ambulance = await cast.came("ambulans-a")
    cast.sees_number(ambulance, placed)
    await cast.fact(placed, "PartyJoined", name="medical", three_way=False)
    await listen(
        cast,
        2.0,
        Ear(who="the caller", call=placed.phone, hears=(_FIRST,)),
        Ear(who="118", call=ambulance, hears=(CALLER_HZ,)),
    )
    person = await cast.picks_up("budi")
    await cast.fact(placed, "CallConnected", operator="budi")
    await listen(cast, 2.0, *_three(placed, person, OPERATOR_HZ["budi"], ambulance, _FIRST))
    await placed.phone.hang_up()
    await ambulance.wait_ended()
    await person.wait_ended()
    return [_told(placed, operator="budi", outside=(_FIRST,))]


async def _with_siti(cast: Cast) -> tuple[Placed, IncomingCall]:
    """A caller who pressed 1 and talks with the health officer."""
    placed = await cast.dial()
    await placed.phone.send_dtmf("1")
    person = await cast.picked_up("siti")
    await cast.fact(placed, "CallConnected", operator="siti")
    await cast.talk(placed, person, 1.5)
    return placed, person


def _three(
    placed: Placed, person: PhoneCall, person_hz: float, outside: PhoneCall, outside_hz: float
) -> tuple[Ear, Ear, Ear]:
    """All three hear each other."""
    return (
        Ear(who="the caller", call=placed.phone, hears=(person_hz, outside_hz)),
        Ear(who="the operator", call=person, hears=(CALLER_HZ, outside_hz)),
        Ear(who="the service outside", call=outside, hears=(CALLER_HZ, person_hz)),
    )


def _told(placed: Placed, *, operator: str, outside: tuple[float, ...]) -> Told:
    return Told(
        placed=placed,
        stage=Stage.ANSWERED,
        path=(f"{MENU}:1",),
        operator=operator,
        parties=("medical",),
        tones=both(CALLER_HZ, *outside),
    )
