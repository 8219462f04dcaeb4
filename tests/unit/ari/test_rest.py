"""Requests over HTTP whose password was changed while we ran; the server is the fake."""

from __future__ import annotations

import pytest

from callflow.ari.errors import Unauthorized
from callflow.ari.protocol import channels
from callflow.ari.rest import Rest
from callflow.errors import ConfigurationError

from .fake_server import PASSWORD, USER, fake_asterisk

ANSWER = channels.answer(channel_id="c")


async def test_password_is_read_again_when_it_is_refused() -> None:
    read = iter(["the one of before", PASSWORD])
    async with fake_asterisk() as asterisk:
        rest = Rest(asterisk.url, USER, lambda: next(read))
        await rest.send(ANSWER, 1.0)
        await rest.send(ANSWER, 1.0)
        assert len(asterisk.http_asked) == 2
        await rest.close()


async def test_refusal_is_told_when_the_password_is_no_other_or_its_file_is_gone() -> None:
    read = iter(["wrong", "wrong", ConfigurationError("ari_password", ["missing"])])

    def password() -> str:
        answer = next(read)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async with fake_asterisk() as asterisk:
        rest = Rest(asterisk.url, USER, password)
        for _ in range(2):
            with pytest.raises(Unauthorized):
                await rest.send(ANSWER, 1.0)
        await rest.close()
