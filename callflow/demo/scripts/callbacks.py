"""A caller who gave up is called back by an operator, and that call is recorded as any other."""

from __future__ import annotations

from callflow.core.facts import Direction, HangupParty, Stage
from callflow.demo.cast import CALLER_HZ, OPERATOR_HZ, Cast, Placed
from callflow.demo.hearing import Ear, listen
from callflow.demo.scripts.told import MENU, Told, both

_SITI = OPERATOR_HZ["siti"]


async def abandoned_call(cast: Cast) -> list[Told]:
    """The caller gives up; the call-back's owner dials *41: own phone rings, then the citizen's, and it is closed."""
    await cast.on_duty("siti")
    await _settle_earlier(cast)
    placed = await cast.dial()
    await placed.phone.send_dtmf("2")
    ringing = await cast.picked_up("siti")
    await ringing.ring()
    await placed.phone.wait_heard(2.0)
    await placed.phone.hang_up()
    await ringing.wait_ended()
    opened = await cast.fact(placed, "CallbackOpened")
    cast.expect(opened["number"] == placed.number, "the call-back is not for the caller's number")
    await cast.fact(placed, "CallbackAssigned", operator="siti")
    listed = await cast.consoles["siti"].ask("GET", "/callbacks")
    mine = [each["owner"] for each in listed["callbacks"] if each["call"] == placed.call]
    cast.expect(mine == ["siti"], f"the list of call-backs shows the owners {mine}")

    await cast.answers("siti")
    code = await cast.dial_code("siti", "*41")
    await code.wait_ended()
    person = await cast.picked_up("siti")
    citizen = await cast.citizens.wait_incoming(15)
    number = citizen.invite.request_uri.partition("sip:")[2].partition("@")[0]
    cast.expect(number.endswith((placed.number or "?")[3:]), "another number than the caller's was called back")
    await citizen.wait_confirmed()
    tried = await cast.fact(placed, "CallbackTried", operator="siti")
    back = Placed(citizen, placed.number, tried["attempt"])
    await cast.fact(back, "CallConnected", operator="siti")
    closed = await cast.fact(placed, "CallbackClosed", outcome="reached")
    cast.expect(closed["by"] == back.call, f"the call-back was closed by {closed['by']}")
    await listen(
        cast,
        2.0,
        Ear(who="the citizen who is called back", call=citizen, hears=(_SITI,)),
        Ear(who="the operator who calls back", call=person, hears=(CALLER_HZ,)),
    )
    await person.hang_up()
    await citizen.wait_ended()
    return [
        Told(
            placed=placed,
            stage=Stage.ABANDONED_IN_QUEUE,
            path=(f"{MENU}:2",),
            outcomes=("withdrawn",),
            tones={"-in": (CALLER_HZ,)},
        ),
        Told(
            placed=back,
            stage=Stage.OUTBOUND_REACHED,
            path=(),
            operator="siti",
            ended_by=HangupParty.OPERATOR,
            outcomes=("answered",),
            direction=Direction.OUTBOUND,
            tones=both(CALLER_HZ, _SITI),
        ),
    ]


async def _settle_earlier(cast: Cast) -> None:
    """Close the call-backs of earlier scripts: *41 dials the operator's oldest."""
    for each in (await cast.supervisor.ask("GET", "/callbacks"))["callbacks"]:
        await cast.supervisor.ask("POST", f"/callbacks/{each['call']}/close", {"outcome": "not_needed"})
