"""Sends channels on through the dialplan: a caller back to people, a citizen into a recorded call, a code's answer.

Who is sent there is served by nobody else any more, so each is tried again, over HTTP, until Asterisk has done it.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from callflow.ari import naming
from callflow.ari.backoff import pauses
from callflow.ari.connection import AriConnection
from callflow.ari.errors import AriError, Conflict, NotConnected, NotFound, OutcomeUnknown, Refused
from callflow.ari.protocol import channels
from callflow.ari.sounds import Sounds
from callflow.core.commands import AnswerCode, BeginOutbound, HandBack
from callflow.core.ids import ChannelId

_TRIES: Final = 5
_TRY_SECONDS: Final = 1.0
"""Of each request: whoever does not answer by then may answer the next one."""
_FROM_TRUNK: Final = "from-trunk"
_CALLBACK: Final = "callback"
_CODE_TOLD: Final = "feature-code-told"


class Dialplan:
    """The contexts of extensions.conf that take channels from an engine."""

    def __init__(self, connection: AriConnection, sounds: Sounds) -> None:
        self._ari = connection
        self._sounds = sounds

    async def hand_back(self, command: HandBack) -> None:
        """A caller goes to people without us."""
        await self._continue(command.channel, _FROM_TRUNK, str(command.label), variable=(naming.STEP, command.step))

    async def begin_outbound(self, command: BeginOutbound) -> None:
        """A citizen who answered becomes a call: recorded, and offered to us."""
        await self._continue(command.channel, _CALLBACK)

    async def answer_code(self, command: AnswerCode) -> None:
        """The dialplan answers, plays and hangs up: whatever becomes of us, the phone is free again.

        Raises:
            AriError: not even a hang-up could be had.
        """
        told = "&".join(self._sounds.paths(command.prompts))
        try:
            await self._continue(command.channel, _CODE_TOLD, variable=(naming.TOLD, told) if told else None)
        except AriError:
            with suppress(NotFound):
                await self._ari.request_http(channels.hangup(channel_id=command.channel))

    async def _continue(
        self, channel: ChannelId, context: str, label: str | None = None, *, variable: tuple[str, str] | None = None
    ) -> None:
        """To `s` in a context. A channel that is gone, or in the dialplan already, needs no sending.

        The variable waits for what plays to the channel, the order to go on does not: where the one is not answered the
        channel is sent on without it. Never over the websocket for that reason: whatever waits there holds up all.
        """
        go_on = channels.continue_in_dialplan(
            channel_id=channel, context=context, extension="s", label=label, priority=None if label else 1
        )
        for pause, tries_left in zip(pauses(), reversed(range(_TRIES)), strict=False):
            try:
                if variable is not None:
                    name, value = variable
                    with suppress(Refused, OutcomeUnknown):
                        told = channels.set_channel_var(channel_id=channel, variable=name, value=value)
                        await self._ari.request_http(told, timeout_seconds=_TRY_SECONDS)
                await self._ari.request_http(go_on, timeout_seconds=_TRY_SECONDS)
                break
            except (NotFound, Conflict):
                break
            except (Refused, OutcomeUnknown, NotConnected):
                if not tries_left:
                    raise
                await asyncio.sleep(pause)
