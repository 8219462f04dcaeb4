"""What happened, past tense, each with the time at which it was learnt: the city's data, phones, callers, legs.

With `requests` (what people ask) and `reports` (what others witnessed) this is everything the Switchboard ever learns.
An event is journalled before anybody relies on it, so it holds all that a decision needs. Late events (about a call
or leg that is gone) are legal and change nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from callflow.core.city import CentreSettings, Classification, OperatorProfile, Roster
from callflow.core.ids import (
    BridgeId,
    CallId,
    ChannelId,
    EndpointName,
    OfferId,
    PlaybackId,
)
from callflow.core.timers import Timer


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls, as the trunk says; normalised once at the edge.

    Attributes:
        number: E.164 with '+', or None: unknown. Unknown callers are never pooled.
        raw: what the trunk sent, at most 128 characters, control characters replaced.
    """

    number: str | None
    raw: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Root of all events. `at` is aware UTC, given by the shell."""

    at: datetime


# --- the city's data ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsChanged(Event):
    """The centre's settings have a new version."""

    settings: CentreSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowPublished(Event):
    """A flow that validated clean is in force for calls that arrive from now on.

    Attributes:
        version: counts up from 1 in this centre.
        document: the flow as JSON text.
    """

    version: int
    document: str
    published_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorChanged(Event):
    """An operator was added or changed; `active` False retires the person after the present call."""

    profile: OperatorProfile
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterChanged(Event):
    """The roster of shifts has a new version."""

    roster: Roster


# --- people and phones ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointReported(Event):
    """Asterisk's word on an operator's phone.

    Attributes:
        online: it is registered.
        channels: every channel on it now, ours and others'.
    """

    endpoint: EndpointName
    online: bool
    channels: tuple[ChannelId, ...] = ()


# --- the caller's leg -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CallArrived(Event):
    """A citizen's call is ours: claimed, and in our application.

    Attributes:
        arrived_at: when the dialplan met the call; the clock of every figure starts here.
        step: where the call was when somebody handed it back to the dialplan; None on a first arrival.
    """

    call: CallId
    channel: ChannelId
    caller: Caller
    dialled: str
    trunk: str
    arrived_at: datetime
    step: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrunkHeadersRead(Event):
    """Headers of the INVITE that are kept with the call, as (name, value)."""

    call: CallId
    headers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPressed(Event):
    """The caller pressed a key: 0-9, *, #, A-D."""

    call: CallId
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybackEnded(Event):
    """A playback came to its end, was stopped, or could not be played.

    Attributes:
        prompt: of a failed one, which prompt it was: `<language>/<name>`; '' = not told.
    """

    call: CallId
    playback: PlaybackId
    failed: bool = False
    prompt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerGone(Event):
    """The caller's channel is gone; `cause` is Q.850. Asterisk itself may have ended, and all its calls with it."""

    call: CallId
    cause: int
    asterisk_ended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerReturned(Event):
    """The caller went back to the dialplan without our asking: a watchdog's doing, or an administrator's."""

    call: CallId


@dataclass(frozen=True, slots=True, kw_only=True)
class PastDisposition:
    """What an earlier call of a number was, as an operator confirmed."""

    at: datetime
    classification: Classification


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerHistory:
    """What is known of a number, from the local read model.

    Attributes:
        calls: earlier calls of this number.
        dispositions: confirmed ones, latest first, at most 50.
        centre_pranks, centre_calls: among the centre's confirmed calls of the last months, for the prior; ghosts and
            unclassified calls are in neither.
    """

    calls: int = 0
    last_call_at: datetime | None = None
    dispositions: tuple[PastDisposition, ...] = ()
    centre_pranks: int = 0
    centre_calls: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerHistoryKnown(Event):
    """The look-up's answer, at most 20 ms after it was asked for; `history` None = no answer in time."""

    call: CallId
    history: CallerHistory | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechHeard(Event):
    """Speech was heard on a channel for the first time since it was answered; `offer` None = the caller's."""

    call: CallId
    offer: OfferId | None = None


# --- the citizen's leg of an outbound call -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CitizenAnswered(Event):
    """The citizen of a call-back answered; the dialplan has still to begin the recording."""

    call: CallId
    channel: ChannelId


@dataclass(frozen=True, slots=True, kw_only=True)
class CitizenNotReached(Event):
    """The citizen of a call-back did not answer, or the line could not be had; `cause` is Q.850."""

    call: CallId
    cause: int


# --- legs to operators and destinations -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferRang(Event):
    """The offered phone rings."""

    call: CallId
    offer: OfferId


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferAnswered(Event):
    """The offered phone was answered and waits to be joined."""

    call: CallId
    offer: OfferId


@dataclass(frozen=True, slots=True, kw_only=True)
class LegGone(Event):
    """An offered leg is gone, whatever its state was; always the leg's last event. `cause` is Q.850."""

    call: CallId
    offer: OfferId
    cause: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LegJoined(Event):
    """A channel entered the call's talk bridge or its consult bridge."""

    call: CallId
    channel: ChannelId
    bridge: BridgeId


# --- what the shell reports -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerFired(Event):
    """A timer that the core had started came due."""

    timer: Timer


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandFailed(Event):
    """A command could not be carried out.

    Attributes:
        command: the command's class name.
        offer: the offer it was about, where it was. playback, channel: likewise.
        reason: for people, without personal data.
    """

    call: CallId
    command: str
    reason: str
    offer: OfferId | None = None
    playback: PlaybackId | None = None
    channel: ChannelId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionFailed(Event):
    """The Switchboard raised on the event before this one, and is as it was before that.

    Attributes:
        call: which that event was about, also where it was a timer's.
        event: that event's class name.
        error: the exception's class and message, without personal data.
        channel: the caller's, where the event was an arrival: nothing else is known of that call.
    """

    call: CallId | None
    event: str
    error: str
    channel: ChannelId | None = None


class Whereabouts(StrEnum):
    """Where Asterisk says a channel is."""

    RINGING = "ringing"
    ALONE = "alone"
    WAITING = "waiting"
    TALKING = "talking"
    CONSULTING = "consulting"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenChannel:
    """One channel of our application in a snapshot: a caller's, or an offered leg's.

    Attributes:
        endpoint: the phone or trunk in Asterisk that the channel belongs to.
    """

    call: CallId
    channel: ChannelId
    offer: OfferId | None
    where: Whereabouts
    caller: Caller
    dialled: str
    endpoint: str
    arrived_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotTaken(Event):
    """What Asterisk knows just after a connect. It is the truth: what is not in it is gone.

    Attributes:
        channels: of our application, and legs that we offered.
        elsewhere: callers' channels that the dialplan has, or another application.
        asterisk_since: when Asterisk started, by our clock: no call of before can be there. None = it was not asked.
    """

    channels: tuple[SeenChannel, ...]
    elsewhere: tuple[ChannelId, ...] = ()
    asterisk_since: datetime | None = None
