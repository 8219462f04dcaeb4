from __future__ import annotations

import asyncio

import pytest

from callflow.core.commands import AnswerCaller, LookUpCaller
from callflow.core.events import CallerHistory, CallerHistoryKnown, OfferRang
from callflow.core.ids import CallId, ChannelId, offer_id
from callflow.engine.lookups import LookingUp
from callflow.errors import CallflowError

from .outside import WatchedExecutor
from .virtual_time import START, VirtualClock, run

CALL = CallId("node1-1.1")
LOOK_UP = LookUpCaller(call=CALL, number="+6281234567890")
HISTORY = CallerHistory(calls=3)


class Histories:
    """Answers after so many seconds, or not at all."""

    def __init__(self, answer: CallerHistory | Exception | None, seconds: float = 0.0) -> None:
        self.asked: list[tuple[str, CallId | None]] = []
        self.cancelled = False
        self._answer = answer
        self._seconds = seconds

    async def look_up(self, number: str, call: CallId | None = None) -> CallerHistory | None:
        self.asked.append((number, call))
        try:
            await asyncio.sleep(self._seconds)
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def looked_up(histories: Histories) -> tuple[CallerHistoryKnown, int, float]:
    """The event, the failures and how long it took."""

    async def main() -> tuple[CallerHistoryKnown, int, float]:
        executor = LookingUp(histories, WatchedExecutor(), VirtualClock())
        [event] = await executor.execute(LOOK_UP)
        assert isinstance(event, CallerHistoryKnown)
        return event, executor.failures, (event.at - START).total_seconds()

    return run(main())


def test_history_is_told_when_it_is_found_in_time() -> None:
    histories = Histories(HISTORY, 0.015)
    event, failures, _ = looked_up(histories)
    assert (event.call, event.history, failures) == (CALL, HISTORY, 0)
    assert histories.asked == [("+6281234567890", CALL)]


def test_no_history_is_told_after_20_ms_when_the_look_up_hangs() -> None:
    histories = Histories(HISTORY, 3600.0)
    event, failures, seconds = looked_up(histories)
    assert (event.history, failures, histories.cancelled) == (None, 1, True)
    assert seconds == pytest.approx(0.02)


@pytest.mark.parametrize("answer", [None, OSError("no disk"), CallflowError("no file")])
def test_no_history_is_told_when_the_look_up_fails(answer: Exception | None) -> None:
    event, failures, _ = looked_up(Histories(answer))
    assert (event.history, failures) == (None, 1)


async def test_other_commands_go_on_with_their_events_and_errors_when_they_are_no_look_ups() -> None:
    outside, histories = WatchedExecutor(), Histories(HISTORY)
    executor = LookingUp(histories, outside, VirtualClock())
    answer = AnswerCaller(call=CALL, channel=ChannelId("node1-1.1"))
    rang = OfferRang(at=START, call=CALL, offer=offer_id(CALL, 1))
    outside.brings[AnswerCaller] = [rang]
    assert list(await executor.execute(answer)) == [rang]
    outside.errors[AnswerCaller] = CallflowError("refused")
    with pytest.raises(CallflowError, match="refused"):
        await executor.execute(answer)
    assert histories.asked == []
