"""What is known of a caller: a number with confirmed pranks is told and served, no number is never a number."""

from __future__ import annotations

from dataclasses import replace

from callflow.demo.cast import CALLER_HZ, OPERATOR_HZ, SECOND_CALLER_HZ, Cast, Placed
from callflow.demo.hearing import told
from callflow.demo.phones.call import IncomingCall
from callflow.demo.scripts.told import Told, served

_EVERYBODY = ("siti", "budi", "dewi")


async def confirmed_pranks(cast: Cast) -> list[Told]:
    """Three calls of one number are classified as pranks; the fourth is flagged, warned, and answered all the same."""
    await cast.on_duty(*_EVERYBODY)
    number = cast.new_number()
    pranks = []
    for login in _EVERYBODY:
        await cast.answers(login)
        placed, person = await _answered(cast, login, number)
        pranks.append((login, placed, person))
    (_, first, by_key), (_, second, _), (_, third, _) = pranks
    await by_key.send_dtmf("*23")  # while the call goes on
    await cast.fact(first, "CallClassified", classification="prank", operator="siti")
    await cast.consoles["budi"].ask("POST", f"/calls/{second.call}/classification", {"classification": "prank"})
    for _, placed, person in pranks:
        await cast.talk(placed, person, 1.5)
        await placed.phone.hang_up()
        await person.wait_ended()
    await (await cast.dial_code("dewi", "*23")).wait_ended()  # in the wrap-up
    await cast.fact(third, "CallClassified", classification="prank", operator="dewi")
    flagged, person = await _flagged(cast, number)
    cast.heard_each_other(flagged, person, CALLER_HZ, OPERATOR_HZ["siti"])
    return [
        *(replace(served(placed, "2", login), classification="prank") for login, placed, _ in pranks),
        # the operator listened to the warning first, and may have been rung again
        replace(served(flagged, "2", "siti"), outcomes=None, classification="normal", flagged=True),
    ]


async def _flagged(cast: Cast, number: str) -> tuple[Placed, IncomingCall]:
    """The fourth call: what the operator is told of it, and what the caller hears."""
    for login in ("budi", "dewi"):
        await cast.supervisor.move(login, "sign-out")
    await cast.desk.answer_by_hand(line="siti")
    await cast.operator_is("siti", "available")
    placed = await cast.dial(number=number)
    assessed = await cast.fact(placed, "CallerAssessed", seconds=10)
    cast.expect(assessed["flagged"] and assessed["warned"], "three confirmed pranks were not flagged and warned")
    cast.expect("3 of 3" in assessed["reason_en"], f"the reason says {assessed['reason_en']!r}")
    await placed.phone.send_dtmf("2")
    ringing = await cast.picked_up("siti")
    shown = ringing.caller.display
    cast.expect("3 dari 3" in shown, f"the operator's phone shows {shown!r} of the suspicion")
    await ringing.ring()
    await told(cast, "the caller with confirmed pranks", placed.phone, "prank_warning")
    await placed.phone.send_dtmf("1")
    await cast.fact(placed, "ChallengeAnswered", kind="prank", seconds=10)
    person = await cast.picks_up("siti")
    await cast.fact(placed, "CallConnected", operator="siti")
    await cast.talk(placed, person)
    await person.send_dtmf("*21")  # it was genuine this time
    await cast.fact(placed, "CallClassified", classification="normal", operator="siti")
    await placed.phone.hang_up()
    await person.wait_ended()
    return placed, person


async def without_number(cast: Cast) -> list[Told]:
    """One caller without a number is classified as a prank; the next one without a number has no past."""
    await cast.on_duty("budi", "siti")
    for login in ("siti", "budi"):
        await cast.answers(login)
    first, one = await _answered(cast, "budi", None)
    await one.send_dtmf("*23")
    await cast.fact(first, "CallClassified", classification="prank", operator="budi")
    second, two = await _answered(cast, "siti", None, SECOND_CALLER_HZ)
    assessed = await cast.fact(second, "CallerAssessed", seconds=10)
    known = (assessed["flagged"], assessed["calls"], assessed["confirmed"], assessed["later_seconds"])
    cast.expect(known == (False, 0, 0, 0.0), f"a caller without a number was known by {assessed['reason_en']!r}")
    for placed, person, login, hz in ((first, one, "budi", CALLER_HZ), (second, two, "siti", SECOND_CALLER_HZ)):
        await cast.talk_to_the_end(placed, person, OPERATOR_HZ[login], hz)
    return [
        replace(served(first, "2", "budi"), classification="prank"),
        served(second, "2", "siti", caller_hz=SECOND_CALLER_HZ),
    ]


async def _answered(
    cast: Cast, login: str, number: str | None, tone_hz: float = CALLER_HZ
) -> tuple[Placed, IncomingCall]:
    """A caller who pressed 2 and talks with this operator; `number` None = withheld."""
    placed = await cast.dial(number=number, withheld=number is None, tone_hz=tone_hz)
    await placed.phone.send_dtmf("2")
    person = await cast.picked_up(login)
    await cast.fact(placed, "CallConnected", operator=login)
    return placed, person
