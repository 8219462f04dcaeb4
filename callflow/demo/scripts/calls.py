"""A citizen and one person: the ways into the queue, out of it, and past it."""

from __future__ import annotations

from callflow.core.facts import HangupParty, Stage
from callflow.demo.cast import CALLER_HZ, OPERATOR_HZ, OUTSIDE_HZ, SECOND_CALLER_HZ, Cast
from callflow.demo.scripts.told import MENU, Told, both, served


async def no_key(cast: Cast) -> list[Told]:
    """No key: the menu goes by, an operator answers, each hears the other."""
    await cast.on_duty("siti")
    await cast.answers("siti")
    placed = await cast.dial()
    person = await cast.picked_up("siti", 90)
    await cast.fact(placed, "CallConnected", operator="siti")
    await cast.talk_to_the_end(placed, person, OPERATOR_HZ["siti"])
    return [served(placed, "no_input", "siti")]


async def key_2(cast: Cast) -> list[Told]:
    """Key 2 during the greeting cuts it short; the operator hangs up at the end."""
    await cast.on_duty("budi")
    await cast.answers("budi")
    placed = await cast.dial()
    await placed.phone.wait_heard(1.0)
    await placed.phone.send_dtmf("2")
    await cast.fact(placed, "IvrStepTaken", exit="2", seconds=10)
    person = await cast.picked_up("budi")
    await cast.fact(placed, "CallConnected", operator="budi")
    await cast.talk(placed, person)
    await person.hang_up()
    await placed.phone.wait_ended()
    cast.heard_each_other(placed, person, CALLER_HZ, OPERATOR_HZ["budi"])
    return [served(placed, "2", "budi", ended_by=HangupParty.OPERATOR)]


async def two_callers(cast: Cast) -> list[Told]:
    """Two callers, one operator: the second waits with music and is joined when the first has ended."""
    await cast.on_duty("siti")
    await cast.answers("siti")
    first = await cast.dial()
    await first.phone.send_dtmf("0")
    talking = await cast.picked_up("siti")
    await cast.fact(first, "CallConnected", operator="siti")
    second = await cast.dial(tone_hz=SECOND_CALLER_HZ)
    await second.phone.send_dtmf("0")
    await cast.fact(second, "CallQueued", seconds=10)
    await cast.talk(first, talking, 3.0)
    offered = [fact for fact in cast.observer.facts if fact["type"] == "OfferMade" and fact["call"] == second.call]
    cast.expect(not offered, "the second caller was offered to an operator who still talked")
    cast.entertained(second)
    await first.phone.hang_up()
    await talking.wait_ended()
    person = await cast.picked_up("siti")
    await cast.fact(second, "CallConnected", operator="siti")
    await cast.talk_to_the_end(second, person, OPERATOR_HZ["siti"], SECOND_CALLER_HZ)
    return [served(first, "0", "siti"), served(second, "0", "siti", caller_hz=SECOND_CALLER_HZ)]


async def gives_up(cast: Cast) -> list[Told]:
    """The caller gives up in the queue while the operator's phone rings."""
    await cast.on_duty("siti")
    await cast.desk.answer_by_hand(line="siti")
    placed = await cast.dial()
    await placed.phone.send_dtmf("4")
    ringing = await cast.picked_up("siti")
    await ringing.ring()
    await placed.phone.wait_heard(2.0)
    await placed.phone.hang_up()
    await ringing.wait_ended()
    return [
        Told(
            placed=placed,
            stage=Stage.ABANDONED_IN_QUEUE,
            path=(f"{MENU}:4",),
            outcomes=("withdrawn",),
            tones={"-in": (CALLER_HZ,)},
        )
    ]


async def hangs_up_in_greeting(cast: Cast) -> list[Told]:
    """Hang-up during the greeting."""
    await cast.on_duty("siti")
    await cast.answers("siti")
    placed = await cast.dial()
    await placed.phone.wait_heard(1.5)
    await placed.phone.hang_up()
    return [Told(placed=placed, stage=Stage.ABANDONED_IN_IVR, path=(), outcomes=(), tones={"-in": (CALLER_HZ,)})]


async def wrong_key_twice(cast: Cast) -> list[Told]:
    """A wrong key twice: an operator."""
    await cast.on_duty("dewi")
    await cast.answers("dewi")
    placed = await cast.dial()
    await placed.phone.wait_heard(0.5)
    await placed.phone.send_dtmf("8")
    await placed.phone.wait_heard(2.5)
    await placed.phone.send_dtmf("9")
    person = await cast.picked_up("dewi")
    await cast.fact(placed, "CallConnected", operator="dewi")
    await cast.talk_to_the_end(placed, person, OPERATOR_HZ["dewi"])
    return [served(placed, "wrong_key", "dewi")]


async def next_operator(cast: Cast) -> list[Told]:
    """The operator who is idle longest does not answer: set aside, and the next one is rung."""
    await cast.on_duty("siti", "budi")
    await cast.desk.answer_by_hand(line="siti")
    await cast.answers("budi")
    placed = await cast.dial()
    await placed.phone.send_dtmf("3")
    silent = await cast.picked_up("siti")
    await silent.ring()
    person = await cast.picked_up("budi")
    await cast.fact(placed, "CallConnected", operator="budi")
    aside = [
        fact
        for fact in cast.observer.facts
        if fact["type"] == "OperatorMoved" and fact["operator"] == "siti" and fact["reason"] == "no_answer"
    ]
    cast.expect(bool(aside), "the operator who did not answer was not set aside")
    await cast.talk_to_the_end(placed, person, OPERATOR_HZ["budi"])
    return [served(placed, "3", "budi", outcomes=("timed_out", "answered"))]


async def last_resort(cast: Cast) -> list[Told]:
    """No phone is registered: the last-resort list answers."""
    await cast.on_duty("siti")
    for login in cast.consoles:
        await cast.desk.unregister(login)
    await cast.observer.until(
        "no phone registered", lambda snapshot: not any(each["online"] for each in snapshot["operators"])
    )
    placed = await cast.dial()
    await placed.phone.send_dtmf("2")
    person = await cast.came("provinsi", 30)
    await cast.fact(placed, "CallConnected")
    cast.sees_number(person, placed)
    await cast.talk_to_the_end(placed, person, OUTSIDE_HZ["provinsi"])
    return [
        Told(
            placed=placed,
            stage=Stage.ANSWERED,
            path=(f"{MENU}:2",),
            destination=cast.stage.layout.last_resort[0].name,
            outcomes=("answered",),
            tones=both(CALLER_HZ, OUTSIDE_HZ["provinsi"]),
        )
    ]


async def engine_stopped(cast: Cast) -> list[Told]:
    """The engine is stopped before the call: the dialplan rings the operator; the record stands afterwards, marked."""
    await cast.on_duty("siti")
    for login in ("budi", "dewi"):
        await cast.desk.unregister(login)
    await cast.answers("siti")
    await cast.stage.stop_engine()
    placed = await cast.dial(engine=False)
    person = await cast.picked_up("siti", 90)
    await person.wait_confirmed()
    await cast.talk(placed, person)
    await placed.phone.hang_up()
    await person.wait_ended()
    await cast.stage.start_engine()
    served = await cast.observer.wait(
        "the fallback call in the journal",
        lambda fact: fact["type"] == "CallServedInFallback" and fact["caller"]["number"] == placed.number,
    )
    placed.call = served["call"]
    cast.heard_each_other(placed, person, CALLER_HZ, OPERATOR_HZ["siti"])
    return [
        Told(
            placed=placed,
            stage=Stage.HANDLED_IN_FALLBACK,
            path=(),
            operator="siti",
            tones=both(CALLER_HZ, OPERATOR_HZ["siti"]),
            fallback=True,
        )
    ]
