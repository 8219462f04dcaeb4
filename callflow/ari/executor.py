"""Carries out the core's commands as ARI requests. Each may be repeated: what is done already, or gone, is no fault."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

from callflow.ari.bridging import Bridging
from callflow.ari.connection import AriConnection
from callflow.ari.dialplan import Dialplan
from callflow.ari.errors import AriError, BadRequest, Conflict, NotFound, Unprocessable
from callflow.ari.insisting import Insisting
from callflow.ari.legs import Legs
from callflow.ari.protocol import applications, channels, endpoints, playbacks
from callflow.ari.sounds import Sounds
from callflow.ari.wire import Wire
from callflow.core.commands import (
    AddCaller,
    AddLeg,
    AnswerCaller,
    AnswerCode,
    BeginOutbound,
    CallCitizen,
    Command,
    DestroyBridge,
    DialDestination,
    EndCall,
    HandBack,
    HoldCaller,
    JoinLegs,
    OfferCall,
    Play,
    PrepareCentre,
    ReadTrunkHeaders,
    RecordBridge,
    ReleaseLeg,
    StopPlayback,
    Whisper,
)
from callflow.core.events import CallerGone, Event, TrunkHeadersRead
from callflow.core.ids import ChannelId

T = TypeVar("T")

KEPT_HEADERS: Final = ("P-Asserted-Identity", "Diversion", "Geolocation", "P-Access-Network-Info")
_LONGEST_HEADER: Final = 1024
_UNKNOWN_CAUSE: Final = 0
_HEADERS_SECONDS: Final = 1.0
"""The call's lane waits no longer for headers: what is in them is worth less than the caller's next prompt."""
_PREPARING_SECONDS: Final = 30.0


class AriExecutor:
    """Carries out commands on one Asterisk.

    Requests that act in a channel's own thread (answer, join, continue) and originating go over pooled HTTP, so that
    one stuck channel delays nobody; the rest over the websocket.
    """

    def __init__(self, connection: AriConnection, wire: Wire, prompts: Path) -> None:
        self._connection = connection
        self._ari = Insisting(connection)
        self._preparing = Insisting(connection, limit_seconds=_PREPARING_SECONDS, most_tries=None)
        self._wire = wire
        self._sounds = Sounds(prompts)
        self._legs = Legs(connection, wire, self._sounds)
        self._bridging = Bridging(self._ari)
        self._dialplan = Dialplan(connection, self._sounds)

    async def execute(self, command: Command) -> Sequence[Event]:  # noqa: PLR0912 - one case a command
        """Carry out one command; the events that its outcome brings at once.

        Raises:
            AriError: it could not be done.
        """
        match command:
            case AnswerCaller():
                await _or_gone(self._ari.request_http(channels.answer(channel_id=command.channel)))
            case Play():
                await self._play(command)
            case StopPlayback():
                await _or_gone(self._ari.request(playbacks.stop(playback_id=command.playback)))
            case HoldCaller():
                await self._bridging.hold(command)
            case OfferCall():
                await self._legs.offer(command)
            case DialDestination():
                await self._legs.dial(command)
            case ReleaseLeg():
                return await self._legs.release(command)
            case Whisper():
                await self._legs.whisper(command)
            case JoinLegs():
                await self._bridging.join(command)
            case AddLeg():
                await self._bridging.add_leg(command)
            case AddCaller():
                await self._bridging.add_caller(command)
            case RecordBridge():
                await self._bridging.record(command)
            case DestroyBridge():
                await self._bridging.destroy(command)
            case CallCitizen():
                await self._legs.call_citizen(command)
            case BeginOutbound():
                await self._dialplan.begin_outbound(command)
            case EndCall():
                return await self._end(command)
            case HandBack():
                await self._dialplan.hand_back(command)
            case AnswerCode():
                await self._dialplan.answer_code(command)
            case ReadTrunkHeaders():
                return await self._read_headers(command)
            case PrepareCentre():
                return await self._prepare(command)
            case _:
                raise AssertionError(f"{type(command).__name__} is no command for Asterisk")
        return ()

    async def _play(self, command: Play) -> None:
        play = channels.play_with_id(
            channel_id=command.channel, playback_id=command.playback, media=self._sounds.media(command.prompts)
        )
        with suppress(Conflict, NotFound):
            await self._ari.request(play)

    async def _end(self, command: EndCall) -> Sequence[Event]:
        """Hang up the caller; as with a leg, one who is gone already says so now."""
        try:
            await self._ari.request(channels.hangup(channel_id=command.channel))
        except NotFound:
            return (CallerGone(at=self._wire.now(), call=command.call, cause=_UNKNOWN_CAUSE),)
        return ()

    async def _read_headers(self, command: ReadTrunkHeaders) -> Sequence[Event]:
        values = await asyncio.gather(*(self._header(command.channel, name) for name in KEPT_HEADERS))
        found = tuple((name, value) for name, value in zip(KEPT_HEADERS, values, strict=True) if value)
        return (TrunkHeadersRead(at=self._wire.now(), call=command.call, headers=found),)

    async def _header(self, channel: ChannelId, name: str) -> str:
        read = channels.get_channel_var(channel_id=channel, variable=f"PJSIP_HEADER(read,{name})")
        with suppress(AriError):  # 404 where the INVITE has no such header, or the caller is gone
            answer = await self._connection.request_http(read, timeout_seconds=_HEADERS_SECONDS)
            return answer.value[:_LONGEST_HEADER]
        return ""

    async def _prepare(self, command: PrepareCentre) -> Sequence[Event]:
        """The waiting bridge exists, the phones are watched, and we know how they are.

        Nobody is rung whose phone is not watched, so this is tried for long; the core asks for it again after that.
        """
        await Bridging(self._preparing).make_waiting(command.bridge)
        reports: list[Event] = []
        for name in command.endpoints:
            with suppress(NotFound, BadRequest, Unprocessable):  # not in Asterisk's configuration: 'doctor' tells
                await self._preparing.request(
                    applications.subscribe(
                        application_name=self._ari.application, event_source=[f"endpoint:PJSIP/{name}"]
                    )
                )
                endpoint = await self._preparing.request(endpoints.get(tech="PJSIP", resource=name))
                reports.extend(self._wire.report(endpoint))
        return reports


async def _or_gone(doing: Awaitable[T]) -> None:
    """What is gone already needs no ending."""
    with suppress(NotFound):
        await doing
