"""Every one of a hundred citizens who come at five a second reaches a person and leaves a whole record, no more."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
import soundfile

from callflow.core.facts import HangupParty, Stage
from callflow.core.states import OfferState
from callflow.demo.layout import CALLERS_BIND, Layout, lay_out
from callflow.demo.observer import Observer
from callflow.demo.phones.bank import PhoneBank, phone_bank
from callflow.demo.stage import Stage as Running
from callflow.demo.stage import set_stage
from callflow.storage.records import CallRecord

from .aftermath import (
    faults_of_recording,
    journal_faults,
    leftovers,
    reconciled_funnel,
    send_straight_to_people,
    whole_records,
)
from .sipp import Scenario, SippResult, run_sipp

CALLS = 100
A_SECOND = 5.0
HOLD_SECONDS = 4.0
ANSWER_AFTER_SECONDS = 0.2
SLOWEST_MS = 2000.0
"""No caller waits longer for the 200, or for an operator while enough are free, however busy the test's machine is."""
OPERATORS = tuple(f"petugas{number}" for number in range(1, 29))
"""Enough for all who talk at once (five a second for about four seconds), with some to spare."""


@pytest_asyncio.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Running]:
    layout = lay_out(
        tmp_path / "centre",
        queue={"wrap_up_seconds": 0.0},
        operators=[(login, f"Petugas {login[7:]}", ()) for login in OPERATORS],
    )
    async with set_stage(layout, print) as running:
        await send_straight_to_people(layout)
        yield running


@pytest_asyncio.fixture
async def operators(stage: Running, tmp_path: Path) -> AsyncIterator[PhoneBank]:
    """Everybody's phone, registered, and everybody signed in and free."""
    settings = stage.layout.settings
    passwords = {f"op-{login}": settings.secret(f"sip-op-{login}") for login in OPERATORS}
    async with phone_bank(settings.sip_host, settings.sip_port, passwords, recordings=tmp_path / "phones") as bank:
        await bank.auto_answer(after_seconds=ANSWER_AFTER_SECONDS, tone_hz=620.0)
        yield bank


@pytest_asyncio.fixture
async def observer(stage: Running) -> AsyncIterator[Observer]:
    watching = Observer(stage.layout.settings.engine_socket)
    following = asyncio.create_task(watching.follow())
    yield watching
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    await watching.close()


@pytest.mark.alone
async def test_every_call_ends_as_a_whole_record_when_a_hundred_come_at_five_a_second(
    stage: Running,
    operators: PhoneBank,
    observer: Observer,
    tmp_path: Path,
    record_testsuite_property: Callable[[str, object], None],
) -> None:
    await _sign_in(observer)
    layout = stage.layout

    result = await run_sipp(
        Scenario.CALL,
        (layout.settings.trunk_host, layout.settings.trunk_port),
        tmp_path / "sipp",
        callers=[f"0812340{number:05d}" for number in range(CALLS)],
        rate_per_second=A_SECOND,
        bind=CALLERS_BIND,
        hold_seconds=HOLD_SECONDS,
        media=_voice(tmp_path / "voice.ulaw"),
    )

    assert (result.successful, result.failed, result.errors) == (CALLS, 0, "")
    calls = {fact["call"] for fact in observer.facts if fact["type"] == "CallOpened"}
    assert len(calls) == CALLS
    records = await whole_records(layout, sorted(calls))
    for what, times in _times(result, records).items():
        median = statistics.median(times)
        record_testsuite_property(what, f"median {median:.0f} ms, worst {times[-1]:.0f} ms of {len(times)}")
        assert (len(times), times[-1] < SLOWEST_MS) == (CALLS, True), (what, times)
    assert {record.call.call_id: faults for record in records if (faults := _faults(layout, record))} == {}
    assert len({record.call.caller_number for record in records}) == CALLS
    assert await leftovers(stage) == []
    counted = await reconciled_funnel(layout, records)
    assert (counted.arrived, counted.answered, counted.in_progress) == (CALLS, CALLS, 0)
    assert await asyncio.to_thread(journal_faults, layout, sorted(calls)) == []
    assert operators.faults == []
    assert stage.server.log_faults() == []


async def _sign_in(observer: Observer) -> None:
    for login in OPERATORS:
        await observer.client.request("sign_in", login)
    await observer.until(
        "every operator ready",
        lambda snapshot: all(each["online"] and each["state"] == "available" for each in snapshot["operators"]),
    )


def _voice(path: Path) -> Path:
    """A second of a 440 Hz tone, as SIPp streams it: raw mu-law."""
    tone = 0.25 * np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)
    soundfile.write(path, tone, 8000, format="RAW", subtype="ULAW")
    return path


def _faults(layout: Layout, record: CallRecord) -> list[str]:
    call = record.call
    found = faults_of_recording(layout, record)
    wanted = (Stage.ANSWERED, HangupParty.CALLER, False)
    if (call.stage, call.ended_by, call.fallback) != wanted:
        found.append(f"ended as {call.stage} by {call.ended_by}, fallback {call.fallback}")
    if call.operator is None or call.queued_at is None or call.answered_at is None:
        found.append(f"operator {call.operator}, queued {call.queued_at}, answered {call.answered_at}")
    if [offer.outcome for offer in record.offers] != [OfferState.ANSWERED]:
        found.append(f"offers {[offer.outcome for offer in record.offers]}")
    if [step.node for step in record.steps] != [] or len(record.queue) != 1:
        found.append(f"steps {record.steps}, waits {record.queue}")
    if any(track.seconds < HOLD_SECONDS - 1 for track in record.recording):
        found.append(f"audio {[(track.name, track.seconds) for track in record.recording]}")
    return found


def _times(result: SippResult, records: list[CallRecord]) -> dict[str, list[float]]:
    """What each caller met, in milliseconds, best first."""
    queued = [
        (record.call.answered_at - record.call.queued_at).total_seconds()
        for record in records
        if record.call.answered_at is not None and record.call.queued_at is not None
    ]
    met = {"INVITE to 200": result.answer_seconds, "queued to talking": queued}
    return {what: sorted(seconds * 1000 for seconds in times) for what, times in met.items()}
