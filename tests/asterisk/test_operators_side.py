"""What operators' phones do to a caller: unplugged, frozen, refusing without end, answering too late or two at once."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
import pytest_asyncio

from callflow.demo.audio import longest_silence_seconds
from callflow.demo.cast import OPERATOR_HZ, Cast, Placed
from callflow.demo.hearing import heard_until_now
from callflow.demo.phones.errors import PhoneError
from callflow.demo.phones.phone import Phone
from callflow.demo.stage import Stage

from ..faults.phones import phone_frozen, phone_unplugged, registration_lost  # noqa: TID252
from .aftermath import journal_faults, leftovers, send_straight_to_people

LIMBO_SECONDS = 10.0
"""Who hears nothing for longer is lost."""
NEXT_RINGS_SECONDS = 5.0
"""From the first offer to a phone that is dead until the next one rings: it is missed after 3 s."""
TRIES = 100


@pytest_asyncio.fixture
async def stage(stage: Stage) -> Stage:
    """Callers go straight to people."""
    await send_straight_to_people(stage.layout)
    return stage


@pytest_asyncio.fixture
async def mobile(cast: Cast, tmp_path: Path) -> AsyncIterator[Phone]:
    """A phone of siti's own, which can be unplugged; siti is rung first."""
    await cast.on_duty("siti", "budi")
    await cast.desk.unregister("siti")
    async with Phone.start(name="siti-mobile", recordings=tmp_path / "phones") as phone:
        await cast.register_on(phone, "siti")
        await cast.operator_is("siti", "available")
        await cast.answers("budi")
        yield phone


async def test_no_caller_waits_for_a_phone_that_is_gone(stage: Stage, cast: Cast, mobile: Phone) -> None:
    """Frozen before it is rung, and in a talk; then unplugged while it rings."""
    calls = []
    async with phone_frozen(mobile):
        placed = await cast.dial()
        calls.append(placed)
        after = await _seconds_until_next_rings(cast, placed)
        print(f"next phone after {after:.1f} s when the first does not answer INVITE")  # noqa: T201 measured
        assert after < NEXT_RINGS_SECONDS
        await _served_by_budi(cast, placed)
    late = await mobile.wait_incoming(20, line="siti")  # what came while it was frozen
    await late.wait_ended()
    await _siti_first(cast)

    await mobile.auto_answer(line="siti", after_seconds=0.2, tone_hz=OPERATOR_HZ["siti"])
    placed = await cast.dial()
    calls.append(placed)
    talking = await mobile.wait_incoming(20, line="siti")
    await cast.fact(placed, "CallConnected", operator="siti")
    await cast.talk(placed, talking)
    since = heard_until_now(placed.phone)
    await mobile.answer_by_hand(line="siti")
    async with phone_frozen(mobile):
        await cast.fact(placed, "CallConnected", operator="budi")
        heard = heard_until_now(placed.phone)
        assert placed.phone.recording is not None
        await placed.phone.wait_heard(heard + 1.0)
        limbo = longest_silence_seconds(placed.phone.recording.path, since, heard + 1.0)
        print(f"{limbo:.1f} s of silence when the operator's phone died in the talk")  # noqa: T201 measured
        assert limbo < LIMBO_SECONDS
        await _served_by_budi(cast, placed)
    await talking.wait_ended()
    await _siti_first(cast)

    placed = await cast.dial()
    calls.append(placed)
    ringing = await mobile.wait_incoming(20, line="siti")
    await ringing.ring()
    async with phone_unplugged(mobile):
        unplugged_at = time.monotonic()
        await cast.fact(placed, "OfferMade", operator="budi")
        after = time.monotonic() - unplugged_at
        print(f"next phone after {after:.1f} s when the first was unplugged while it rang")  # noqa: T201 measured
        assert after < LIMBO_SECONDS
        await _served_by_budi(cast, placed)
    await _nothing_is_left(stage, cast, calls)


@pytest.mark.long
async def test_answer_counts_when_the_registration_is_lost_while_the_phone_rings(
    stage: Stage, cast: Cast, mobile: Phone
) -> None:
    await cast.desk.answer_by_hand()
    placed = await cast.dial()
    ringing = await mobile.wait_incoming(20, line="siti")
    await ringing.ring()
    async with registration_lost(mobile, "siti"):
        await cast.fact(placed, "OfferMade", operator="budi")  # the next one rings beside it
        await ringing.play_tone(OPERATOR_HZ["siti"])
        await ringing.answer()
        await cast.fact(placed, "CallConnected", operator="siti")
        await placed.phone.hang_up()
        await ringing.wait_ended()
        placed_idle = await cast.dial()
        assert (await cast.fact(placed_idle, "OfferMade"))["operator"] == "budi", "who is not registered is not rung"
        await placed_idle.phone.hang_up()
    await _nothing_is_left(stage, cast, [placed, placed_idle])


@pytest.mark.long
async def test_newer_phone_alone_rings_when_an_operator_registers_a_second(
    stage: Stage, cast: Cast, mobile: Phone, tmp_path: Path
) -> None:
    """One contact an operator: a second phone takes the line over, and two can never answer for one person."""
    async with Phone.start(name="siti-tablet", recordings=tmp_path / "phones") as tablet:
        await cast.register_on(tablet, "siti")
        await tablet.auto_answer(line="siti", after_seconds=0.3, tone_hz=OPERATOR_HZ["siti"])
        placed = await cast.dial()
        person = await tablet.wait_incoming(20, line="siti")
        await cast.talk_to_the_end(placed, person, OPERATOR_HZ["siti"])
        assert cast.failures == []
        assert not mobile.calls
    await _nothing_is_left(stage, cast, [placed])


@pytest.mark.long
async def test_one_talks_and_the_other_is_thanked_when_two_answer_at_once(stage: Stage, cast: Cast) -> None:
    """Nobody was on duty: every phone rings, and two are picked up in the same moment."""
    calls = []
    for _ in range(10):
        await cast.on_duty()
        await cast.desk.answer_by_hand()
        cast.desk.drop_arrived()
        placed = await cast.dial()
        calls.append(placed)
        ringing = [await cast.desk.wait_incoming(20, line=login) for login in ("siti", "budi")]
        for phone in ringing:
            await phone.ring()
        await asyncio.gather(*(phone.answer() for phone in ringing))
        connected = await cast.fact(placed, "CallConnected")
        loser = next(phone for phone in ringing if phone.line != connected["operator"])
        assert (await loser.wait_ended()).ended_by == "far_end"
        assert len(cast.facts(placed, "CallConnected")) == 1
        await placed.phone.hang_up()
        await next(phone for phone in ringing if phone is not loser).wait_ended()
        await cast.observer.until("no calls", lambda snapshot: not snapshot["calls"])
    await _nothing_is_left(stage, cast, calls)


@pytest.mark.long
async def test_nobody_stays_alone_when_answers_and_hang_ups_cross_a_hundred_times(stage: Stage, cast: Cast) -> None:
    chance = random.Random(112)  # noqa: S311 no secret
    await cast.on_duty("siti")
    await cast.desk.answer_by_hand()
    calls = []
    for number in range(TRIES):
        placed = await cast.dial()
        calls.append(placed)
        ringing = await cast.desk.wait_incoming(20, line="siti")
        await ringing.ring()
        wait = chance.uniform(-0.06, 0.06)
        with suppress(PhoneError):
            await asyncio.gather(
                _later(max(0.0, wait), ringing.answer()), _later(max(0.0, -wait), placed.phone.hang_up())
            )
        await ringing.wait_ended()
        await cast.fact(placed, "CallEnded", seconds=10)
        await cast.operator_is("siti", "available", seconds=10)
        if number % 20 == 19:
            assert await leftovers(stage) == []
    await _nothing_is_left(stage, cast, calls)


@pytest.mark.long
async def test_last_resort_serves_and_nothing_spins_when_every_phone_declines_at_once(stage: Stage, cast: Cast) -> None:
    """486 within milliseconds, from all three phones, until somebody outside answers: the offers stay few."""
    await cast.on_duty("siti", "budi", "dewi")
    await cast.desk.auto_reject(486)
    before = len(cast.observer.facts)
    began = time.monotonic()
    placed = await cast.dial()
    for trunk in cast.outside:
        await cast.answers_outside(trunk)
    await cast.fact(placed, "CallConnected", seconds=90)
    lasted = time.monotonic() - began
    offers = [f for f in cast.facts(placed, "OfferMade") if f["operator"]]
    print(f"{len(offers)} offers, {len(cast.observer.facts) - before} facts in {lasted:.0f} s")  # noqa: T201 measured
    assert len(offers) <= 3 * (lasted / 3.0 + 1)
    cast.entertained(placed)
    assert cast.failures == []
    await placed.phone.hang_up()
    await _nothing_is_left(stage, cast, [placed])


async def _later(seconds: float, action: object) -> None:
    await asyncio.sleep(seconds)  # the jitter is the matter of the test
    await action  # type: ignore[misc]


async def _seconds_until_next_rings(cast: Cast, placed: Placed) -> float:
    await cast.fact(placed, "OfferMade", operator="siti")
    began = time.monotonic()
    await cast.fact(placed, "OfferMade", operator="budi")
    return time.monotonic() - began


async def _served_by_budi(cast: Cast, placed: Placed) -> None:
    await cast.fact(placed, "CallConnected", operator="budi")
    person = await cast.picked_up("budi")
    await placed.phone.hang_up()
    await person.wait_ended()


async def _siti_first(cast: Cast) -> None:
    """Siti is ready and registered, and idle for longer than budi."""
    for login in ("siti", "budi"):
        await cast.supervisor.move(login, "sign-out")
    for login in ("siti", "budi"):
        await cast.consoles[login].move(login, "sign-in")

    def ready(snapshot: dict[str, list[dict[str, object]]]) -> bool:
        states = {each["operator"]: (each["state"], each["online"]) for each in snapshot["operators"]}
        return all(states[login] == ("available", True) for login in ("siti", "budi"))

    await cast.observer.until("siti and budi ready", ready, seconds=40.0)


async def _nothing_is_left(stage: Stage, cast: Cast, calls: list[Placed]) -> None:
    await cast.observer.until("no calls", lambda snapshot: not snapshot["calls"])
    assert await leftovers(stage) == []
    assert journal_faults(stage.layout, [each.call for each in calls]) == []
