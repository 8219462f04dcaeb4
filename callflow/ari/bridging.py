"""Brings callers and legs together: waiting with music, talking, consulting apart, and recording that consultation."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from callflow.ari.errors import BadRequest, Conflict, NotFound, Unprocessable
from callflow.ari.insisting import Insisting
from callflow.ari.protocol import bridges
from callflow.core.commands import AddCaller, AddLeg, DestroyBridge, HoldCaller, JoinLegs, RecordBridge
from callflow.core.ids import BridgeId, OfferId, offer_channel

WAITING_ROLE: Final = "holding_participant"
"""Asterisk's own word for who waits with music; with any other, or none, the holding bridge is silent (tried)."""

TALK_BRIDGE: Final = "mixing,video_sfu"
"""Asterisk's words for a bridge that always mixes, also for two.

With `mixing` alone two channels pass on each other's frames, RTP numbers included. What decodes them for the caller's
recording drops frames that are numbered below the last one: of the next person on this call (the second operator, a
colleague, an ambulance once the operator has left) nothing was in the recording, though caller and person heard each
other, wherever that phone's numbers happened to begin lower (seen on 22.10.1, in two of three runs; mixed, in none of
three). `video_sfu` is what ARI has to ask for mixing; without video it does nothing else.
"""
_UNTIL_FREE_SECONDS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4)
"""A deleted bridge's id was free again 20 ms after the prompt that held it was stopped."""


class Bridging:
    """The bridges, all of them named by the core."""

    def __init__(self, ari: Insisting) -> None:
        self._ari = ari

    async def make_waiting(self, bridge: BridgeId) -> None:
        """Make sure of a centre's holding bridge."""
        with suppress(Conflict):
            await self._ari.request(bridges.create_with_id(bridge_id=bridge, type="holding", name=bridge))

    async def hold(self, command: HoldCaller) -> None:
        """Into the waiting bridge, which is made anew where it is gone. A caller who is gone needs no place."""
        hold = bridges.add_channel(bridge_id=command.bridge, channel=(command.channel,), role=WAITING_ROLE)
        with suppress(BadRequest, Conflict, Unprocessable):  # the channel is gone, or has left our application
            try:
                await self._ari.request_http(hold)
            except NotFound:
                await self.make_waiting(command.bridge)
                await self._ari.request_http(hold)

    async def join(self, command: JoinLegs) -> None:
        """Caller and leg, at once."""
        await self._make_mixing(command.bridge)
        await asyncio.gather(
            self._add_leg(command.bridge, command.offer, absorb_keys=True),
            self._add_caller(command.bridge, command.caller_channel),
        )

    async def add_leg(self, command: AddLeg) -> None:
        """One more leg, wherever it was before."""
        await self._make_mixing(command.bridge)
        await self._add_leg(command.bridge, command.offer, absorb_keys=command.absorb_keys)

    async def add_caller(self, command: AddCaller) -> None:
        """The caller, from the waiting bridge; the music ends."""
        await self._make_mixing(command.bridge)
        await self._add_caller(command.bridge, command.channel)

    async def record(self, command: RecordBridge) -> None:
        """Record all that is said in a bridge until it is deleted."""
        await self._make_mixing(command.bridge)
        with suppress(Conflict):
            await self._ari.request(bridges.record(bridge_id=command.bridge, name=command.name, format="wav"))

    async def destroy(self, command: DestroyBridge) -> None:
        """Delete a bridge; who is in it stays ours, alone."""
        with suppress(NotFound):
            await self._ari.request(bridges.destroy(bridge_id=command.bridge))

    async def _make_mixing(self, bridge: BridgeId) -> None:
        """Make sure of a mixing bridge.

        One that was deleted keeps its id as long as a prompt plays to a caller who came from it (seen on 22.10.1): a
        bridge of that id can neither be made nor be found until Asterisk has stopped the prompt.
        """
        make = bridges.create_with_id(bridge_id=bridge, type=TALK_BRIDGE, name=bridge)
        for pause in (*_UNTIL_FREE_SECONDS, None):
            try:
                await self._ari.request(make)
            except Conflict:
                if pause is None or await self._is_there(bridge):
                    return
                await asyncio.sleep(pause)
            else:
                return

    async def _is_there(self, bridge: BridgeId) -> bool:
        try:
            await self._ari.request(bridges.get(bridge_id=bridge))
        except NotFound:
            return False
        return True

    async def _add_leg(self, bridge: BridgeId, offer: OfferId, *, absorb_keys: bool) -> None:
        """Keys that an operator presses are codes for us, never sounds for the caller or for an ambulance's menu."""
        await self._ari.request_http(
            bridges.add_channel(bridge_id=bridge, channel=(offer_channel(offer),), absorb_dtmf=absorb_keys)
        )

    async def _add_caller(self, bridge: BridgeId, channel: str) -> None:
        await self._ari.request_http(bridges.add_channel(bridge_id=bridge, channel=(channel,)))
