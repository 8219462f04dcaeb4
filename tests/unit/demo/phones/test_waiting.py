from __future__ import annotations

import asyncio

import pytest

from callflow.demo.phones.errors import NotInTime, PhoneDied
from callflow.demo.phones.waiting import Changes


async def test_fact_is_given_at_once_when_it_is_there() -> None:
    assert await Changes("a").until(lambda: 5, "five", 0) == 5


async def test_waiter_gets_the_fact_when_it_comes_later() -> None:
    changes = Changes("a")
    facts: list[int] = []
    waits = [asyncio.create_task(changes.until(lambda: sum(facts) or None, "some", 5)) for _ in range(3)]
    changes.tell()
    await asyncio.sleep(0)
    assert not any(wait.done() for wait in waits)
    facts.append(7)
    changes.tell()
    assert await asyncio.gather(*waits) == [7, 7, 7]


async def test_error_says_what_when_the_fact_does_not_come() -> None:
    with pytest.raises(NotInTime) as late:
        await Changes("anna").until(lambda: None, "a miracle", 0.01)
    assert (late.value.phone, late.value.awaited, late.value.seconds) == ("anna", "a miracle", 0.01)


async def test_waiters_get_the_failure_when_nothing_can_come_any_more() -> None:
    changes = Changes("a")
    wait = asyncio.create_task(changes.until(lambda: None, "some", 5))
    await asyncio.sleep(0)
    changes.fail(PhoneDied("a", -9, ""))
    with pytest.raises(PhoneDied):
        await wait
    with pytest.raises(PhoneDied):
        await changes.until(lambda: None, "some", 5)
    assert await changes.until(lambda: 1, "one", 5) == 1
