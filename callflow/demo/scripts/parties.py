"""A third party beside operator and caller: spoken with alone first, then let go, joined, or left with the caller."""

from __future__ import annotations

from callflow.core.facts import Stage
from callflow.demo.cast import CALLER_HZ, OPERATOR_HZ, OUTSIDE_HZ, Cast, Placed
from callflow.demo.hearing import Ear, listen
from callflow.demo.phones.call import PhoneCall
from callflow.demo.scripts.told import MENU, Told, both

_SITI, _BUDI, _POLICE = OPERATOR_HZ["siti"], OPERATOR_HZ["budi"], OUTSIDE_HZ["polisi"]


async def consult_and_transfer(cast: Cast) -> list[Told]:
    """The operator consults the police and returns, consults a colleague, joins all three, and leaves the caller there.

    The caller hears music meanwhile and neither of them; each consultation is a recording of its own.
    """
    await cast.on_duty("siti", "budi")
    await cast.answers("siti")
    placed = await cast.dial()
    await placed.phone.send_dtmf("3")
    person = await cast.picked_up("siti")
    await cast.fact(placed, "CallConnected", operator="siti")
    await cast.talk(placed, person, 1.5)

    await person.send_dtmf("*33110#")
    police = await cast.came("polisi")
    cast.sees_number(police, placed)
    await cast.fact(placed, "ConsultationBegan", number=1, name="polisi")
    await listen(cast, 2.0, *_consulting(placed, person, police, _POLICE))
    await person.send_dtmf("*35")
    await police.wait_ended()
    await cast.fact(placed, "ConsultationEnded", number=1)
    await _until_back(cast, placed, person)

    await cast.answers("budi")
    await person.send_dtmf(f"*33{cast.number_of('budi')}#")
    colleague = await cast.picked_up("budi")
    await cast.fact(placed, "ConsultationBegan", number=2, name="budi")
    await listen(cast, 2.0, *_consulting(placed, person, colleague, _BUDI))
    await person.send_dtmf("*34")
    await cast.fact(placed, "PartyJoined", name="budi", three_way=True)
    await listen(
        cast,
        1.5,
        Ear(who="the caller", call=placed.phone, hears=(_SITI, _BUDI)),
        Ear(who="the operator", call=person, hears=(CALLER_HZ, _BUDI)),
        Ear(who="the colleague", call=colleague, hears=(CALLER_HZ, _SITI)),
    )
    await person.send_dtmf("*36")
    await person.wait_ended()
    await listen(
        cast,
        2.0,
        Ear(who="the caller", call=placed.phone, hears=(_BUDI,), never=(_SITI,)),
        Ear(who="the colleague", call=colleague, hears=(CALLER_HZ,), never=(_SITI,)),
    )
    await placed.phone.hang_up()
    await colleague.wait_ended()
    return [
        Told(
            placed=placed,
            stage=Stage.ANSWERED,
            path=(f"{MENU}:3",),
            operator="budi",
            parties=("polisi", "budi"),
            consultations=2,
            tones=both(CALLER_HZ, _SITI, _BUDI) | {"-consult-1": (_SITI, _POLICE), "-consult-2": (_SITI, _BUDI)},
            absent={"-out": (_POLICE,), "-consult-1": (CALLER_HZ,), "-consult-2": (CALLER_HZ,)},
        )
    ]


def _consulting(placed: Placed, person: PhoneCall, party: PhoneCall, party_hz: float) -> tuple[Ear, Ear, Ear]:
    """Operator and party hear each other, the caller neither of them and yet something."""
    return (
        Ear(who="the caller in a consultation", call=placed.phone, never=(_SITI, party_hz), entertained=True),
        Ear(who="the operator in a consultation", call=person, hears=(party_hz,), never=(CALLER_HZ,)),
        Ear(who="the consulted party", call=party, hears=(_SITI,), never=(CALLER_HZ,)),
    )


async def _until_back(cast: Cast, placed: Placed, person: PhoneCall) -> None:
    """Operator and caller talk again."""

    def together(snapshot: dict[str, object]) -> bool:
        calls = snapshot["calls"]
        assert isinstance(calls, list)
        return any(call["call"] == placed.call and call["state"] == "connected" for call in calls)

    await cast.observer.until("back to the caller", together)
    await listen(
        cast,
        1.5,
        Ear(who="the caller", call=placed.phone, hears=(_SITI,), never=(_POLICE,)),
        Ear(who="the operator", call=person, hears=(CALLER_HZ,), never=(_POLICE,)),
    )
