"""The simulated Asterisk's channels: what people do with them, and what is told of it, a bit later."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from callflow.core.events import (
    CallArrived,
    Caller,
    CallerGone,
    CallerReturned,
    CitizenAnswered,
    CitizenNotReached,
    CommandFailed,
    EndpointReported,
    Event,
    LegGone,
    PlaybackEnded,
    SeenChannel,
    SnapshotTaken,
    SpeechHeard,
    Whereabouts,
)
from callflow.core.ids import CallId, ChannelId, EndpointName, OfferId, offer_channel
from callflow.core.requests import CodeCallGone, CodeDialled, OperatorKeyPressed

from .centre import TRUNK
from .legs import CallerLeg, CitizenLeg, PersonLeg
from .phones import HUNG_UP, SimulatedPhone
from .schedule import Schedule

_PATIENCE_SECONDS = 8.0
"""Who dialled a feature code and is told nothing hangs up."""


class Post(Protocol):
    """Takes an event, made at the moment of its delivery."""

    def __call__(self, make: Callable[[datetime], Event]) -> None: ...


class Channels:
    """Callers, legs to phones, citizens who are called back, and dialled feature codes.

    Events of one channel stay in order; those of different channels may overtake each other, as Asterisk's do.

    Attributes:
        connected: False = what happens is told to nobody.
    """

    def __init__(self, schedule: Schedule, rng: random.Random, post: Post, phones: dict[str, SimulatedPhone]) -> None:
        self.schedule = schedule
        self.phones = phones
        self.callers: dict[CallId, CallerLeg] = {}
        self.legs: dict[OfferId, PersonLeg] = {}
        self.citizens: dict[CallId, CitizenLeg] = {}
        self.codes: dict[ChannelId, str] = {}
        self.connected = True
        self._rng = rng
        self._post = post
        self._told: dict[str, datetime] = {}
        self._code_calls = 0
        self._longest_silence_seconds = 0.0

    # --- callers ----------------------------------------------------------------------------------------------------

    def arrive(self, leg: CallerLeg) -> None:
        """A citizen's call enters the application."""
        self.callers[leg.call] = leg
        self._listen(leg)

    def hang_up(self, call: CallId, cause: int = HUNG_UP) -> None:
        """The citizen hangs up, or the line to one who is called back is given up."""
        citizen = self.citizens.pop(call, None)
        if citizen is not None:
            self._tell(citizen.channel, CitizenNotReached, call=call, cause=cause)
        leg = self.callers.pop(call, None)
        if leg is None:
            return
        self._listen(leg)
        if leg.ours:
            if leg.playing is not None:
                self._tell(leg.channel, PlaybackEnded, call=call, playback=leg.playing)
            self._tell(leg.channel, CallerGone, call=call, cause=cause)

    def speak(self, call: CallId) -> None:
        """The caller says something for the first time."""
        leg = self.callers.get(call)
        if leg is not None and leg.ours and not leg.spoke:
            leg.spoke = True
            self._tell(leg.channel, SpeechHeard, call=call)

    def take_back(self, call: CallId) -> None:
        """The caller leaves our application for the dialplan."""
        caller = self.callers[call]
        self._listen(caller)
        caller.ours = False
        caller.playing = None
        self._tell(caller.channel, CallerReturned, call=call)

    def offer_again(self, call: CallId, step: str) -> None:
        """The dialplan offers a call that it has to the engine."""
        caller = self.callers[call]
        caller.ours = True
        caller.playing = None
        caller.where = Whereabouts.ALONE
        self._listen(caller)
        self._enter(caller, step)

    def _enter(self, caller: CallerLeg, step: str | None) -> None:
        self._tell(
            caller.channel,
            CallArrived,
            call=caller.call,
            channel=caller.channel,
            caller=caller.caller,
            dialled=caller.dialled,
            trunk=TRUNK,
            arrived_at=caller.arrived_at,
            step=step,
        )

    # --- phones -----------------------------------------------------------------------------------------------------

    def leave_leg(self, offer: OfferId, cause: int) -> None:
        """A phone's leg ends."""
        leg = self.legs.pop(offer, None)
        if leg is None:
            return
        self.phones[leg.phone].legs.discard(offer)
        self._tell(str(offer), LegGone, call=leg.call, offer=offer, cause=cause)
        self._listen_again(leg.call)

    def press(self, offer: OfferId, key: str) -> None:
        """A key on an answered leg of an operator."""
        leg = self.legs.get(offer)
        if leg is not None and leg.where is not Whereabouts.RINGING:
            self._tell(str(offer), OperatorKeyPressed, call=leg.call, offer=offer, key=key)

    def say(self, offer: OfferId) -> None:
        """Something is said on a leg: told of outside ones alone."""
        leg = self.legs.get(offer)
        if leg is not None and leg.watched and leg.where is not Whereabouts.RINGING:
            self._tell(str(offer), SpeechHeard, call=leg.call, offer=offer)

    def dial_code(self, endpoint: str, code: str) -> ChannelId:
        """A phone dials a feature code."""
        self._code_calls += 1
        channel = ChannelId(f"{endpoint}-code-{self._code_calls}")
        self.codes[channel] = endpoint
        self.phones[endpoint].codes.add(channel)
        self.report(endpoint)
        self._tell(channel, CodeDialled, endpoint=EndpointName(endpoint), channel=channel, code=code)
        self.schedule.after(_PATIENCE_SECONDS, lambda: self.end_code(channel))
        return channel

    def end_code(self, channel: ChannelId) -> None:
        """The channel of a dialled code ends, whoever ends it."""
        endpoint = self.codes.pop(channel, None)
        if endpoint is not None:
            self.phones[endpoint].codes.discard(channel)
            self._tell(channel, CodeCallGone, channel=channel)
            self.report(endpoint)

    def report(self, endpoint: str) -> None:
        """Tell how a phone stands."""
        phone = self.phones[endpoint]
        channels = (*map(offer_channel, sorted(phone.legs)), *sorted(phone.codes), *sorted(phone.foreign))
        self._tell(endpoint, EndpointReported, endpoint=EndpointName(endpoint), online=phone.online, channels=channels)

    # --- the whole --------------------------------------------------------------------------------------------------

    def snapshot(self, at: datetime) -> SnapshotTaken:
        """All channels of our calls. A citizen who is called back is no call's before the recording has begun.

        Who is alone in a talk or a consultation is alone.
        """
        nobody = Caller(number=None, raw="")
        channels = [
            SeenChannel(
                call=leg.call,
                channel=leg.channel,
                offer=None,
                where=self._in_company(leg),
                caller=leg.caller,
                dialled=leg.dialled,
                endpoint=TRUNK,
                arrived_at=leg.arrived_at,
            )
            for leg in self.callers.values()
            if leg.ours
        ]
        channels += [
            SeenChannel(
                call=leg.call,
                channel=offer_channel(leg.offer),
                offer=leg.offer,
                where=self._in_company(leg),
                caller=nobody,
                dialled="",
                endpoint=leg.endpoint,
                arrived_at=at,
            )
            for leg in self.legs.values()
        ]
        elsewhere = tuple(leg.channel for leg in self.callers.values() if not leg.ours)
        return SnapshotTaken(at=at, channels=tuple(channels), elsewhere=elsewhere)

    def take_up(self) -> None:
        """What the edge does beside the snapshot: tells again of citizens who answered, and ends dialled codes."""
        for citizen in self.citizens.values():
            if citizen.answered_at is not None:
                self._tell(citizen.channel, CitizenAnswered, call=citizen.call, channel=citizen.channel)
        for channel in tuple(self.codes):
            self.end_code(channel)

    def _in_company(self, leg: CallerLeg | PersonLeg) -> Whereabouts:
        if leg.where not in (Whereabouts.TALKING, Whereabouts.CONSULTING):
            return leg.where
        there = [other for other in self.legs.values() if (other.call, other.where) == (leg.call, leg.where)]
        caller = self.callers.get(leg.call)
        callers = [caller] if caller is not None and caller.ours and caller.where is leg.where else []
        return leg.where if len(there) + len(callers) > 1 else Whereabouts.ALONE

    def longest_silence_seconds(self) -> float:
        """The longest silence that any caller has met, present or gone."""
        for caller in tuple(self.callers.values()):
            self._listen(caller)
        return self._longest_silence_seconds

    def _listen(self, caller: CallerLeg) -> None:
        caller.listen(self.legs.values(), self.schedule.now)
        self._longest_silence_seconds = max(self._longest_silence_seconds, caller.longest_silence_seconds)

    def _listen_again(self, call: CallId) -> None:
        caller = self.callers.get(call)
        if caller is not None:
            self._listen(caller)

    def _tell(self, stream: str, event: type[Event], /, **fields: object) -> None:
        """Deliver an event soon, after those of the same channel before it."""
        if not self.connected and event is not CommandFailed:
            return
        soonest = self.schedule.now + timedelta(seconds=self._rng.uniform(0.001, 0.02))
        moment = max(soonest, self._told.get(stream, soonest))
        self._told[stream] = moment
        self.schedule.at(moment, lambda: self._post(lambda at: event(at=at, **fields)))  # type: ignore[arg-type]
