"""What is asked again and what is not, in virtual time: Asterisk that refuses, is away, or never answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from callflow.ari.errors import AriError, BadRequest, Fenced, NotConnected, NotFound, OutcomeUnknown, ServerFault
from callflow.ari.insisting import LIMIT_SECONDS, MOST_TRIES, Insisting
from callflow.ari.protocol import channels
from callflow.ari.request import Request
from callflow.ari.testing import FakeAriConnection

from ..engine.virtual_time import run  # noqa: TID252 the tests are no package

ANSWER = channels.answer(channel_id="c")
BROKEN = ServerFault(500, ANSWER.operation, "as told")


class SilentConnection(FakeAriConnection):
    """Never answers: every request takes all the time that it is given."""

    async def request(self, request: Request[Any], *, timeout_seconds: float = 5.0) -> Any:
        self.sent.append(request)
        await asyncio.sleep(timeout_seconds)
        raise OutcomeUnknown(request.operation, "no answer")


def now() -> float:
    return asyncio.get_running_loop().time()


@pytest.mark.parametrize("error", [BROKEN, OutcomeUnknown("an operation", "as told"), NotConnected("an operation")])
@pytest.mark.parametrize("way", ["request", "request_http"])
def test_request_is_done_when_a_fault_comes_and_goes(error: AriError, way: str) -> None:
    async def main() -> None:
        ari = FakeAriConnection()
        ari.tell(ANSWER.operation, error, error, None)
        await getattr(Insisting(ari), way)(ANSWER)
        assert len(ari.sent) == 3
        assert len(ari.by_http) == (3 if way == "request_http" else 0)
        assert now() < 0.2

    run(main())


@pytest.mark.parametrize(
    "error", [NotFound(404, "an operation", "gone"), BadRequest(400, "an operation", "wrong"), Fenced("callflow-a")]
)
def test_request_is_not_repeated_when_its_answer_is_final(error: AriError) -> None:
    async def main() -> None:
        ari = FakeAriConnection()
        ari.tell(ANSWER.operation, error)
        with pytest.raises(type(error)):
            await Insisting(ari).request_http(ANSWER)
        assert len(ari.sent) == 1

    run(main())


def test_request_fails_within_a_second_when_asterisk_refuses_for_good() -> None:
    async def main() -> None:
        ari = FakeAriConnection()
        ari.tell(ANSWER.operation, BROKEN)
        with pytest.raises(ServerFault):
            await Insisting(ari).request(ANSWER)
        assert len(ari.sent) == MOST_TRIES
        assert now() < 1.0

    run(main())


@pytest.mark.parametrize("ask", [lambda ari: ari.request_http(ANSWER), lambda ari: ari.ring(ANSWER)])
def test_request_fails_in_time_when_nothing_is_ever_answered(ask: Callable[[Insisting], Any]) -> None:
    async def main() -> None:
        ari = SilentConnection()
        with pytest.raises(OutcomeUnknown):
            await ask(Insisting(ari))
        assert len(ari.sent) == 2
        assert now() <= LIMIT_SECONDS

    run(main())


def test_phone_is_rung_once_when_asterisk_says_that_it_is_not_there() -> None:
    async def main() -> None:
        ari = FakeAriConnection()
        ari.tell(ANSWER.operation, BROKEN)
        with pytest.raises(ServerFault):
            await Insisting(ari).ring(ANSWER)
        assert len(ari.sent) == 1

    run(main())


def test_preparing_goes_on_trying_for_as_long_as_it_may() -> None:
    async def main() -> None:
        ari = FakeAriConnection()
        ari.tell(ANSWER.operation, BROKEN)
        with pytest.raises(ServerFault):
            await Insisting(ari, limit_seconds=30.0, most_tries=None).request(ANSWER)
        assert 26.0 < now() <= 30.0
        assert len(ari.sent) > 15

    run(main())
