"""Carries out the core's commands as ARI requests. Each may be repeated: what is done already, or gone, is no fault."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

from callflow.ari import naming
from callflow.ari.backoff import pauses
from callflow.ari.connection import AriConnection
from callflow.ari.errors import BadRequest, Conflict, NotConnected, NotFound, OutcomeUnknown, Refused, Unprocessable
from callflow.ari.protocol import applications, bridges, channels, endpoints, playbacks
from callflow.ari.wire import Wire
from callflow.core.commands import (
    AnswerCaller,
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
    Prompt,
    ReadTrunkHeaders,
    ReleaseLeg,
    StopPlayback,
)
from callflow.core.events import CallerGone, Event, LegGone, TrunkHeadersRead
from callflow.core.ids import BridgeId, offer_channel

T = TypeVar("T")

KEPT_HEADERS: Final = ("P-Asserted-Identity", "Diversion", "Geolocation", "P-Access-Network-Info")
_LONGEST_HEADER: Final = 1024
WAITING_ROLE: Final = "holding_participant"
"""Asterisk's own word for who waits with music; with any other, or none, the holding bridge is silent (tried)."""
_FROM_TRUNK: Final = "from-trunk"
_HAND_BACK_TRIES: Final = 5
_UNKNOWN_CAUSE: Final = 0


class AriExecutor:
    """Carries out commands on one Asterisk.

    Requests that act in a channel's own thread (answer, join, continue) and originating go over pooled HTTP, so that
    one stuck channel delays nobody; the rest over the websocket.
    """

    def __init__(self, connection: AriConnection, wire: Wire, prompts: Path) -> None:
        self._ari = connection
        self._wire = wire
        self._prompts = prompts

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
                await self._hold(command)
            case OfferCall():
                await self._ring(command, f"PJSIP/{command.endpoint}")
            case DialDestination():
                destination = command.destination
                await self._ring(command, f"PJSIP/{destination.number}@{destination.trunk}")
            case ReleaseLeg():
                return await self._release(command)
            case JoinLegs():
                await self._join(command)
            case DestroyBridge():
                await _or_gone(self._ari.request(bridges.destroy(bridge_id=command.bridge)))
            case EndCall():
                return await self._end(command)
            case HandBack():
                await self._hand_back(command)
            case ReadTrunkHeaders():
                return await self._read_headers(command)
            case PrepareCentre():
                return await self._prepare(command)
            case _:
                raise AssertionError(f"{type(command).__name__} is no command for Asterisk")
        return ()

    async def _play(self, command: Play) -> None:
        play = channels.play_with_id(
            channel_id=command.channel,
            playback_id=command.playback,
            media=[self._sound(prompt) for prompt in command.prompts],
        )
        with suppress(Conflict, NotFound):
            await self._ari.request(play)

    async def _hold(self, command: HoldCaller) -> None:
        """Into the waiting bridge, which is made anew where it is gone. A caller who is gone needs no place."""
        hold = bridges.add_channel(bridge_id=command.bridge, channel=(command.channel,), role=WAITING_ROLE)
        with suppress(BadRequest, Conflict, Unprocessable):  # the channel is gone, or has left our application
            try:
                await self._ari.request_http(hold)
            except NotFound:
                await self._make_waiting_bridge(command.bridge)
                await self._ari.request_http(hold)

    async def _make_waiting_bridge(self, bridge: BridgeId) -> None:
        with suppress(Conflict):
            await self._ari.request(bridges.create_with_id(bridge_id=bridge, type="holding", name=bridge))

    async def _release(self, command: ReleaseLeg) -> Sequence[Event]:
        """Hang up a leg. One that is gone already says so now: its own word may have been lost with a connection."""
        try:
            await self._ari.request(channels.hangup(channel_id=offer_channel(command.offer)))
        except NotFound:
            return (LegGone(at=self._wire.now(), call=command.call, offer=command.offer, cause=_UNKNOWN_CAUSE),)
        return ()

    async def _end(self, command: EndCall) -> Sequence[Event]:
        """Hang up the caller; as with a leg, one who is gone already says so now."""
        try:
            await self._ari.request(channels.hangup(channel_id=command.channel))
        except NotFound:
            return (CallerGone(at=self._wire.now(), call=command.call, cause=_UNKNOWN_CAUSE),)
        return ()

    def _sound(self, prompt: Prompt) -> str:
        return f"sound:{self._prompts}/{prompt.language}/{prompt.name}"

    async def _ring(self, command: OfferCall | DialDestination, endpoint: str) -> None:
        originate = channels.originate_with_id(
            channel_id=offer_channel(command.offer),
            endpoint=endpoint,
            app=self._ari.application,
            caller_id=command.caller_number or "",
            timeout=round(command.ring_seconds),
            originator=command.caller_channel,
        )
        with suppress(Conflict):
            await self._ari.request_http(originate)

    async def _join(self, command: JoinLegs) -> None:
        bridge = command.bridge
        with suppress(Conflict):
            await self._ari.request(bridges.create_with_id(bridge_id=bridge, type="mixing", name=bridge))
        # Keys that the operator presses are codes for us, never sounds for the caller or for an ambulance's menu.
        leg = bridges.add_channel(bridge_id=bridge, channel=(offer_channel(command.offer),), absorb_dtmf=True)
        caller = bridges.add_channel(bridge_id=bridge, channel=(command.caller_channel,))
        await asyncio.gather(self._ari.request_http(leg), self._ari.request_http(caller))

    async def _hand_back(self, command: HandBack) -> None:
        """A caller whom nobody serves any more must reach the dialplan: tried again, by HTTP, until told gone."""
        step = channels.set_channel_var(channel_id=command.channel, variable=naming.STEP, value=command.step)
        go_on = channels.continue_in_dialplan(
            channel_id=command.channel, context=_FROM_TRUNK, extension="s", label=str(command.label)
        )
        for pause, tries_left in zip(pauses(), reversed(range(_HAND_BACK_TRIES)), strict=False):
            try:
                with suppress(Refused):
                    await self._ari.request_http(step)
                await self._ari.request_http(go_on)
                break
            except (NotFound, Conflict):
                break
            except (Refused, OutcomeUnknown, NotConnected):
                if not tries_left:
                    raise
                await asyncio.sleep(pause)

    async def _read_headers(self, command: ReadTrunkHeaders) -> Sequence[Event]:
        names = {f"PJSIP_HEADER(read,{name})": name for name in KEPT_HEADERS}
        found: list[tuple[str, str]] = []
        for function, name in names.items():
            read = channels.get_channel_var(channel_id=command.channel, variable=function)
            with suppress(Refused):  # 404 where the INVITE has no such header, or the caller is gone
                value = (await self._ari.request_http(read)).value
                if value:
                    found.append((name, value[:_LONGEST_HEADER]))
        return (TrunkHeadersRead(at=self._wire.now(), call=command.call, headers=tuple(found)),)

    async def _prepare(self, command: PrepareCentre) -> Sequence[Event]:
        """The waiting bridge exists, the phones are watched, and we know how they are."""
        await self._make_waiting_bridge(command.bridge)
        reports: list[Event] = []
        for name in command.endpoints:
            with suppress(NotFound, Refused):  # not in Asterisk's configuration yet: 'callflow doctor' tells
                await self._ari.request(
                    applications.subscribe(
                        application_name=self._ari.application, event_source=[f"endpoint:PJSIP/{name}"]
                    )
                )
                endpoint = await self._ari.request(endpoints.get(tech="PJSIP", resource=name))
                reports.extend(self._wire.report(endpoint))
        return reports


async def _or_gone(doing: Awaitable[T]) -> None:
    """What is gone already needs no ending."""
    with suppress(NotFound):
        await doing
