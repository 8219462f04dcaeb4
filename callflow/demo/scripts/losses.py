"""An operator's phone that vanishes in the middle of a call: the caller is told, is first in line, and is answered."""

from __future__ import annotations

from callflow.core.facts import Stage
from callflow.demo.cast import CALLER_HZ, OPERATOR_HZ, Cast
from callflow.demo.hearing import Ear, heard_until_now, listen, told
from callflow.demo.phones.phone import Phone
from callflow.demo.scripts.told import MENU, Told, both


async def phone_vanishes(cast: Cast) -> list[Told]:
    """The phone dies without BYE or leave. Asterisk misses its audio, and the next operator has the caller.

    That one is in the recording, too, whatever the numbers of that phone's RTP.
    """
    await cast.on_duty("siti", "budi")
    folder = cast.stage.layout.settings.data_dir / "phones"
    await cast.desk.unregister("siti")
    async with Phone.start(name="siti-mobile", recordings=folder) as mobile:
        await cast.register_on(mobile, "siti")
        await mobile.auto_answer(line="siti", after_seconds=0.3, tone_hz=OPERATOR_HZ["siti"])
        await cast.operator_is("siti", "available")
        await cast.answers("budi", after_seconds=4.0)  # the caller has time to be told
        placed = await cast.dial()
        await placed.phone.send_dtmf("2")
        lost = await mobile.wait_incoming(30, line="siti")
        await cast.fact(placed, "CallConnected", operator="siti")
        await cast.talk(placed, lost)
        since = heard_until_now(placed.phone)
        await mobile.vanish()
    await cast.fact(placed, "PersonLost", seconds=40)
    await cast.fact(placed, "CallQueued", reason="person_lost")
    await told(cast, "the caller whose operator vanished", placed.phone, "reconnecting", since)
    person = await cast.picked_up("budi")
    await cast.fact(placed, "CallConnected", operator="budi")
    await listen(
        cast,
        2.0,
        Ear(who="the caller", call=placed.phone, hears=(OPERATOR_HZ["budi"],)),
        Ear(who="the next operator", call=person, hears=(CALLER_HZ,)),
    )
    await placed.phone.hang_up()
    await person.wait_ended()
    return [
        Told(
            placed=placed,
            stage=Stage.ANSWERED,
            path=(f"{MENU}:2",),
            operator="budi",
            tones=both(CALLER_HZ, OPERATOR_HZ["siti"], OPERATOR_HZ["budi"]),
        )
    ]
