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
        display: shown beside it, printable ASCII without quotes, at most 40 characters; '' = nothing.
    """

    offer: OfferId
    caller_channel: ChannelId
    endpoint: EndpointName
    ring_seconds: float
    caller_number: str | None
    display: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DialDestination(CallCommand):
    """Ring a number outside for the caller, with the citizen's number on it; speech on that leg is watched."""

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
class AddLeg(CallCommand):
    """Add an answered leg to a mixing bridge of the call, made where it is not there; comes back as LegJoined.

    Attributes:
        absorb_keys: an operator's keys are codes for us, never sounds for others.
    """

    bridge: BridgeId
    offer: OfferId
    absorb_keys: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AddCaller(CallCommand):
    """Bring the caller back from the waiting bridge into a mixing bridge of the call; comes back as LegJoined."""

    bridge: BridgeId
    channel: ChannelId


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordBridge(CallCommand):
    """Record a consultation: all in this mixing bridge (made where it is not there), until the bridge is deleted.

    Recorded already = done.

    Attributes:
        name: the file's name without suffix, below the recordings' directory: `<call>-consult-1`.
    """

    bridge: BridgeId
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Whisper(CallCommand):
    """Play prompts to an answered leg alone, the operator's: what became of a code, never heard by the caller.

    Nothing follows: a whisper that ends, or that fails, changes nothing.
    """

    offer: OfferId
    playback: PlaybackId
    prompts: tuple[Prompt, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUpCaller(CallCommand):
    """Look up what is known of a number in the local read model; comes back as CallerHistoryKnown."""

    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCitizen(CallCommand):
    """Ring the citizen of an outbound call, with the centre's number on it.

    Comes back as CitizenAnswered or CitizenNotReached.
    """

    channel: ChannelId
    destination: Destination
    ring_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginOutbound(CallCommand):
    """Send an answered citizen through the dialplan, which records the call and offers it to us: CallArrived."""

    channel: ChannelId


@dataclass(frozen=True, slots=True, kw_only=True)
class DestroyBridge(CallCommand):
    """Delete a bridge of the call's own: talk or consult."""

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
class AnswerCode(Command):
    """Tell the operator who dialled a feature code what became of it, then hang up that channel.

    Done outside the calls' lanes; a channel that is gone is no fault.
    """

    channel: ChannelId
    prompts: tuple[Prompt, ...]


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
    UNKNOWN_CODE = "unknown_code"
    UNKNOWN_REASON = "unknown_reason"
    NO_CALL = "no_call"
    NOT_NOW = "not_now"
    UNKNOWN_TARGET = "unknown_target"
    TARGET_NOT_READY = "target_not_ready"
    NO_OUTSIDE_TRUNK = "no_outside_trunk"
    PARTY_THERE = "party_there"
    NO_PARTY = "no_party"
    NOT_SPOKEN = "not_spoken"
    THREE_WAY_FIRST = "three_way_first"
    UNKNOWN_CALLBACK = "unknown_callback"
    NOT_YOURS = "not_yours"


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
