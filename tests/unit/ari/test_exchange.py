"""Requests and answers over the websocket, in virtual time: which answer reaches whom."""

from __future__ import annotations

import asyncio

import pytest

from callflow.ari.errors import OutcomeUnknown
from callflow.ari.protocol import bridges, channels
from callflow.ari.protocol.models import Bridge

from ..engine.virtual_time import run  # noqa: TID252 the tests are no package
from .connection_lab import Running, told, until
from .fake_socket import answer
from .samples import sample

ANSWER = channels.answer(channel_id="c")


def test_answers_find_their_requests_when_they_come_in_another_order() -> None:
    async def main() -> None:
        async with Running() as at:
            await at.connected()
            at.socket.answer = lambda _: None
            asked = [asyncio.create_task(at.ari.request(bridges.get(bridge_id=name))) for name in "xyz"]
            await until(lambda: len(at.socket.sent) == 4)
            for frame in reversed(at.socket.sent[1:]):
                name = frame["uri"].removeprefix("bridges/")
                at.socket.say(answer(frame, 200, sample(Bridge) | {"id": name}))
            assert [(await one).id for one in asked] == ["x", "y", "z"]

    run(main())


def test_late_and_unknown_answers_are_ignored() -> None:
    async def main() -> None:
        async with Running() as at:
            await at.connected()
            at.socket.answer = lambda _: None
            before = asyncio.get_running_loop().time()
            with pytest.raises(OutcomeUnknown, match="no answer within 1 s"):
                await at.ari.request(ANSWER, timeout_seconds=1)
            assert asyncio.get_running_loop().time() - before == pytest.approx(1)
            at.socket.say(answer(at.socket.sent[-1]), answer({"request_id": "nobody's"}), told(1))
            await until(lambda: len(at.keeper.told) == 2)
            assert (at.ari.skipped, at.ari.connects) == (0, 1)

    run(main())
