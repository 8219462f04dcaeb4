from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from callflow.core.centre_facts import OperatorUpdated
from callflow.core.commands import Note
from callflow.core.events import Caller, Event
from callflow.core.facts import (
    CallEnded,
    CallHandedBack,
    CallOpened,
    CallQueued,
    CallServedInFallback,
    Fact,
    HangupParty,
    QueueReason,
    RecordingStored,
    Stage,
    TrunkHeadersNoted,
)
from callflow.core.ids import CallId
from callflow.core.reports import Track
from callflow.journal.codec import FACTS
from callflow.journal.envelope import canonical
from callflow.journal.files import chain_path
from callflow.journal.projector import Projector
from callflow.journal.sink import Sink, Text
from callflow.journal.witnessed import AccessRecorded
from callflow.storage.access import accesses_of_call
from callflow.storage.calls import CallFilter, caller_history, get_call, list_calls
from callflow.storage.funnel import funnel
from callflow.storage.migrations import upgrade
from callflow.storage.models import Base, ProjectionFault, ProjectorPosition
from callflow.storage.operators import list_operators
from callflow.storage.projection import FACTS_WRITTEN
from callflow.storage.records import CallRecord
from callflow.storage.sessions import Sessions, open_database, sessions_of

# Relative, since another package calls itself `tests` too.
from ..scenarios.world import SETTINGS  # noqa: TID252
from ..unit.journal.books import (  # noqa: TID252
    AT,
    CENTRE,
    PATIENCE_SECONDS,
    Alarms,
    busy_centre,
    key,
    open_journal,
    write_keys,
    write_turns,
)
from .postgres import PostgresServer

CALL = CallId("pbx-1.1")
CALLER = Caller(number="+628123456789", raw="08123456789")
OPENED = CallOpened(at=AT, call=CALL, arrived_at=AT, caller=CALLER, dialled="112", trunk="trunk-telco")
HANDED_BACK = CallHandedBack(at=AT + timedelta(seconds=9), call=CALL, reason="no bridge")
SERVED = CallServedInFallback(
    at=AT + timedelta(seconds=90),
    call=CALL,
    arrived_at=AT,
    caller=CALLER,
    dialled="112",
    trunk="trunk-telco",
    answered_at=AT + timedelta(seconds=20),
    answered_by="op-ani",
    ended_at=AT + timedelta(seconds=80),
    ended_by=HangupParty.OPERATOR,
    cause=16,
)
ENDED = CallEnded(at=AT + timedelta(seconds=60), call=CALL, stage=Stage.ANSWERED, ended_by=HangupParty.CALLER, cause=16)


def write_facts(directory: Path, *facts: Fact) -> None:
    """A journal with one entry for each fact."""
    with open_journal(directory) as journal:
        for fact in facts:
            journal.append(key(), [Note(fact=fact, centre=CENTRE)])
        journal.wait_committed(journal.last_seq, PATIENCE_SECONDS)


async def project(directory: Path, sessions: Sessions, **options: int) -> None:
    projector = Projector([directory], sessions, **options)
    try:
        await projector.catch_up()
    finally:
        projector.close()


async def rows(sessions: Sessions) -> dict[str, list[Any]]:
    """Everything in the database, but for when the position was moved."""
    async with sessions() as session:
        return {
            table.name: [
                tuple(row)
                for row in await session.execute(
                    select(*(column for column in table.c if column.name != "moved_at")).order_by(*table.primary_key)
                )
            ]
            for table in Base.metadata.sorted_tables
        }


async def record(sessions: Sessions, call: str = CALL) -> CallRecord:
    async with sessions() as session:
        found = await get_call(session, call)
    assert found is not None
    return found


def test_every_fact_has_a_writer_when_facts_are_counted() -> None:
    assert set(FACTS.values()) == set(FACTS_WRITTEN)


async def test_record_holds_all_of_a_call_when_it_was_projected(tmp_path: Path, sessions: Sessions) -> None:
    world = busy_centre()
    write_turns(tmp_path, world.turns)
    await project(tmp_path, sessions)
    for ended in world.facts(CallEnded):
        found = await record(sessions, ended.call)
        (opened,) = world.facts(CallOpened, ended.call)
        assert (found.call.stage, found.call.ended_by, found.call.ended_at) == (ended.stage, ended.ended_by, ended.at)
        assert found.call.caller_number == opened.caller.number
        assert found.steps
        assert [wait.left_reason for wait in found.queue] == ["connected" if ended.stage is Stage.ANSWERED else "ended"]
        if ended.stage is Stage.ANSWERED:
            assert found.offers[-1].operator == found.call.operator
            assert found.call.answered_at == found.offers[-1].connected_at == found.queue[-1].left_at
    begin, end = world.turns[0].event.at, world.turns[-1].event.at
    async with sessions() as session:
        counted = await funnel(session, centre=SETTINGS.centre, begin=begin, end=end)
        operators = await list_operators(session, SETTINGS.centre)
    assert counted.arrived == 3 == counted.answered + counted.abandoned_in_queue + counted.abandoned_in_ivr
    assert [(o.operator, o.state) for o in operators] == [
        (name, world.operator(name).state) for name in ("ani", "budi")
    ]


async def test_headers_and_recording_stand_in_the_record_when_they_came(tmp_path: Path, sessions: Sessions) -> None:
    tracks = tuple(
        Track(name=name, path=f"{CALL}-{name}.wav", sha256="ab" * 32, bytes=3_000_000_000, seconds=61.5)
        for name in ("in", "mixed", "out")
    )
    headers = (("P-Asserted-Identity", "<sip:+628123456789@telco>"), ("Diversion", "x\0" * 5_000))
    write_facts(
        tmp_path,
        OPENED,
        TrunkHeadersNoted(at=AT, call=CALL, headers=headers),
        RecordingStored(at=AT, call=CALL, tracks=tracks),
    )
    await project(tmp_path, sessions)
    found = await record(sessions)
    assert [header.name for header in found.headers] == ["P-Asserted-Identity", "Diversion"]
    assert found.headers[1].value == "x" * 5_000
    assert [(track.name, track.bytes) for track in found.recording] == [
        (name, 3_000_000_000) for name in ("in", "mixed", "out")
    ]


# --- fallback -------------------------------------------------------------------------------------------------------


async def test_call_stays_open_when_it_was_handed_back(tmp_path: Path, sessions: Sessions) -> None:
    queued = CallQueued(at=AT, call=CALL, tier="emergency", skill=None, reason=QueueReason.FLOW)
    write_facts(tmp_path, OPENED, queued, HANDED_BACK)
    await project(tmp_path, sessions)
    found = await record(sessions)
    assert (found.call.stage, found.call.fallback) == (None, False)
    assert found.call.handed_back_at == HANDED_BACK.at
    assert [wait.left_reason for wait in found.queue] == ["handed_back"]


async def test_record_is_made_and_marked_when_the_fallback_served_a_call_we_never_saw(
    tmp_path: Path, sessions: Sessions
) -> None:
    world = busy_centre()
    profiles = [fact for fact in world.facts(OperatorUpdated) if fact.profile.operator == "ani"]
    write_facts(tmp_path, *profiles, SERVED)
    await project(tmp_path, sessions)
    call = (await record(sessions)).call
    assert (call.stage, call.fallback, call.operator) == (Stage.HANDLED_IN_FALLBACK, True, "ani")
    assert (call.arrived_at, call.answered_at, call.ended_at) == (AT, SERVED.answered_at, SERVED.ended_at)
    assert call.ended_by is HangupParty.OPERATOR


@pytest.mark.parametrize("order", ["core first", "fallback first"])
async def test_cores_end_decides_and_the_mark_stays_when_the_call_was_claimed_again(
    tmp_path: Path, sessions: Sessions, order: str
) -> None:
    last = (ENDED, SERVED) if order == "core first" else (SERVED, ENDED)
    write_facts(tmp_path, OPENED, HANDED_BACK, OPENED, *last)
    await project(tmp_path, sessions)
    call = (await record(sessions)).call
    assert (call.stage, call.fallback, call.ended_at) == (Stage.ANSWERED, True, ENDED.at)


@pytest.mark.parametrize("order", ["core first", "fallback first"])
async def test_fallback_s_end_decides_when_the_engine_only_found_the_caller_gone(
    tmp_path: Path, sessions: Sessions, order: str
) -> None:
    found_gone = replace(ENDED, at=AT + timedelta(seconds=99), stage=Stage.ABANDONED_IN_QUEUE, cause=0)
    last = (found_gone, SERVED) if order == "core first" else (SERVED, found_gone)
    write_facts(tmp_path, OPENED, *last)
    await project(tmp_path, sessions)
    call = (await record(sessions)).call
    assert (call.stage, call.fallback) == (Stage.HANDLED_IN_FALLBACK, True)
    assert (call.answered_at, call.ended_at, call.cause) == (SERVED.answered_at, SERVED.ended_at, 16)


# --- exactly once ---------------------------------------------------------------------------------------------------


class Crash(Exception):
    """The process died."""


class CrashingSessions:
    """Sessions of which the n-th transaction dies, just before or just after its commit."""

    def __init__(self, sessions: Sessions, crash_at: int, *, after_commit: bool) -> None:
        self._sessions = sessions
        self._left = crash_at
        self._after_commit = after_commit

    def __call__(self) -> AsyncSession:
        return self._sessions()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncSession]:
        self._left -= 1
        async with self._sessions.begin() as session:
            yield session
            if self._left == 0 and not self._after_commit:
                await session.flush()
                raise Crash
        if self._left == 0:
            raise Crash


async def test_rows_are_the_same_when_the_projector_is_killed_at_any_transaction(
    tmp_path: Path, sessions: Sessions
) -> None:
    world = busy_centre()
    write_turns(tmp_path, world.turns)
    write_accesses(tmp_path)
    await project(tmp_path, sessions)
    expected = await rows(sessions)
    assert len(expected["calls"]) == 3
    for after_commit in (False, True):
        crash_at = 1
        while await _is_killed_at(tmp_path, sessions, expected, crash_at, after_commit=after_commit):
            crash_at += 1
        assert crash_at > 8


async def _is_killed_at(
    directory: Path, sessions: Sessions, expected: dict[str, list[Any]], crash_at: int, *, after_commit: bool
) -> bool:
    """Kill it at that transaction and let another one go on; False when it needed fewer."""
    async with sessions.begin() as session:
        for table in reversed(Base.metadata.sorted_tables):
            await session.execute(table.delete())
    crashing: Any = CrashingSessions(sessions, crash_at, after_commit=after_commit)
    try:
        await project(directory, crashing, batch=6)
    except Crash:
        killed = True
    else:
        killed = False
    await project(directory, sessions, batch=5)
    found = await rows(sessions)
    # The access log numbers its own rows; one that was rolled back leaves a hole on PostgreSQL.
    found["access_log"] = [row[1:] for row in found["access_log"]]
    assert found == expected | {"access_log": [row[1:] for row in expected["access_log"]]}
    return killed


async def test_rows_are_the_same_when_everything_is_projected_twice(tmp_path: Path, sessions: Sessions) -> None:
    write_turns(tmp_path, busy_centre().turns)
    await project(tmp_path, sessions)
    expected = await rows(sessions)
    async with sessions.begin() as session:
        await session.execute(ProjectorPosition.__table__.delete())
    await project(tmp_path, sessions)
    assert await rows(sessions) == expected


async def test_all_is_read_again_when_the_database_was_taken_back(tmp_path: Path, sessions: Sessions) -> None:
    write_turns(tmp_path, busy_centre().turns)
    projector = Projector([tmp_path], sessions)
    await projector.catch_up()
    expected = await rows(sessions)
    async with sessions.begin() as session:
        for table in reversed(Base.metadata.sorted_tables):
            await session.execute(table.delete())
    write_keys(tmp_path, 1)
    await projector.catch_up()
    projector.close()
    found = await rows(sessions)
    assert found["calls"] == expected["calls"]
    assert found["call_steps"] == expected["call_steps"]


# --- a database with troubles ---------------------------------------------------------------------------------------


async def until(condition: Callable[[], Any]) -> None:
    """Wait for what another task brings about."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            outcome = condition()
            if await outcome if asyncio.iscoroutine(outcome) else outcome:
                return
            await asyncio.sleep(0.02)


@asynccontextmanager
async def running(directory: Path, sessions: Sessions) -> AsyncIterator[Projector]:
    projector = Projector([directory], sessions, poll_seconds=0.02, now=lambda: AT + timedelta(hours=1))
    stop = asyncio.Event()
    task = asyncio.create_task(projector.run(stop))
    try:
        yield projector
    finally:
        stop.set()
        await asyncio.wait_for(task, PATIENCE_SECONDS)


def has_calls(sessions: Sessions, count: int) -> Callable[[], Any]:
    async def check() -> bool:
        try:
            async with sessions() as session:
                page = await list_calls(session, CallFilter())
        except Exception:  # noqa: BLE001 - the database is still away
            return False
        return len(page.calls) == count

    return check


async def test_new_entries_come_by_themselves_when_the_projector_runs(tmp_path: Path, sessions: Sessions) -> None:
    async with running(tmp_path, sessions) as projector:
        write_facts(tmp_path, OPENED)
        await until(has_calls(sessions, 1))
        write_facts(tmp_path, replace(OPENED, call=CallId("pbx-2.2")))
        await until(has_calls(sessions, 2))
        await until(lambda: projector.lag.entries == 0)
        assert projector.lag.seconds == 0.0


async def test_projector_waits_when_the_database_is_not_migrated(tmp_path: Path, empty_url: str) -> None:
    engine = open_database(empty_url)
    sessions = sessions_of(engine)
    write_facts(tmp_path, OPENED)
    async with running(tmp_path, sessions) as projector:
        await until(lambda: projector.lag.entries > 0)
        await upgrade(empty_url)
        await until(has_calls(sessions, 1))
    async with sessions() as session:
        assert (await session.scalars(select(ProjectionFault))).all() == []
    await engine.dispose()


async def test_nothing_is_lost_when_the_server_restarts_while_calls_go_on(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    url = postgres.new_database()
    await upgrade(url)
    engine = open_database(url)
    sessions = sessions_of(engine)
    async with running(tmp_path, sessions) as projector:
        write_facts(tmp_path, OPENED)
        await until(has_calls(sessions, 1))
        await asyncio.to_thread(postgres.stop)
        try:
            others = [replace(OPENED, call=CallId(f"pbx-2.{n}")) for n in range(300)]
            await asyncio.to_thread(write_facts, tmp_path, *others)
            await until(lambda: projector.lag.entries > 0)
        finally:
            await asyncio.to_thread(postgres.start)

        async def all_there() -> bool:
            return len((await rows(sessions))["calls"]) == 301

        await until(has_calls(sessions, 50))
        await until(all_there)
    await engine.dispose()


async def test_later_calls_are_written_when_an_entry_is_refused_for_good(tmp_path: Path, sessions: Sessions) -> None:
    sink = Sink(directory=tmp_path, second=None, writer="engine", centre=CENTRE, on_alarm=Alarms())
    assert sink.open() == 0
    unknown = {"type": "Note", "centre": CENTRE, "fact": {"type": "CallForgotten", "at": AT.isoformat()}}
    envelope = {"at": AT.isoformat(), "type": "KeyPressed", "version": 1, "centre": CENTRE, "call": None}
    text = canonical({"event": {"type": "KeyPressed"}, "commands": [unknown]})
    sink.write([Text(1, canonical(envelope | {"seq": 1, "core_version": "1"}), text)])
    sink.close()
    write_facts(tmp_path, OPENED)
    async with running(tmp_path, sessions):
        await until(has_calls(sessions, 1))
    async with sessions() as session:
        (fault,) = (await session.scalars(select(ProjectionFault))).all()
        assert (fault.seq, fault.fault) == (1, "UnknownType")


async def test_figure_out_of_range_keeps_up_nobody_when_postgresql_refuses_it(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    url = postgres.new_database()
    await upgrade(url)
    engine = open_database(url)
    sessions = sessions_of(engine)
    write_facts(tmp_path, OPENED, replace(ENDED, cause=2**40), replace(OPENED, call=CallId("pbx-2.2")))
    async with running(tmp_path, sessions):
        await until(has_calls(sessions, 2))
    async with sessions() as session:
        assert [fault.seq for fault in await session.scalars(select(ProjectionFault))] == [2]
    await engine.dispose()


async def test_unread_entries_come_too_when_a_file_was_set_aside(tmp_path: Path, sessions: Sessions) -> None:
    write_facts(tmp_path, OPENED)
    chain_path(tmp_path, "engine").rename(tmp_path / "engine.aside-20260105T010000.000000Z.sqlite")
    write_facts(tmp_path, ENDED)
    (tmp_path / "engine.aside-20260106T010000.000000Z.sqlite").write_text("not readable")
    await project(tmp_path, sessions)
    call = (await record(sessions)).call
    assert (call.caller_number, call.stage) == (CALLER.number, Stage.ANSWERED)


# --- looks and lists ------------------------------------------------------------------------------------------------


def access(who: str, at: datetime = AT) -> Event:
    return AccessRecorded(at=at, who=who, what="call", call=CALL, purpose="complaint 12")


def write_accesses(directory: Path) -> None:
    for writer in ("web", "cli"):
        with open_journal(directory, writer=writer) as journal:
            journal.append(access(f"{writer}-user"))
            journal.wait_committed(1, PATIENCE_SECONDS)


async def test_other_chains_go_on_and_the_entry_is_named_until_it_can_be_read(
    tmp_path: Path, sessions: Sessions
) -> None:
    write_facts(tmp_path, OPENED, ENDED)
    other = replace(OPENED, call=CallId("pbx-2.1"))
    with open_journal(tmp_path, writer="web") as journal:
        journal.append(key(), [Note(fact=other, centre=CENTRE)])
        journal.wait_committed(journal.last_seq, PATIENCE_SECONDS)
    path = chain_path(tmp_path, "engine")

    def put_envelope(envelope: str) -> str:
        with closing(sqlite3.connect(path)) as database, database:
            (before,) = database.execute("SELECT envelope FROM entries WHERE seq = 2").fetchone()
            database.execute("DROP TRIGGER IF EXISTS entries_stay")  # a disk asks no trigger
            database.execute("UPDATE entries SET envelope = ? WHERE seq = 2", (envelope,))
        return str(before)

    whole = put_envelope("{}")
    projector = Projector([tmp_path], sessions)
    for _ in range(2):
        await projector.catch_up()
        assert "entry 2 " in projector.unreadable[path]
    assert (await record(sessions, other.call)).call.arrived_at == AT
    put_envelope(whole)
    await projector.catch_up()
    assert not projector.unreadable
    assert (await record(sessions)).call.stage is Stage.ANSWERED
    projector.close()


async def test_looks_of_every_writer_are_found_when_they_were_projected(tmp_path: Path, sessions: Sessions) -> None:
    write_accesses(tmp_path)
    await project(tmp_path, sessions)
    await project(tmp_path, sessions)
    async with sessions() as session:
        found = await accesses_of_call(session, centre=CENTRE, call_id=CALL)
    assert sorted(look.who for look in found) == ["cli-user", "web-user"]


async def test_every_call_comes_once_when_the_list_is_paged_with_equal_arrivals(
    tmp_path: Path, sessions: Sessions
) -> None:
    opened = [replace(OPENED, call=CallId(f"pbx-{n}.1"), arrived_at=AT + timedelta(seconds=n // 3)) for n in range(10)]
    write_facts(tmp_path, *opened, replace(ENDED, call=CallId("pbx-4.1")))
    await project(tmp_path, sessions)
    seen: list[str] = []
    cursor = None
    async with sessions() as session:
        while True:
            page = await list_calls(session, CallFilter(centre=CENTRE), limit=3, cursor=cursor)
            seen += [call.call_id for call in page.calls]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert len(seen) == 10 == len(set(seen))
        assert seen[0] == "pbx-9.1"
        filters = {
            CallFilter(stage=Stage.ANSWERED): 1,
            CallFilter(in_progress=True): 9,
            CallFilter(in_progress=False): 1,
            CallFilter(caller_number=CALLER.number): 10,
            CallFilter(caller_number="+62"): 0,
            CallFilter(arrived_from=AT + timedelta(seconds=1), arrived_to=AT + timedelta(seconds=3)): 6,
            CallFilter(operator="ani"): 0,
            CallFilter(fallback=True): 0,
            CallFilter(centre="elsewhere"): 0,
        }
        for which, count in filters.items():
            assert len((await list_calls(session, which)).calls) == count, which
        assert CALLER.number is not None
        assert len(await caller_history(session, CALLER.number, before=AT + timedelta(seconds=1))) == 3
