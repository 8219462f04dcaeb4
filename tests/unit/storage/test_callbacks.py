from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from callflow.core.facts import Stage
from callflow.core.requests import CallbackOutcome
from callflow.storage.callbacks import CallbackFilter, callback_of, list_callbacks
from callflow.storage.errors import BadCursor
from callflow.storage.models import Call, Callback, CallbackAttempt
from callflow.storage.sessions import Sessions

AT = datetime(2026, 1, 5, tzinfo=UTC)
OPEN, CLOSED = 7, 5


def minutes(number: int) -> datetime:
    return AT + timedelta(minutes=number)


@pytest_asyncio.fixture
async def day(sessions: Sessions) -> Sessions:
    """Open and closed call-backs in turns; whose hang-up came later is due earlier, two are due at once."""
    async with sessions.begin() as session:
        for number in range(OPEN + CLOSED):
            closed = number % 2 == 1 and number < 2 * CLOSED
            session.add(
                Call(
                    call_id=f"c{number:02}",
                    centre_id="bwi",
                    arrived_at=AT,
                    caller_raw="",
                    dialled="112",
                    trunk="telkom",
                )
            )
            await session.flush()
            session.add(
                Callback(
                    call_id=f"c{number:02}",
                    centre_id="bwi",
                    number=f"+62812{number % 3}",
                    opened_at=minutes(number),
                    deadline=minutes(100 - number // 2),
                    owner_id="ani" if number < 4 else None,
                    attempts=0,
                    closed_at=minutes(number + 1) if closed else None,
                    outcome=CallbackOutcome.REACHED if closed else None,
                )
            )
    return sessions


async def pages(sessions: Sessions, which: CallbackFilter, limit: int = 3) -> list[str]:
    """The calls of all pages."""
    seen: list[str] = []
    cursor: str | None = None
    async with sessions() as session:
        while True:
            page = await list_callbacks(session, which, limit=limit, cursor=cursor)
            assert len(page.callbacks) <= limit
            seen += [callback.call_id for callback in page.callbacks]
            cursor = page.next_cursor
            if cursor is None:
                return seen


async def test_open_ones_come_by_deadline_when_they_are_paged(day: Sessions) -> None:
    assert await pages(day, CallbackFilter(centre="bwi", open=True)) == [
        "c10",
        "c11",
        "c08",
        "c06",
        "c04",
        "c02",
        "c00",
    ]


async def test_others_come_latest_first_when_they_are_paged(day: Sessions) -> None:
    assert await pages(day, CallbackFilter(open=False)) == ["c09", "c07", "c05", "c03", "c01"]
    assert await pages(day, CallbackFilter()) == [f"c{number:02}" for number in reversed(range(OPEN + CLOSED))]


@pytest.mark.parametrize(
    ("which", "count"),
    [
        (CallbackFilter(centre="kpg"), 0),
        (CallbackFilter(owner="ani"), 4),
        (CallbackFilter(number="+628120"), 4),
        (CallbackFilter(outcome=CallbackOutcome.REACHED), CLOSED),
        (CallbackFilter(outcome=CallbackOutcome.NOT_NEEDED), 0),
        (CallbackFilter(opened_from=minutes(2), opened_to=minutes(5)), 3),
    ],
)
async def test_only_those_are_found_that_were_asked_for(day: Sessions, which: CallbackFilter, count: int) -> None:
    assert len(await pages(day, which)) == count


async def test_list_is_refused_when_the_cursor_is_of_the_other_order(day: Sessions) -> None:
    async with day() as session:
        page = await list_callbacks(session, CallbackFilter(open=True), limit=1)
        with pytest.raises(BadCursor):
            await list_callbacks(session, CallbackFilter(open=False), cursor=page.next_cursor)


async def test_attempts_come_with_how_they_went_when_their_calls_are_known(day: Sessions) -> None:
    async with day.begin() as session:
        reached = {"call_id": "c00.b2", "centre_id": "bwi", "arrived_at": AT, "stage": Stage.OUTBOUND_REACHED}
        session.add(Call(**reached, caller_raw="", dialled="", trunk="telkom"))
        for number in (2, 1):
            session.add(
                CallbackAttempt(
                    call_id="c00",
                    attempt_id=f"c00.b{number}",
                    centre_id="bwi",
                    operator_id="ani",
                    begun_at=minutes(number),
                )
            )
    async with day() as session:
        found = await callback_of(session, "c00")
        assert found is not None
        assert [(attempt.call_id, attempt.stage) for attempt in found.attempts] == [
            ("c00.b1", None),
            ("c00.b2", Stage.OUTBOUND_REACHED),
        ]
        assert await callback_of(session, "none") is None
