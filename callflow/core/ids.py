"""Names of things. Every id of a leg, bridge or playback derives from its call's, so any verb can be repeated."""

from __future__ import annotations

from typing import NewType

CallId = NewType("CallId", str)
"""One citizen's call, all its channels; made in the dialplan's first line, `[A-Za-z0-9.-]` only."""
CentreId = NewType("CentreId", str)
ChannelId = NewType("ChannelId", str)
BridgeId = NewType("BridgeId", str)
PlaybackId = NewType("PlaybackId", str)
OfferId = NewType("OfferId", str)
"""One ringing of one phone for one call; the channel of that leg carries the same text."""
OperatorId = NewType("OperatorId", str)
EndpointName = NewType("EndpointName", str)
"""A phone of ours in Asterisk: `op-<login>`, never a number."""
TrunkRoute = NewType("TrunkRoute", str)
"""A trunk's endpoint in Asterisk: `trunk-<name>`."""
RequestId = NewType("RequestId", str)
"""A person's request through the engine's port, answered by a Reply with the same id."""


def offer_id(call: CallId, number: int) -> OfferId:
    """The id of the call's `number`-th offer."""
    return OfferId(f"{call}.o{number}")


def offer_channel(offer: OfferId) -> ChannelId:
    """The channel of an offered leg."""
    return ChannelId(str(offer))


def offer_of_channel(channel: str) -> tuple[CallId, OfferId] | None:
    """The call and offer that a channel of ours belongs to; None when it is not an offered leg."""
    call, dot, number = channel.rpartition(".o")
    if not dot or not number.isdecimal():
        return None
    return CallId(call), OfferId(channel)


def talk_bridge(call: CallId) -> BridgeId:
    """The mixing bridge in which the call's parties talk."""
    return BridgeId(f"{call}.talk")


def consult_bridge(call: CallId) -> BridgeId:
    """The mixing bridge in which an operator consults another party while the caller waits with music."""
    return BridgeId(f"{call}.consult")


def callback_call(abandoned: CallId, number: int) -> CallId:
    """The outbound call that is the `number`-th attempt to reach an abandoned call's citizen."""
    return CallId(f"{abandoned}.b{number}")


def was_call_back_to(call: CallId) -> CallId | None:
    """The abandoned call that an outbound call's id names; None for the id of a citizen's own call."""
    abandoned, dot, number = call.rpartition(".b")
    return CallId(abandoned) if dot and number.isdecimal() else None


def citizen_channel(call: CallId) -> ChannelId:
    """The citizen's channel of an outbound call.

    Not the call's id itself: Asterisk refuses a new channel whose id is the beginning of a living one's, and the
    operator's leg's id begins with the call's.
    """
    return ChannelId(f"{call}.citizen")


def outbound_call_of_channel(channel: str) -> CallId | None:
    """The outbound call of a citizen's channel that we made; None for any other."""
    call, dot, last = channel.rpartition(".")
    return CallId(call) if dot and last == "citizen" else None


def call_of_bridge(bridge: str) -> CallId | None:
    """The call whose talk or consultation a bridge of ours holds; None for any other."""
    call, dot, part = bridge.rpartition(".")
    return CallId(call) if dot and part in {"talk", "consult"} else None


def waiting_bridge(centre: CentreId) -> BridgeId:
    """The holding bridge in which the centre's callers wait with music."""
    return BridgeId(f"waiting-{centre}")


def playback_id(call: CallId, number: int) -> PlaybackId:
    """The id of the call's `number`-th playback."""
    return PlaybackId(f"{call}.p{number}")


def call_of_playback(playback: str) -> CallId | None:
    """The call that a playback of ours belongs to."""
    call, dot, number = playback.rpartition(".p")
    return CallId(call) if dot and number.isdecimal() else None
