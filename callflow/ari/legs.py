"""Rings operators, outside numbers and citizens; whispers to an answered leg, and lets legs go."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from callflow.ari import naming
from callflow.ari.backoff import pauses
from callflow.ari.connection import AriConnection
from callflow.ari.errors import Conflict, NotFound, Refused
from callflow.ari.insisting import Insisting
from callflow.ari.protocol import channels
from callflow.ari.sounds import Sounds
from callflow.ari.wire import Wire
from callflow.core.commands import CallCitizen, DialDestination, OfferCall, ReleaseLeg, Whisper
from callflow.core.events import Event, LegGone
from callflow.core.ids import offer_channel, outbound_call_of_channel

OWN_NUMBER: Final = "112"
"""What a citizen sees who is called back: the number that everybody knows, and that leads here again."""
WATCH_SPEECH: Final = {naming.TALK_DETECT: naming.TALK_DETECTION}
_UNKNOWN_CAUSE: Final = 0
_WHISPER: Final = "whisper"
_WHISPER_TRIES: Final = 6
_WHISPER_SECONDS: Final = 2.0
"""What the call's lane waits for it: it holds up who is to be joined."""
_LAST_SECONDS: Final = 1.0


class Legs:
    """The channels that we make ourselves."""

    def __init__(self, connection: AriConnection, wire: Wire, sounds: Sounds) -> None:
        self._ari = Insisting(connection)
        self._connection = connection
        self._wire = wire
        self._sounds = sounds

    async def offer(self, command: OfferCall) -> None:
        """Ring an operator's phone."""
        number = command.caller_number or ""
        await self._ring(
            command,
            f"PJSIP/{command.endpoint}",
            caller_id=f'"{_quotable(command.display)}" <{number}>' if command.display else number,
        )

    async def dial(self, command: DialDestination) -> None:
        """Ring a number outside with the citizen's number on it, and watch that leg for speech."""
        await self._ring(
            command,
            f"PJSIP/{command.destination.number}@{command.destination.trunk}",
            caller_id=command.caller_number or "",
            variables=WATCH_SPEECH,
        )

    async def call_citizen(self, command: CallCitizen) -> None:
        """Ring a citizen; the dialplan makes a call of it once `BeginOutbound` sends the channel there."""
        number = command.destination.number
        originate = channels.originate_with_id(
            channel_id=command.channel,
            endpoint=f"PJSIP/{number}@{command.destination.trunk}",
            app=self._ari.application,
            caller_id=OWN_NUMBER,
            timeout=round(command.ring_seconds),
            variables={naming.CALLBACK: command.call, naming.CITIZEN: number} | WATCH_SPEECH,
        )
        with suppress(Conflict):
            await self._ari.ring(originate)

    async def release(self, command: ReleaseLeg) -> Sequence[Event]:
        """Hang up a leg. One that is gone already says so now: its own word may have been lost with a connection."""
        try:
            await self._ari.request(channels.hangup(channel_id=offer_channel(command.offer)))
        except NotFound:
            return (LegGone(at=self._wire.now(), call=command.call, offer=command.offer, cause=_UNKNOWN_CAUSE),)
        return ()

    async def whisper(self, command: Whisper) -> None:
        """Play to one leg beside what it hears anyhow; a whisper that cannot be, is not.

        Played to the leg itself, in a bridge, a prompt would part operator and caller for as long as it lasts. So it is
        mixed in by a channel of its own, which the dialplan plays on and hangs up: nothing waits for it.
        """
        snoop = channels.snoop_channel_with_id(
            channel_id=offer_channel(command.offer),
            snoop_id=command.playback,
            app=self._ari.application,
            whisper="out",
        )
        with suppress(Refused):
            try:
                async with asyncio.timeout(_WHISPER_SECONDS):
                    await self._connection.request_http(snoop)
                    await self._play_out(command)
            except TimeoutError:
                await self._let_go(command)

    async def _play_out(self, command: Whisper) -> None:
        told = channels.set_channel_var(
            channel_id=command.playback, variable=naming.TOLD, value="&".join(self._sounds.paths(command.prompts))
        )
        play = channels.continue_in_dialplan(channel_id=command.playback, context=_WHISPER, extension="s", priority=1)
        for pause in itertools.islice(pauses(), _WHISPER_TRIES):
            with suppress(Conflict):  # made, but not in our application yet: a thread of its own brings it there
                await self._connection.request_http(told)
                await self._connection.request_http(play)
                return
            await asyncio.sleep(pause)
        await self._let_go(command)

    async def _let_go(self, whisper: Whisper) -> None:
        await self._connection.request_http(channels.hangup(channel_id=whisper.playback), timeout_seconds=_LAST_SECONDS)

    async def _ring(
        self,
        command: OfferCall | DialDestination,
        endpoint: str,
        *,
        caller_id: str,
        variables: dict[str, str] | None = None,
    ) -> None:
        caller = command.caller_channel
        # The operator of a call-back is rung first; Asterisk refuses (400) an originator that is not there yet.
        outbound = not caller or outbound_call_of_channel(caller) is not None
        originate = channels.originate_with_id(
            channel_id=offer_channel(command.offer),
            endpoint=endpoint,
            app=self._ari.application,
            caller_id=caller_id,
            timeout=round(command.ring_seconds),
            originator=None if outbound else caller,
            variables=variables,
        )
        with suppress(Conflict):
            await self._ari.ring(originate)


def _quotable(text: str) -> str:
    """Text that may stand between quotes in a caller id: nothing in it ends them or begins a number."""
    return "".join(mark for mark in text if mark.isascii() and mark.isprintable() and mark not in '"\\<>')
