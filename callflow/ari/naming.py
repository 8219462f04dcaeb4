"""Tells channels apart: a caller's leg, a leg that we offered, somebody else's; and what variables ride on them."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from callflow.ari.parsing import moment
from callflow.ari.protocol.models import Channel
from callflow.core.events import Caller
from callflow.core.ids import CallId, OfferId, offer_of_channel
from callflow.numbers import normalise

CALL_ID: Final = "CALLFLOW_ID"
ARRIVED: Final = "CALLFLOW_ARRIVED"
STEP: Final = "CALLFLOW_STEP"
DIALLED: Final = "CALLERID(dnid)"
_SAFE = re.compile(r"[A-Za-z0-9.-]{1,80}")
_ENDPOINT = re.compile(r"PJSIP/(.+)-[0-9a-f]+")


def offered_leg(channel: Channel) -> tuple[CallId, OfferId] | None:
    """The call and offer of a leg that we offered; None for any other channel."""
    return offer_of_channel(channel.id)


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
