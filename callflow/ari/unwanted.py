"""Names the events that Asterisk is not to tell us, filtered at the source."""

from __future__ import annotations

from typing import Final

from callflow.ari.protocol import applications, models
from callflow.ari.request import Request

UNWANTED_EVENTS: Final = (
    "ChannelVarset",
    "ChannelDialplan",
    "ChannelCallerId",
    "ChannelConnectedLine",
    "BridgeCreated",
    "BridgeDestroyed",
    "PlaybackStarted",
    "PlaybackContinuing",
    "ContactStatusChange",
    "Dial",
)
"""A list of *allowed* events would swallow the answers to our requests (RESTResponse)."""


def leave_out_unwanted(application: str) -> Request[models.Application]:
    """The request that sets an application's filter; Asterisk forgets it with each websocket."""
    unwanted = {"disallowed": [{"type": name} for name in UNWANTED_EVENTS]}
    return applications.filter(application_name=application, filter=unwanted)
