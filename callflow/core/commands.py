"""What to do, imperative: all that the Switchboard asks of the shell. A command may be carried out twice."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from callflow.core.city import Destination
from callflow.core.facts import Fact
from callflow.core.ids import BridgeId, CallId, CentreId, ChannelId, EndpointName, OfferId, PlaybackId, RequestId
from callflow.core.timers import Timer


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Root of all commands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCommand(Command):
    """A command about one call: carried out in the call's own lane, in order."""

    call: CallId


class DialplanLabel(StrEnum):
    """Where a call goes that is handed back to the dialplan."""

    OFFER = "offer"
    FALLBACK = "fallback"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerCaller(CallCommand):
    """Answer the caller's channel, so that prompts and keys work on every trunk."""

    channel: ChannelId


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadTrunkHeaders(CallCommand):
    """Read the INVITE's headers that are kept; comes back as TrunkHeadersRead."""

    channel: ChannelId


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One prompt in one language."""

    name: str
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Play(CallCommand):
    """Play prompts to the caller, one after the other; comes back as PlaybackEnded."""

    channel: ChannelId
    playback: PlaybackId
    prompts: tuple[Prompt, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StopPlayback(CallCommand):
    """Stop a playback; one that ended by itself is no fault."""

    playback: PlaybackId


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldCaller(CallCommand):
    """Put the caller into the centre's waiting bridge, with music."""

    channel: ChannelId
    bridge: BridgeId


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferCall(CallCommand):
    """Ring an operator's phone for the caller.

    Attributes:
        ring_seconds: Asterisk's own limit, longer than the core's timer.
        caller_number: shown on the phone; None = unknown.
    """

    offer: OfferId
    caller_channel: ChannelId
    endpoint: EndpointName
    ring_seconds: float
    caller_number: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DialDestination(CallCommand):
    """Ring a number outside for the caller, with the citizen's number on it."""

    offer: OfferId
    caller_channel: ChannelId
    destination: Destination
    ring_seconds: float
    caller_number: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseLeg(CallCommand):
    """Hang up an offered leg, ringing or answered; one that is gone is no fault."""

    offer: OfferId


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinLegs(CallCommand):
    """Join the caller and an answered leg in the call's talk bridge; comes back as LegJoined, twice."""

    bridge: BridgeId
    caller_channel: ChannelId
    offer: OfferId


@dataclass(frozen=True, slots=True, kw_only=True)
class DestroyBridge(CallCommand):
    """Delete the call's talk bridge."""

    bridge: BridgeId


@dataclass(frozen=True, slots=True, kw_only=True)
class EndCall(CallCommand):
    """Hang up the caller: only after a person ended the call or an information branch came to its end."""

    channel: ChannelId


@dataclass(frozen=True, slots=True, kw_only=True)
class HandBack(CallCommand):
    """Give the caller back to the dialplan, which finds a person without us."""

    channel: ChannelId
    label: DialplanLabel
    step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareCentre(Command):
    """Make sure of the centre's waiting bridge and watch these phones."""

    bridge: BridgeId
    endpoints: tuple[EndpointName, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StartTimer(Command):
    """Start or move a timer."""

    timer: Timer
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelTimer(Command):
    """Cancel a timer; one that fired already is no fault."""

    timer: Timer


class Refusal(StrEnum):
    """Why a person's request was refused."""

    UNKNOWN_OPERATOR = "unknown_operator"
    NOT_SIGNED_IN = "not_signed_in"
    ON_CALL = "on_call"
    LAST_PRESENT = "last_present"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply(Command):
    """Answer a person's request; None = done."""

    request: RequestId
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(Command):
    """Tell the record and the live views what is now true."""

    fact: Fact
    centre: CentreId
