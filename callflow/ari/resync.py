"""Takes stock after a connect: every channel of our application, and where Asterisk has it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from callflow.ari import naming
from callflow.ari.connection import AriConnection
from callflow.ari.protocol import applications, bridges, channels
from callflow.ari.protocol.models import Bridge, Channel
from callflow.ari.wire import Wire
from callflow.core.events import SeenChannel, SnapshotTaken, Whereabouts
from callflow.core.ids import ChannelId, talk_bridge


async def take_snapshot(connection: AriConnection, wire: Wire) -> SnapshotTaken:
    """Ask Asterisk for its channels and bridges.

    Raises:
        AriError: it could not be asked.
    """
    application, all_channels, all_bridges = await asyncio.gather(
        connection.request(applications.get(application_name=connection.application)),
        connection.request(channels.list_all()),
        connection.request(bridges.list_all()),
    )
    bridge_of = {channel: bridge for bridge in all_bridges for channel in bridge.channels}
    seen = (_seen(channel, frozenset(application.channel_ids), bridge_of) for channel in all_channels)
    return SnapshotTaken(at=wire.now(), channels=tuple(one for one in seen if one is not None))


def _seen(channel: Channel, ours: frozenset[str], bridge_of: Mapping[str, Bridge]) -> SeenChannel | None:
    leg = naming.offered_leg(channel)
    call = leg[0] if leg is not None else naming.call_of(channel)
    if call is None or (leg is None and channel.id not in ours):
        return None
    return SeenChannel(
        call=call,
        channel=ChannelId(channel.id),
        offer=None if leg is None else leg[1],
        where=_where(channel, bridge_of.get(channel.id), leg is not None, str(talk_bridge(call))),
        caller=naming.caller_of(channel),
        dialled=naming.dialled(channel),
        endpoint=naming.endpoint_of(channel),
        arrived_at=naming.arrived_at(channel),
    )


def _where(channel: Channel, bridge: Bridge | None, is_leg: bool, talk: str) -> Whereabouts:
    if bridge is not None and bridge.id == talk and len(bridge.channels) > 1:
        return Whereabouts.TALKING
    if bridge is not None and bridge.bridge_type == "holding":
        return Whereabouts.WAITING
    return Whereabouts.RINGING if is_leg and channel.state != "Up" else Whereabouts.ALONE
