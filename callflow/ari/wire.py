"""Translates what Asterisk says into the core's events. What means nothing for a call is left out here."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import PurePosixPath
from typing import Final

from callflow.ari import naming
from callflow.ari.keys import KeyBounds
from callflow.ari.protocol import event_types as ari
from callflow.ari.protocol.models import Channel, Endpoint
from callflow.ari.speech import Speech
from callflow.core.events import (
    CallArrived,
    CallerGone,
    CallerReturned,
    CitizenAnswered,
    CitizenNotReached,
    EndpointReported,
    Event,
    KeyPressed,
    LegGone,
    LegJoined,
    OfferAnswered,
    OfferRang,
    PlaybackEnded,
    SpeechHeard,
)
from callflow.core.ids import (
    BridgeId,
    CallId,
    ChannelId,
    EndpointName,
    PlaybackId,
    call_of_playback,
    outbound_call_of_channel,
)
from callflow.core.requests import CodeCallGone, CodeDialled, OperatorKeyPressed

_PJSIP: Final = "PJSIP"
_NORMAL_CLEARING: Final = 16
_REQUEST_TERMINATED: Final = 487
_SHUTDOWN_FLAG: Final = 4
"""AST_SOFTHANGUP_SHUTDOWN: Asterisk ends, or restarts, and hangs up every channel before."""
_NETWORK_OUT_OF_ORDER: Final = 38
_LAST_EVENTS: Final = 32
"""Among so many events the second copy of one is looked for; between them there are a few of other channels'."""


class Wire:
    """Translates events, in order.

    It remembers what Asterisk tells only once: the cause of a caller's hang-up stands in the request to hang up, for
    our subscription to the channel ends with StasisEnd, before ChannelDestroyed; and who was heard to speak.

    Attributes:
        now: the engine's clock.
        by_our_clock: the engine's time of a moment that Asterisk read from the machine's clock.
        speech: who was heard to speak.
        keys: how many keys each channel may press.
    """

    def __init__(
        self, now: Callable[[], datetime], by_our_clock: Callable[[datetime], datetime] = lambda moment: moment
    ) -> None:
        self.now = now
        self.by_our_clock = by_our_clock
        self._hangup_causes: dict[str, int] = {}
        self._citizens_gone: set[str] = set()
        self._shut_down: set[str] = set()
        self.speech = Speech()
        self.keys = KeyBounds(now)
        self._last: deque[ari.Event] = deque(maxlen=_LAST_EVENTS)

    def translate(self, event: ari.Event) -> Iterator[Event]:  # noqa: PLR0912 - one case a kind of event
        """The core's events for one of Asterisk's: none, or one."""
        if event in self._last:
            return  # an operator's leg is watched twice: by the phone's subscription and by its own
        self._last.append(event)
        match event:
            case ari.StasisStart(channel=channel):
                self.speech.answered(channel.id, event.timestamp)
                yield from self._started(channel)
            case ari.ChannelStateChange(channel=channel) if channel.state == "Ringing":
                leg = naming.offered_leg(channel)
                if leg is not None:
                    yield OfferRang(at=self.now(), call=leg[0], offer=leg[1])
            case ari.ChannelDtmfReceived(channel=channel, digit=digit):
                if self.keys.takes(channel.id, digit):
                    yield from self._pressed(channel, digit)
            case ari.ChannelTalkingStarted(channel=channel) | ari.ChannelTalkingFinished(channel=channel):
                if self.speech.is_first(event):
                    yield from self._spoke(channel)
            case ari.PlaybackFinished(playback=playback):
                of_call = call_of_playback(playback.id)
                if of_call is not None:
                    # What plays to somebody who hangs up ends as failed too.
                    heard = playback.target_uri.removeprefix("channel:") not in self._hangup_causes
                    failed = playback.state == "failed" and heard
                    ended = PlaybackId(playback.id)
                    prompt = _prompt_of(playback.media_uri) if failed else ""
                    yield PlaybackEnded(at=self.now(), call=of_call, playback=ended, failed=failed, prompt=prompt)
            case ari.ChannelEnteredBridge(channel=Channel() as channel, bridge=bridge):
                leg = naming.offered_leg(channel)
                call = leg[0] if leg is not None else naming.call_of(channel)
                if call is not None:
                    entered, into = ChannelId(channel.id), BridgeId(bridge.id)
                    yield LegJoined(at=self.now(), call=call, channel=entered, bridge=into)
            case ari.ChannelHangupRequest(channel=channel):
                self._hangup_causes[channel.id] = _requested_cause(event)
                if _by_shutdown(event):
                    self._shut_down.add(channel.id)
            case ari.StasisEnd(channel=channel):
                self.speech.over(channel.id)
                self.keys.over(channel.id)
                yield from self._left(channel)
            case ari.ChannelDestroyed(channel=channel, cause=cause):
                self.speech.over(channel.id)
                self.keys.over(channel.id)
                asked = self._hangup_causes.pop(channel.id, cause)
                yield from self._destroyed(channel, asked if channel.id in self._shut_down else cause or asked)
                self._shut_down.discard(channel.id)
            case ari.EndpointStateChange(endpoint=endpoint) | ari.PeerStatusChange(endpoint=endpoint):
                yield from self.report(endpoint)
            case _:
                pass

    def report(self, endpoint: Endpoint) -> Iterator[EndpointReported]:
        """Asterisk's word on a phone."""
        if endpoint.technology == _PJSIP:
            yield EndpointReported(
                at=self.now(),
                endpoint=EndpointName(endpoint.resource),
                online=endpoint.state == "online",
                channels=tuple(ChannelId(channel) for channel in endpoint.channel_ids),
            )

    def _started(self, channel: Channel) -> Iterator[Event]:
        leg = naming.offered_leg(channel)
        call = naming.call_of(channel)
        citizen = naming.uncalled_citizen(channel)
        code = naming.code_of(channel)
        own = ChannelId(channel.id)
        if leg is not None:
            yield OfferAnswered(at=self.now(), call=leg[0], offer=leg[1])
        elif code is not None:
            endpoint = EndpointName(naming.endpoint_of(channel))
            yield CodeDialled(at=self.now(), endpoint=endpoint, channel=own, code=code)
        elif citizen is not None:
            yield CitizenAnswered(at=self.now(), call=citizen, channel=own)
        elif call is not None:
            yield CallArrived(
                at=self.now(),
                call=call,
                channel=own,
                caller=naming.caller_of(channel),
                dialled=naming.dialled(channel),
                trunk=naming.endpoint_of(channel),
                arrived_at=self.by_our_clock(naming.arrived_at(channel)),
                step=naming.variable(channel, naming.STEP),
            )

    def _pressed(self, channel: Channel, key: str) -> Iterator[Event]:
        leg = naming.operator_leg(channel)
        call = self._caller(channel)
        if leg is not None:
            yield OperatorKeyPressed(at=self.now(), call=leg[0], offer=leg[1], key=key)
        elif call is not None:
            yield KeyPressed(at=self.now(), call=call, key=key)

    def _spoke(self, channel: Channel) -> Iterator[Event]:
        leg = naming.offered_leg(channel)
        call = self._caller(channel)
        if leg is not None:
            yield SpeechHeard(at=self.now(), call=leg[0], offer=leg[1])
        elif call is not None:
            yield SpeechHeard(at=self.now(), call=call)

    def _left(self, channel: Channel) -> Iterator[Event]:
        """A channel left our application: the caller hung up, or is back in the dialplan."""
        call = self._caller(channel)
        if call is None:
            return
        cause = self._hangup_causes.pop(channel.id, None)
        if cause is None:
            yield CallerReturned(at=self.now(), call=call)
        else:
            if outbound_call_of_channel(channel.id) is not None:
                self._citizens_gone.add(channel.id)
            ended = channel.id in self._shut_down
            self._shut_down.discard(channel.id)
            yield CallerGone(at=self.now(), call=call, cause=cause, asterisk_ended=ended)

    def _destroyed(self, channel: Channel, cause: int) -> Iterator[Event]:
        """The end of a channel that we made, or that a phone of ours made; of a caller's it is not told."""
        leg = naming.offered_leg(channel)
        outbound = outbound_call_of_channel(channel.id)
        if leg is not None:
            yield LegGone(at=self.now(), call=leg[0], offer=leg[1], cause=cause)
        elif naming.code_of(channel) is not None:
            yield CodeCallGone(at=self.now(), channel=ChannelId(channel.id))
        elif outbound is not None and naming.call_of(channel) is None:
            yield CitizenNotReached(at=self.now(), call=outbound, cause=cause)
        elif channel.id in self._citizens_gone:
            self._citizens_gone.discard(channel.id)
        elif outbound is not None:  # hung up in the dialplan, before or after the call was ours
            yield CallerGone(at=self.now(), call=outbound, cause=cause)

    def _caller(self, channel: Channel) -> CallId | None:
        """The call of which this is the caller's own channel: legs inherit the variable, but are no callers."""
        return None if naming.offered_leg(channel) is not None else naming.call_of(channel)


def _requested_cause(event: ari.ChannelHangupRequest) -> int:
    """Q.850 cause of a hang-up request: a BYE has none, a soft one (ours) a flag of Asterisk's, a CANCEL 127."""
    if _by_shutdown(event):
        return _NETWORK_OUT_OF_ORDER
    if event.soft or event.tech_cause == _REQUEST_TERMINATED:
        return _NORMAL_CLEARING
    return event.cause or _NORMAL_CLEARING


def _by_shutdown(event: ari.ChannelHangupRequest) -> bool:
    return bool(event.soft) and event.cause == _SHUTDOWN_FLAG


def _prompt_of(media_uri: str) -> str:
    """`<language>/<name>` of a prompt's path: the folder that all of them are in is nobody's news."""
    return "/".join(PurePosixPath(media_uri.removeprefix("sound:")).parts[-2:])
