from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from callflow.core.facts import Direction, Stage
from callflow.storage.calls import CallFilter, get_call, list_calls
from callflow.storage.errors import BadCursor, FunnelDoesNotReconcile
from callflow.storage.funnel import STAGES, funnel
from callflow.storage.models import Call
from callflow.storage.records import Funnel
from callflow.storage.sessions import Sessions, async_url

AT = datetime(2026, 1, 5, tzinfo=UTC)
DAY = timedelta(days=1)


OUTBOUND = (Stage.OUTBOUND_REACHED, Stage.OUTBOUND_NOT_REACHED)


def call(number: int, stage: Stage | None, *, fallback: bool = False, callback_of: str | None = None) -> Call:
    return Call(
        call_id=f"pbx-{number}",
        centre_id="bwi",
        arrived_at=AT + timedelta(seconds=number),
        caller_raw="",
        dialled="112",
        trunk="trunk-telkom",
        stage=stage,
        fallback=fallback,
        direction=Direction.INBOUND if callback_of is None else Direction.OUTBOUND,
        callback_of=callback_of,
    )


def test_every_stage_is_a_citizens_or_of_a_call_of_ours_when_stages_are_counted() -> None:
    assert set(STAGES) | set(OUTBOUND) == set(Stage)
    assert set(STAGES) & set(OUTBOUND) == set()


async def test_every_arrival_is_counted_once_when_calls_ended_in_every_stage(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        session.add_all(call(n, stage) for n, stage in enumerate([*STAGES, Stage.ANSWERED, None]))
        outbound = [*OUTBOUND, None, Stage.HANDLED_IN_FALLBACK]
        session.add_all(call(50 + n, stage, fallback=True, callback_of="pbx-1") for n, stage in enumerate(outbound))
        session.add(call(99, Stage.HANDLED_IN_FALLBACK, fallback=True))
    async with sessions() as session:
        counted = await funnel(session, centre="bwi", begin=AT, end=AT + DAY)
        assert counted == Funnel(
            arrived=8,
            abandoned_in_ivr=1,
            abandoned_in_queue=1,
            answered=2,
            handled_in_fallback=2,
            ended_in_information=1,
            in_progress=1,
            in_fallback=1,
        )
        assert (await funnel(session, centre="elsewhere", begin=AT, end=AT + DAY)).arrived == 0
        assert (await funnel(session, centre=None, begin=AT, end=AT)).arrived == 0


async def test_funnel_is_not_given_out_when_a_call_stands_in_an_unknown_stage(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        session.add(call(1, Stage.ANSWERED))
        await session.flush()
        await session.execute(text("UPDATE calls SET stage = 'vanished'"))
    async with sessions() as session:
        with pytest.raises(FunnelDoesNotReconcile) as refused:
            await funnel(session, centre="bwi", begin=AT, end=AT + DAY)
    assert (refused.value.arrived, refused.value.accounted) == (1, 0)


async def test_funnel_is_not_given_out_when_a_citizens_call_stands_in_an_outbound_stage(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        session.add(call(1, Stage.OUTBOUND_REACHED))
    async with sessions() as session:
        with pytest.raises(FunnelDoesNotReconcile):
            await funnel(session, centre="bwi", begin=AT, end=AT + DAY)


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "é", *(base64.urlsafe_b64encode(s).decode() for s in (b"[1]", b'["a", "b"]', b'["2026-01-05", "b"]'))],
)
async def test_list_is_refused_when_the_cursor_is_none_of_ours(sessions: Sessions, cursor: str) -> None:
    async with sessions() as session:
        with pytest.raises(BadCursor):
            await list_calls(session, CallFilter(), cursor=cursor)


async def test_nothing_is_found_when_there_is_no_such_call(sessions: Sessions) -> None:
    async with sessions() as session:
        assert await get_call(session, "pbx-0") is None


@pytest.mark.parametrize(
    ("written", "driven"),
    [
        ("sqlite:///a.db", "sqlite+aiosqlite:///a.db"),
        ("postgresql://u:secret@h/d", "postgresql+asyncpg://u:secret@h/d"),
        ("postgresql+psycopg://h/d", "postgresql+asyncpg://h/d"),
        ("postgresql+asyncpg://h/d", "postgresql+asyncpg://h/d"),
    ],
)
def test_url_names_the_asynchronous_driver_when_it_was_written_otherwise(written: str, driven: str) -> None:
    assert async_url(written) == driven
