"""Takes stock after a connect: every channel of our application, and where Asterisk has it.

Two kinds are no call's yet, and would hang in silence if nobody took them up. A citizen who has answered is told of
again: an order to go on to the dialplan may be repeated. A dialled feature code is not: carried out twice, *41 would
call a citizen twice. Its channel is to be ended, and the operator, who heard no confirmation, dials again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from callflow.ari import naming
from callflow.ari.connection import AriConnection
from callflow.ari.errors import AriError
from callflow.ari.protocol import applications, asterisk, bridges, channels
from callflow.ari.protocol.models import Bridge, Channel
from callflow.ari.wire import Wire
from callflow.core.events import CitizenAnswered, SeenChannel, SnapshotTaken, Whereabouts
from callflow.core.ids import BridgeId, CallId, ChannelId, call_of_bridge, consult_bridge, talk_bridge


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """What Asterisk has of ours.

    Attributes:
        snapshot: the calls'.
        citizens: those who answered and wait to be sent on.
        codes: channels of dialled feature codes.
        left_over: bridges of calls that are over: whoever was to destroy them died first.
    """

    snapshot: SnapshotTaken
    citizens: tuple[CitizenAnswered, ...]
    codes: tuple[ChannelId, ...]
    left_over: tuple[BridgeId, ...]


async def take_stock(connection: AriConnection, wire: Wire) -> Stock:
    """Ask Asterisk for its channels and bridges.

    Raises:
        AriError: it could not be asked.
    """
    application, all_channels, all_bridges, since = await asyncio.gather(
        connection.request_list(applications.get(application_name=connection.application)),
        connection.request_list(channels.list_all()),
        connection.request_list(bridges.list_all()),
        _asterisk_since(connection, wire),
    )
    bridge_of = {channel: bridge for bridge in all_bridges for channel in bridge.channels}
    in_ours = frozenset(application.channel_ids)
    codes = tuple(ChannelId(one.id) for one in all_channels if one.id in in_ours and naming.code_of(one) is not None)
    seen = (_seen(one, in_ours, bridge_of, wire) for one in all_channels if one.id not in codes)
    return Stock(
        snapshot=SnapshotTaken(
            at=wire.now(),
            channels=tuple(one for one in seen if one is not None),
            elsewhere=tuple(ChannelId(one.id) for one in all_channels if _is_elsewhere(one, in_ours)),
            asterisk_since=since,
        ),
        citizens=tuple(
            CitizenAnswered(at=wire.now(), call=call, channel=ChannelId(one.id))
            for one in all_channels
            if one.id in in_ours and one.state == "Up" and (call := naming.uncalled_citizen(one)) is not None
        ),
        codes=codes,
        left_over=_left_over(all_bridges, all_channels),
    )


def _left_over(all_bridges: Iterable[Bridge], all_channels: Iterable[Channel]) -> tuple[BridgeId, ...]:
    """Empty bridges of calls of which no channel is there any more, the caller's own included."""
    there = {naming.call_of(one) for one in all_channels} | {
        leg[0] for one in all_channels if (leg := naming.offered_leg(one))
    }
    return tuple(
        BridgeId(bridge.id)
        for bridge in all_bridges
        if not bridge.channels and (call := call_of_bridge(bridge.id)) is not None and call not in there
    )


async def _asterisk_since(connection: AriConnection, wire: Wire) -> datetime | None:
    """When Asterisk started; the calls do not wait for it where it is not told."""
    try:
        status = (await connection.request(asterisk.get_info(only=("status",)))).status
    except AriError:
        return None
    return None if status is None else wire.by_our_clock(status.startup_time)


def _is_elsewhere(channel: Channel, ours: frozenset[str]) -> bool:
    """Whether a call's channel is in other hands: sent on while we were away, or handed back by us."""
    return channel.id not in ours and naming.offered_leg(channel) is None and naming.call_of(channel) is not None


def _seen(channel: Channel, ours: frozenset[str], bridge_of: Mapping[str, Bridge], wire: Wire) -> SeenChannel | None:
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
        arrived_at=wire.by_our_clock(naming.arrived_at(channel)),
    )


def _where(channel: Channel, bridge: Bridge | None, is_leg: bool, call: CallId) -> Whereabouts:
    if bridge is not None and len(bridge.channels) > 1 and bridge.id == talk_bridge(call):
        return Whereabouts.TALKING
    if bridge is not None and len(bridge.channels) > 1 and bridge.id == consult_bridge(call):
        return Whereabouts.CONSULTING
    if bridge is not None and bridge.bridge_type == "holding":
        return Whereabouts.WAITING
    return Whereabouts.RINGING if is_leg and channel.state != "Up" else Whereabouts.ALONE
