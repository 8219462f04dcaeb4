"""The machine fails under a whole installation: no memory is to be had, or no name server answers. Calls go on."""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path

import pytest
import pytest_asyncio

from callflow.demo.cast import CALLER_HZ, OPERATOR_HZ, Cast
from callflow.demo.phones.phone import Phone
from callflow.demo.stage import Stage
from callflow.doctor import machine
from callflow.doctor.examine import examine
from callflow.doctor.finding import State

from ..faults.limits import memory_limited  # noqa: TID252
from ..faults.names import hide_mounts, name_servers_gone  # noqa: TID252
from .aftermath import leftovers, send_straight_to_people, whole_records
from .edge_lab import CITIZEN, Edge, edge
from .pbx import TRUNK_BIND, Pbx, start_pbx

CALLS = 12
SLOWER_AT_MOST = 1.5
NOISE_SECONDS = 0.1


@pytest_asyncio.fixture
async def stage(stage: Stage) -> Stage:
    """Callers go straight to people."""
    await send_straight_to_people(stage.layout)
    return stage


@pytest.mark.long
async def test_calls_are_served_when_engine_and_worker_get_no_more_memory(stage: Stage, cast: Cast) -> None:
    pids = stage.supervisor.pids
    await cast.on_duty("siti")
    await cast.answers("siti")
    placed = []
    async with memory_limited(pids["engine"]), memory_limited(pids["worker"]):
        for _ in range(3):
            placed.append(await cast.dial())
            person = await cast.picked_up("siti")
            await cast.talk_to_the_end(placed[-1], person, OPERATOR_HZ["siti"], CALLER_HZ)
    assert cast.failures == []
    await whole_records(stage.layout, [each.call for each in placed])
    assert await leftovers(stage) == []


async def test_answers_come_as_soon_when_no_name_server_answers(tmp_path: Path) -> None:
    if os.geteuid():
        pytest.fail("only root may take name servers away: run the tests as root, as CI does")
    try:
        hide_mounts()
    except OSError as error:
        pytest.fail(f"this machine gives no mounts of one's own: {error}")
    async with (
        start_pbx() as pbx,
        edge(pbx) as ours,
        Phone.start(bind=TRUNK_BIND, name="citizen") as phone,
    ):
        before = await answer_seconds(pbx, ours, phone)
        async with name_servers_gone(tmp_path):
            [finding] = await examine(pbx.settings, (machine.name_servers,))
            assert finding.state is State.WARN
            after = await answer_seconds(pbx, ours, phone)
    assert statistics.median(after) < SLOWER_AT_MOST * statistics.median(before) + NOISE_SECONDS


async def answer_seconds(pbx: Pbx, ours: Edge, phone: Phone) -> list[float]:
    """From the INVITE to the 200 of each of some calls."""
    found = []
    for _ in range(CALLS):
        began = time.monotonic()
        call = await phone.call(pbx.uri(), from_uri=CITIZEN)
        await ours.answered_caller(call)
        found.append(time.monotonic() - began)
        await call.hang_up()
        await call.wait_ended()
    return found
