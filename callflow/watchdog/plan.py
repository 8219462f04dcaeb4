"""What to do with each channel while no engine is in charge: a decision on what Asterisk shows, without I/O.

Who talks is left alone. A leg that is unanswered, or that nobody is with any more, is hung up. Every caller who is with
nobody goes on to the dialplan, which offers the call to the engines again and finds a person if none claims it; so does
one who waits with music while operator and agency consult: they may talk for long, and nobody could bring them back.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Final

from callflow.ari import naming
from callflow.ari.protocol.models import Bridge, Channel
from callflow.core.ids import BridgeId, ChannelId, outbound_call_of_channel

_HELD_BY: Final = frozenset({"Stasis", "StasisBroadcast"})
"""The dialplan's applications in which a channel waits for an engine's orders."""
_CALLBACK: Final = "callback"
_FROM_TRUNK: Final = "from-trunk"
_TALK: Final = "talk"
_CONSULT: Final = "consult"
_OFFER: Final = "offer"
"""Where a call is offered to the engines again, as the same call with the same recording."""
WAITING: Final = "waiting"
TALKING: Final = "talking"
"""Steps on which the fallback takes a caller straight to people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendOn:
    """A caller to be sent on to `s` in a context of the dialplan.

    Attributes:
        name: of the channel, as Asterisk made it.
        label: there; None = its beginning.
        step: how far the caller was; '' = not known to be past the greeting.
        step_known: the channel says so already.
    """

    channel: ChannelId
    name: str
    context: str
    label: str | None
    step: str
    step_known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be done now.

    Attributes:
        release: channels to hang up, none of them a caller's.
        destroy: bridges of a talk or consultation that all have left: an engine whose journal lost its end would not
            know them.
    """

    release: tuple[ChannelId, ...] = ()
    send_on: tuple[SendOn, ...] = ()
    destroy: tuple[BridgeId, ...] = ()


def plan(channels: Sequence[Channel], bridges: Sequence[Bridge]) -> Plan:
    """Decide on each channel of an engine's, of the very same moment."""
    up = {one.id for one in channels if one.state == "Up" and _is_person(one)}
    talking = {
        channel
        for bridge in bridges
        if bridge.bridge_type == "mixing" and len(up.intersection(bridge.channels)) > 1
        for channel in bridge.channels
    }
    waiting = {channel for bridge in bridges if bridge.bridge_type == "holding" for channel in bridge.channels}
    had_person: set[str | None] = {
        leg[0] for one in channels if one.state == "Up" and (leg := naming.offered_leg(one)) is not None
    }
    had_person |= {call for bridge in bridges if (call := _call_of_talk(bridge)) is not None}
    alone = [one for one in channels if one.id not in talking]
    return Plan(
        release=tuple(ChannelId(one.id) for one in alone if _is_to_be_released(one)),
        send_on=tuple(_send_on(one, waiting, had_person) for one in alone if _is_caller(one)),
        destroy=tuple(BridgeId(one.id) for one in bridges if not one.channels and _part(one) in {_TALK, _CONSULT}),
    )


def _is_person(channel: Channel) -> bool:
    """A caller, an operator, an agency: no ear-piece, no recorder."""
    return naming.offered_leg(channel) is not None or _is_caller(channel)


def _is_caller(channel: Channel) -> bool:
    if naming.offered_leg(channel) is not None or channel.dialplan.app_name not in _HELD_BY:
        return False
    if naming.uncalled_citizen(channel) is not None:
        return channel.state == "Up"
    return naming.call_of(channel) is not None


def _is_to_be_released(channel: Channel) -> bool:
    if naming.offered_leg(channel) is not None:
        return True
    if naming.uncalled_citizen(channel) is not None:
        return channel.state != "Up"  # a citizen whom nobody here would talk with
    return naming.code_of(channel) is not None and channel.dialplan.app_name in _HELD_BY


def _send_on(channel: Channel, waiting: Container[str], had_person: Container[str | None]) -> SendOn:
    step = WAITING if channel.id in waiting else TALKING if naming.call_of(channel) in had_person else ""
    outbound = outbound_call_of_channel(channel.id) is not None
    return SendOn(
        channel=ChannelId(channel.id),
        name=channel.name,
        context=_CALLBACK if outbound else _FROM_TRUNK,
        label=None if outbound else _OFFER,  # the context of call-backs sees by itself how far it was
        step=step,
        step_known=step == (naming.variable(channel, naming.STEP) or ""),
    )


def _part(bridge: Bridge) -> str:
    """Which of its call's bridges this is; '' when it is no call's."""
    return bridge.id.rpartition(".")[2] if "." in bridge.id else ""


def _call_of_talk(bridge: Bridge) -> str | None:
    """The call whose talk this bridge is, or was."""
    return bridge.id.rpartition(".")[0] if _part(bridge) == _TALK else None
