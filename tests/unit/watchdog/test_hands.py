"""How a plan is carried out: what is sent, what a refusal means, who is not held up by whom."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import pytest

from callflow.ari.errors import AriError, Conflict, NotConnected, NotFound, OutcomeUnknown, ServerFault
from callflow.ari.request import Request
from callflow.watchdog.done import Done
from callflow.watchdog.hands import Hands
from callflow.watchdog.plan import SendOn

from ..ari.samples import CALL, leg  # noqa: TID252 the tests are no package
from ..engine.virtual_time import run  # noqa: TID252
from .test_plan import bridge, caller

T = TypeVar("T")
OTHER = "city-1767574800.9"
CONTINUE, SET, HANGUP = (
    "POST channels/{channelId}/continue",
    "POST channels/{channelId}/variable",
    "DELETE channels/{channelId}",
)


class Asterisk:
    """Shows channels and bridges, keeps what it is asked, answers as told."""

    def __init__(self, *channels: dict[str, Any], bridges: tuple[dict[str, Any], ...] = ()) -> None:
        self.asked: list[tuple[str, str]] = []
        self.answer: Callable[[str, str], AriError | float] = lambda operation, path: 0.0
        self._there: dict[str, Any] = {"GET channels": list(channels), "GET bridges": list(bridges)}

    async def send(self, request: Request[T], timeout_seconds: float) -> T:
        if request.operation in self._there:
            return request.result(self._there[request.operation])
        self.asked.append((request.operation, request.path))
        answer = self.answer(request.operation, request.path)
        if isinstance(answer, AriError):
            raise answer
        await asyncio.sleep(min(answer, timeout_seconds))
        if answer > timeout_seconds:
            raise OutcomeUnknown(request.operation, "late")
        return request.result(None)

    def operations(self, of: str) -> list[str]:
        return [operation for operation, path in self.asked if path.split("/")[1] == of]


class Puller:
    """Keeps whom it was told to pull."""

    def __init__(self, done: int = 1, alone: Done | None = None) -> None:
        self.told: list[list[str]] = []
        self._done = done
        self._alone = alone

    async def one_pass(self, still_needed: Callable[[], bool]) -> Done | None:
        return self._alone

    async def pull(self, callers: Sequence[SendOn], still_needed: Callable[[], bool]) -> int:
        self.told.append([caller.channel for caller in callers])
        return self._done


def passed(asterisk: Asterisk, still_needed: Callable[[], bool] = lambda: True) -> Done:
    return run(Hands(asterisk, Puller(), still_needed).one_pass())


def test_caller_goes_on_with_the_step_and_the_ringing_leg_ends() -> None:
    there = Asterisk(caller(), leg(1, state="Ringing"), bridges=(bridge("w", CALL, kind="holding"),))
    assert passed(there) == Done(sent_on=1, released=1)
    assert there.operations(CALL) == [SET, CONTINUE]
    assert there.operations(f"{CALL}.o1") == [HANGUP]


def test_empty_bridge_of_a_talk_is_destroyed() -> None:
    there = Asterisk(bridges=(bridge(f"{CALL}.talk"),))
    assert passed(there) == Done()
    assert there.operations(f"{CALL}.talk") == ["DELETE bridges/{bridgeId}"]


def test_nothing_is_asked_when_the_engine_is_back_meanwhile() -> None:
    there = Asterisk(caller(), leg(1, state="Ringing"))
    assert passed(there, lambda: False) == Done()
    assert there.asked == []


def test_caller_is_not_sent_on_when_the_engine_comes_back_between_two_requests() -> None:
    answers = iter([True, False])
    there = Asterisk(caller(), bridges=(bridge("w", CALL, kind="holding"),))
    assert passed(there, lambda: next(answers)) == Done()
    assert there.operations(CALL) == [SET]


@pytest.mark.parametrize(
    ("error", "done"),
    [
        (NotFound(404, CONTINUE, "gone"), Done()),
        (Conflict(409, CONTINUE, "not in Stasis"), Done()),
        (ServerFault(500, CONTINUE, "no"), Done(failed=1)),
        (NotConnected(CONTINUE), Done(failed=1)),
    ],
)
def test_refusal_counts_only_when_the_caller_may_still_sit_alone(error: AriError, done: Done) -> None:
    there = Asterisk(caller())
    there.answer = lambda operation, _: error if operation == CONTINUE else 0.0
    assert passed(there) == done


def test_caller_goes_on_even_when_the_step_cannot_be_set() -> None:
    there = Asterisk(caller(), bridges=(bridge("w", CALL, kind="holding"),))
    there.answer = lambda operation, _: ServerFault(500, SET, "no") if operation == SET else 0.0
    assert passed(there) == Done(sent_on=1)


def test_channel_that_holds_up_its_request_holds_up_no_other() -> None:
    there = Asterisk(caller(), caller(OTHER))
    there.answer = lambda operation, path: 60.0 if CALL in path else 0.0

    async def main() -> Done:
        started = asyncio.get_running_loop().time()
        done = await Hands(there, Puller(), lambda: True).one_pass()
        assert asyncio.get_running_loop().time() - started <= 4.0
        return done

    assert run(main()) == Done(sent_on=1, failed=1)


def test_caller_is_pulled_when_still_there_at_the_next_pass_and_asked_anew_after_that() -> None:
    there, puller = Asterisk(caller()), Puller()

    async def main() -> list[Done]:
        hands = Hands(there, puller, lambda: True)
        return [await hands.one_pass() for _ in range(4)]

    assert run(main()) == [Done(sent_on=1), Done(pulled=1), Done(sent_on=1), Done(pulled=1)]
    assert puller.told == [[CALL], [CALL]]


def test_caller_who_could_not_be_pulled_is_counted_as_failed() -> None:
    there = Asterisk(caller())

    async def main() -> Done:
        hands = Hands(there, Puller(0), lambda: True)
        await hands.one_pass()
        return await hands.one_pass()

    assert run(main()) == Done(failed=1)


def test_nobody_is_pulled_when_the_engine_is_back() -> None:
    there, puller, back = Asterisk(caller()), Puller(), False

    async def main() -> Done:
        nonlocal back
        hands = Hands(there, puller, lambda: not back)
        await hands.one_pass()
        back = True
        return await hands.one_pass()

    assert run(main()).pulled == 0
    assert puller.told == []


@pytest.mark.parametrize("alone", [Done(pulled=2), None])
def test_manager_does_it_alone_when_ari_does_not_answer(alone: Done | None) -> None:
    class Mute:
        async def send(self, request: Request[T], timeout_seconds: float) -> T:
            raise NotConnected(request.operation)

    hands = Hands(Mute(), Puller(alone=alone), lambda: True)
    if alone is None:
        with pytest.raises(NotConnected):
            run(hands.one_pass())
    else:
        assert run(hands.one_pass()) == alone
