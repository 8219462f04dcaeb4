from __future__ import annotations

import pytest

from callflow.demo.phones.pacing import MAX_RECENT_CALLS, RECENT_SECONDS, SocketBudget, Timers


def test_acts_come_in_order_when_they_are_due() -> None:
    timers = Timers()
    done: list[str] = []
    timers.at(3.0, lambda: done.append("late"))
    timers.at(1.0, lambda: done.append("first"))
    timers.at(1.0, lambda: done.append("second"))
    assert timers.due(0.5) == []
    for act in timers.due(1.0):
        act()
    assert done == ["first", "second"]
    assert len(timers.due(9.0)) == 1
    assert timers.due(9.0) == []


def test_wait_ends_at_the_next_timer_when_there_is_one() -> None:
    timers = Timers()
    assert timers.wait_ms(1.0, 500) == 500
    timers.at(1.25, lambda: None)
    assert timers.wait_ms(1.0, 500) == 250
    assert timers.wait_ms(1.0, 20) == 20
    assert timers.wait_ms(2.0, 500) == 0


def test_one_more_call_is_refused_when_lasting_and_ended_ones_hold_all_sockets() -> None:
    sockets = SocketBudget()
    for _ in range(MAX_RECENT_CALLS - 3):
        sockets.call_ended(10.0)
    sockets.check(10.0, lasting=2)
    with pytest.raises(ValueError, match="the most a phone can place"):
        sockets.check(10.0, lasting=3)
    sockets.check(10.1 + RECENT_SECONDS, lasting=3)
