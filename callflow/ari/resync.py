"""Takes stock after a connect: every channel of our application, and where Asterisk has it.

Two kinds are no call's yet, and would hang in silence if nobody took them up. A citizen who has answered is told of
again: an order to go on to the dialplan may be repeated. A dialled feature code is not: carried out twice, *41 would
call a citizen twice. Its channel is to be ended, and the operator, who heard no confirmation, dials again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from callflow.ari import naming
from callflow.ari.connection import AriConnection
from callflow.ari.protocol import applications, bridges, channels
from callflow.ari.protocol.models import Bridge, Channel
from callflow.ari.wire import Wire
from callflow.core.events import CitizenAnswered, SeenChannel, SnapshotTaken, Whereabouts
from callflow.core.ids import CallId, ChannelId, consult_bridge, talk_bridge


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """What Asterisk has of ours.

    Attributes:
        snapshot: the calls'.
        citizens: those who answered and wait to be sent on.
        codes: channels of dialled feature codes.
    """

    snapshot: SnapshotTaken
    citizens: tuple[CitizenAnswered, ...]
    codes: tuple[ChannelId, ...]


async def take_stock(connection: AriConnection, wire: Wire) -> Stock:
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
    in_ours = frozenset(application.channel_ids)
    codes = tuple(ChannelId(one.id) for one in all_channels if one.id in in_ours and naming.code_of(one) is not None)
    seen = (_seen(one, in_ours, bridge_of) for one in all_channels if one.id not in codes)
    return Stock(
        snapshot=SnapshotTaken(at=wire.now(), channels=tuple(one for one in seen if one is not None)),
        citizens=tuple(
            CitizenAnswered(at=wire.now(), call=call, channel=ChannelId(one.id))
            for one in all_channels
            if one.id in in_ours and one.state == "Up" and (call := naming.uncalled_citizen(one)) is not None
        ),
        codes=codes,
    )


def _seen(channel: Channel, ours: frozenset[str], bridge_of: Mapping[str, Bridge]) -> SeenChannel | None:
    leg = naming.offered_leg(channel)
    call = leg[0] if leg is not None else naming.call_of(channel)
    if call is None or (leg is None and channel.id not in ours):
        return None
    return SeenChannel(
        call=call,
        channel=ChannelId(channel.id),
        offer=None if leg is None else leg[1],
        where=_where(channel, bridge_of.get(channel.id), leg is not None, call),
        caller=naming.caller_of(channel),
        dialled=naming.dialled(channel),
        endpoint=naming.endpoint_of(channel),
        arrived_at=naming.arrived_at(channel),
    )


def _where(channel: Channel, bridge: Bridge | None, is_leg: bool, call: CallId) -> Whereabouts:
    if bridge is not None and len(bridge.channels) > 1 and bridge.id == talk_bridge(call):
        return Whereabouts.TALKING
    if bridge is not None and len(bridge.channels) > 1 and bridge.id == consult_bridge(call):
        return Whereabouts.CONSULTING
    if bridge is not None and bridge.bridge_type == "holding":
        return Whereabouts.WAITING
    return Whereabouts.RINGING if is_leg and channel.state != "Up" else Whereabouts.ALONE
