"""The scripted calls on real phones and a real Asterisk, each judged by its record; then what must hold after them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from callflow.cli.demo import QUICK
from callflow.core.facts import Stage as Outcome
from callflow.demo.cast import Cast, gather_cast
from callflow.demo.layout import lay_out
from callflow.demo.play import play
from callflow.demo.scripts import SCRIPTS
from callflow.demo.stage import Stage, set_stage
from callflow.storage.sessions import Sessions, open_database, sessions_of

from .aftermath import faults_of_recording, journal_faults, leftovers, reconciled_funnel, whole_records

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """One centre for all scripts, with the demonstration's shorter waits."""
    layout = lay_out(tmp_path_factory.mktemp("scripts") / "centre", queue=QUICK)
    async with set_stage(layout, print) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cast(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cast]:
    async with gather_cast(stage, tmp_path_factory.mktemp("phones")) as everybody:
        yield everybody


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sessions(stage: Stage) -> AsyncIterator[Sessions]:
    database = open_database(stage.layout.settings.database)
    yield sessions_of(database)
    await database.dispose()


@pytest.fixture(scope="module")
def played() -> list[str]:
    """The calls that the scripts told of."""
    return []


@pytest.mark.parametrize("name", SCRIPTS)
async def test_call_goes_as_told_when_the_script_is_played(
    cast: Cast, sessions: Sessions, played: list[str], name: str
) -> None:
    cast.failures.clear()
    records = await play(cast, name, sessions)
    assert cast.failures == []
    assert records != []
    assert [fault for phone in cast.phones for fault in phone.faults] == []
    played.extend(record["call_id"] for record in records)


async def test_journal_is_sound_and_nothing_is_left_when_all_scripts_were_played(
    stage: Stage, cast: Cast, played: list[str]
) -> None:
    layout = stage.layout
    opened = [fact for fact in cast.observer.facts if fact["type"] in {"CallOpened", "CallServedInFallback"}]
    calls = sorted({fact["call"] for fact in opened})
    outbound = {fact["call"] for fact in opened if fact.get("direction") == "outbound"}
    assert calls == sorted(played)
    assert len(outbound) == 1
    records = await whole_records(layout, calls)
    assert {record.call.call_id: faults for record in records if (faults := faults_of_recording(layout, record))} == {}
    counted = await reconciled_funnel(layout, records)
    assert (counted.arrived, counted.in_progress, counted.in_fallback) == (len(calls) - len(outbound), 0, 1)
    assert await leftovers(stage) == []
    assert await asyncio.to_thread(journal_faults, layout, calls) == []
    # what plays to a caller who hangs up is cut, and Asterisk calls that failed
    hung_up = [record.call.call_id for record in records if record.call.stage is Outcome.ABANDONED_IN_IVR]
    cut = [f"{call}: Playback failed" for call in hung_up]
    assert [line for line in stage.server.log_faults() if not any(words in line for words in cut)] == []
