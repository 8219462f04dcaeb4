"""Tells channels apart: a caller's, a leg that we offered, a citizen called back, a dialled code's, somebody else's.

What tells them is their id, where we chose it, and the variables that ride on their events.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from callflow.ari.parsing import moment
from callflow.ari.protocol.models import Channel
from callflow.core.events import Caller
from callflow.core.ids import CallId, OfferId, offer_of_channel, outbound_call_of_channel
from callflow.numbers import normalise

CALL_ID: Final = "CALLFLOW_ID"
ARRIVED: Final = "CALLFLOW_ARRIVED"
STEP: Final = "CALLFLOW_STEP"
CODE: Final = "CALLFLOW_CODE"
"""The feature code that an operator's phone dialled; only the dialplan's context for operators sets it."""
CALLBACK: Final = "CALLFLOW_CALLBACK"
"""The outbound call for which a citizen's channel was made; the dialplan makes CALLFLOW_ID of it."""
CITIZEN: Final = "CALLFLOW_CITIZEN"
"""The number that was called."""
TOLD: Final = "CALLFLOW_TOLD"
"""The files that tell an operator what became of a code, joined by `&`."""
TALK_DETECT: Final = "TALK_DETECT(set)"
TALK_DETECT_NO_MORE: Final = "TALK_DETECT(remove)"
QUIET_SECONDS: Final = 2.5
"""So long after the last sound speech is over; Asterisk tells it then."""
TALK_DETECTION: Final = f"{QUIET_SECONDS * 1000:.0f},256"
"""What counts as speech: sound that is louder than -42 dBFS on average over a frame. extensions.conf says so too."""
DIALLED: Final = "CALLERID(dnid)"
OPERATOR: Final = "op-"
"""How the endpoint of every operator's phone begins, and of nothing else."""
_SAFE = re.compile(r"[A-Za-z0-9.-]{1,80}")
_ENDPOINT = re.compile(r"PJSIP/(.+)-[0-9a-f]+")


def offered_leg(channel: Channel) -> tuple[CallId, OfferId] | None:
    """The call and offer of a leg that we offered; None for any other channel."""
    return offer_of_channel(channel.id)


def operator_leg(channel: Channel) -> tuple[CallId, OfferId] | None:
    """As `offered_leg`, for a leg to an operator's phone alone: the keys of nobody else are codes."""
    return offered_leg(channel) if endpoint_of(channel).startswith(OPERATOR) else None


def uncalled_citizen(channel: Channel) -> CallId | None:
    """The outbound call whose citizen's channel this is, as long as the dialplan has not begun the call."""
    return outbound_call_of_channel(channel.id) if call_of(channel) is None else None


def code_of(channel: Channel) -> str | None:
    """What an operator dialled, on the channel of a dialled feature code; None for any other channel."""
    return variable(channel, CODE) if offered_leg(channel) is None else None


def call_of(channel: Channel) -> CallId | None:
    """The call of a caller's channel, by the id that the dialplan made; None when it has none."""
    name = variable(channel, CALL_ID)
    return CallId(name) if name is not None and _SAFE.fullmatch(name) else None


def variable(channel: Channel, name: str) -> str | None:
    """A variable that rides on the channel's events; None when it is empty."""
    value = (channel.channelvars or {}).get(name)
    return value if isinstance(value, str) and value else None


def arrived_at(channel: Channel) -> datetime:
    """When the dialplan met the call; where its text cannot be read, when the channel was made."""
    try:
        return moment(variable(channel, ARRIVED) or "")
    except (ValueError, OverflowError):
        return channel.creationtime


def dialled(channel: Channel) -> str:
    """What the caller dialled, '' when it is not told; the dialplan's own place moves on with the call."""
    return variable(channel, DIALLED) or ""


def endpoint_of(channel: Channel) -> str:
    """The phone or trunk in Asterisk; '' when it is no PJSIP channel."""
    match = _ENDPOINT.fullmatch(channel.name)
    return match[1] if match else ""


def caller_of(channel: Channel) -> Caller:
    """Who calls, normalised."""
    return normalise(channel.caller.number)
