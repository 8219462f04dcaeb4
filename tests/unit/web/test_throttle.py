"""How guessing is slowed, and that nobody is kept from the desk by it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.web.throttle import (
    FORGET_AFTER_SECONDS,
    FREE_FAILURES,
    FREE_FAILURES_OF_ADDRESS,
    KEPT_AT_MOST,
    LONGEST_PAUSE_OF_LOGIN_SECONDS,
    LONGEST_PAUSE_SECONDS,
    Throttle,
)

from .conftest import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def throttle(clock: FakeClock) -> Throttle:
    return Throttle(clock)


def fail(throttle: Throttle, times: int, login: str = "siti", address: str = "10.0.0.1") -> None:
    for _ in range(times):
        throttle.failed(login, address)


def test_nothing_is_slowed_when_there_are_few_typing_errors(throttle: Throttle) -> None:
    fail(throttle, FREE_FAILURES - 1)
    assert throttle.wait_seconds("siti", "10.0.0.1") == 0


def test_pauses_double_up_to_the_longest_when_failures_go_on(throttle: Throttle) -> None:
    waits = []
    for _ in range(12):
        fail(throttle, 1)
        waits.append(throttle.wait_seconds("siti", "10.0.0.1"))
    assert waits[:7] == [0, 0, 1, 2, 4, 8, 16]
    assert waits[-1] == LONGEST_PAUSE_SECONDS


def test_desk_is_not_slowed_when_others_guess_its_login(throttle: Throttle) -> None:
    throttle.succeeded("siti", "10.0.0.1")
    for number in range(500):
        fail(throttle, 1, address=f"192.0.2.{number % 250}")
    assert throttle.wait_seconds("siti", "10.0.0.1") == 0
    assert throttle.wait_seconds("siti", "10.0.0.2") <= LONGEST_PAUSE_OF_LOGIN_SECONDS


def test_all_logins_are_slowed_when_one_address_tries_many(throttle: Throttle) -> None:
    for number in range(FREE_FAILURES_OF_ADDRESS):
        fail(throttle, 1, login=f"user{number}")
    assert throttle.wait_seconds("somebody-else", "10.0.0.1") > 0
    assert throttle.wait_seconds("somebody-else", "10.0.0.2") == 0


def test_failures_are_forgotten_when_time_has_passed(throttle: Throttle, clock: FakeClock) -> None:
    fail(throttle, 10)
    clock.seconds += FORGET_AFTER_SECONDS + 1
    assert throttle.wait_seconds("siti", "10.0.0.1") == 0
    fail(throttle, 1)
    assert throttle.wait_seconds("siti", "10.0.0.1") == 0


def test_memory_is_bounded_when_a_flood_comes(throttle: Throttle) -> None:
    for number in range(KEPT_AT_MOST + 100):
        fail(throttle, 1, login=f"user{number}", address=f"address{number}")
    assert len(throttle._pairs._failures) == KEPT_AT_MOST


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), st.floats(0, 40)), max_size=60))
def test_wait_is_never_longer_than_the_longest_pause_when_anything_happens(
    attempts: list[tuple[str, str, float]],
) -> None:
    clock = FakeClock()
    throttle = Throttle(clock)
    for login, address, seconds in attempts:
        clock.seconds += seconds
        throttle.failed(login, address)
        assert 0 <= throttle.wait_seconds(login, address) <= LONGEST_PAUSE_SECONDS
