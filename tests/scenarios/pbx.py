"""A simulated Asterisk: carries out the core's commands on callers and phones, and tells what happened, a bit later."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush
from typing import Protocol

from callflow.core.commands import (
    AnswerCaller,
    CallCommand,
    DestroyBridge,
    DialDestination,
    EndCall,
    HandBack,
    HoldCaller,
    JoinLegs,
    OfferCall,
    Play,
    PrepareCentre,
    ReadTrunkHeaders,
    ReleaseLeg,
    StopPlayback,
)
from callflow.core.events import (
    CallArrived,
    Caller,
    CallerGone,
    CallerReturned,
    CommandFailed,
    EndpointReported,
    Event,
    LegGone,
    LegJoined,
    OfferAnswered,
    OfferRang,
    PlaybackEnded,
    SeenChannel,
    SnapshotTaken,
    TrunkHeadersRead,
    Whereabouts,
)
from callflow.core.ids import CallId, ChannelId, EndpointName, OfferId, PlaybackId, offer_channel

from .phones import HUNG_UP, Behaviour, SimulatedPhone

LONGEST_SILENCE_SECONDS = 10.0
"""DOMAIN.md: a caller who hears neither person, prompt, music nor ringback for longer is lost."""
_SECONDS_A_PROMPT = 1.5


class Schedule:
    """Virtual time: what is to happen, soonest first."""

    def __init__(self, start: datetime) -> None:
        self.start = start
        self.now = start
        self._entries: list[tuple[datetime, int, Callable[[], None]]] = []
        self._count = 0

    @property
    def seconds(self) -> float:
        """Since the start."""
        return (self.now - self.start).total_seconds()

    def at(self, moment: datetime, action: Callable[[], None]) -> None:
        """Do this then."""
        self._count += 1
        heappush(self._entries, (max(moment, self.now), self._count, action))

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Do this after so many seconds."""
        self.at(self.now + timedelta(seconds=seconds), action)

    def run(self, seconds: float) -> None:
        """Let so many seconds pass."""
        end = self.now + timedelta(seconds=seconds)
        while self._entries and self._entries[0][0] <= end:
            self.now, _, action = heappop(self._entries)
            action()
        self.now = end


@dataclass
class CallerLeg:
    """A citizen's channel."""

    call: CallId
    channel: ChannelId
    caller: Caller
    arrived_at: datetime
    silent_since: datetime
    where: Whereabouts = Whereabouts.ALONE
    playing: PlaybackId | None = None
    ours: bool = True
    heard: list[str] = field(default_factory=list)
    longest_silence_seconds: float = 0.0


@dataclass
class PersonLeg:
    """A channel to a phone."""

    offer: OfferId
    call: CallId
    phone: str
    where: Whereabouts = Whereabouts.RINGING


class Post(Protocol):
    """Takes an event, made at the moment of its delivery."""

    def __call__(self, make: Callable[[datetime], Event]) -> None: ...


class SimulatedPbx:
    """Callers, phones, bridges.

    Events of one channel stay in order; those of different channels may overtake each other, as Asterisk's do.

    Attributes:
        failing: how often each command still fails, by class name.
        silent_prompts: playbacks end as failed.
        connected: False = what happens is told to nobody.
    """

    def __init__(self, schedule: Schedule, rng: random.Random, post: Post, phones: dict[str, SimulatedPhone]) -> None:
        self._schedule = schedule
        self._rng = rng
        self._post = post
        self.phones = phones
        self.callers: dict[CallId, CallerLeg] = {}
        self.legs: dict[OfferId, PersonLeg] = {}
        self.failing: Counter[str] = Counter()
        self.silent_prompts = False
        self.connected = True
        self._told: dict[str, datetime] = {}

    # --- what people do ---------------------------------------------------------------------------------------------

    def arrive(self, leg: CallerLeg) -> None:
        """A citizen's call enters the application."""
        self.callers[leg.call] = leg
        self._listen(leg)

    def hang_up(self, call: CallId, cause: int = HUNG_UP) -> None:
        """The caller hangs up."""
        leg = self.callers.pop(call, None)
        if leg is None:
            return
        self._listen(leg)
        if leg.ours:
            if leg.playing is not None:
                self._tell(leg.channel, PlaybackEnded, call=call, playback=leg.playing)
            self._tell(leg.channel, CallerGone, call=call, cause=cause)

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
        caller.where = Whereabouts.ALONE
        self._listen(caller)
        self._tell(
            caller.channel,
            CallArrived,
            call=call,
            channel=caller.channel,
            caller=caller.caller,
            dialled="112",
            trunk="trunk-city",
            arrived_at=caller.arrived_at,
            step=step,
        )

    def leave_leg(self, offer: OfferId, cause: int) -> None:
        """A phone's leg ends."""
        leg = self.legs.pop(offer, None)
        if leg is None:
            return
        self.phones[leg.phone].legs.discard(offer)
        self._tell(str(offer), LegGone, call=leg.call, offer=offer, cause=cause)
        self._listen_again(leg.call)

    def report(self, endpoint: str, *foreign: str) -> None:
        """Tell how a phone stands."""
        phone = self.phones[endpoint]
        channels = tuple(offer_channel(offer) for offer in sorted(phone.legs)) + tuple(map(ChannelId, foreign))
        self._tell(endpoint, EndpointReported, endpoint=EndpointName(endpoint), online=phone.online, channels=channels)

    def snapshot(self, at: datetime) -> SnapshotTaken:
        """All channels of our application."""
        nobody = Caller(number=None, raw="")
        seen = [
            SeenChannel(
                call=leg.call,
                channel=leg.channel,
                offer=None,
                where=leg.where,
                caller=leg.caller,
                dialled="112",
                endpoint="trunk-city",
                arrived_at=leg.arrived_at,
            )
            for leg in self.callers.values()
            if leg.ours
        ]
        seen += [
            SeenChannel(
                call=leg.call,
                channel=offer_channel(leg.offer),
                offer=leg.offer,
                where=leg.where,
                caller=nobody,
                dialled="",
                endpoint=leg.phone,
                arrived_at=at,
            )
            for leg in self.legs.values()
        ]
        return SnapshotTaken(at=at, channels=tuple(seen))

    # --- commands ---------------------------------------------------------------------------------------------------

    def execute(self, command: CallCommand | PrepareCentre) -> None:
        """Carry out one command."""
        name = type(command).__name__
        if isinstance(command, PrepareCentre):
            for endpoint in command.endpoints:
                self.report(endpoint)
            return
        if self.failing[name] > 0:
            self.failing[name] -= 1
            self._fail(command, "told to fail")
            return
        match command:
            case ReleaseLeg():
                if command.offer in self.legs:
                    self.leave_leg(command.offer, HUNG_UP)
                else:  # 404 is proof that it is gone
                    self._tell(str(command.offer), LegGone, call=command.call, offer=command.offer, cause=0)
            case DestroyBridge():
                self._empty_bridge(command.call)
            case _:
                caller = self.callers.get(command.call)
                if caller is not None and caller.ours:
                    self._with_caller(command, caller)
                elif isinstance(command, EndCall):  # 404 is proof that the caller is gone
                    self._tell(str(command.channel), CallerGone, call=command.call, cause=0)
                elif isinstance(command, JoinLegs | OfferCall | DialDestination):
                    self._fail(command, "the caller is gone")

    def _with_caller(self, command: CallCommand, caller: CallerLeg) -> None:
        match command:
            case AnswerCaller():
                pass
            case ReadTrunkHeaders():
                self._tell(caller.channel, TrunkHeadersRead, call=caller.call, headers=(("Diversion", "<sip:110>"),))
            case Play():
                self._play(command, caller)
            case StopPlayback():
                if caller.playing == command.playback:
                    self._end_playback(caller, command.playback)
            case HoldCaller():
                caller.where = Whereabouts.WAITING
            case OfferCall():
                self._ring(command, command.endpoint)
            case DialDestination():
                self._ring(command, command.destination.number)
            case JoinLegs():
                self._join(command, caller)
            case EndCall():
                self.hang_up(caller.call)
            case HandBack():
                self.take_back(caller.call)
            case _:
                raise AssertionError(f"the simulated PBX does not know {type(command).__name__}")
        self._listen(caller)

    def _play(self, command: Play, caller: CallerLeg) -> None:
        caller.playing = command.playback
        caller.heard += [f"{prompt.language}/{prompt.name}" for prompt in command.prompts]
        seconds = 0.01 if self.silent_prompts else _SECONDS_A_PROMPT * len(command.prompts)
        self._schedule.after(seconds, lambda: self._end_playback(caller, command.playback))

    def _end_playback(self, caller: CallerLeg, playback: PlaybackId) -> None:
        if caller.playing == playback and caller.call in self.callers:
            caller.playing = None
            self._listen(caller)
            failed = self.silent_prompts
            self._tell(caller.channel, PlaybackEnded, call=caller.call, playback=playback, failed=failed)

    def _ring(self, command: OfferCall | DialDestination, name: str) -> None:
        phone = self.phones[name]
        behaviour = phone.take(self._schedule.seconds)
        if not behaviour.registered:
            self._fail(command, "no contact is registered")
            return
        if command.offer in self.legs:
            raise AssertionError(f"leg {command.offer} is made twice")
        self.legs[command.offer] = PersonLeg(offer=command.offer, call=command.call, phone=name)
        phone.legs.add(command.offer)
        self._tell(str(command.offer), OfferRang, call=command.call, offer=command.offer)
        if behaviour.after_seconds is not None:
            self._schedule.after(behaviour.after_seconds, lambda: self._respond(command.offer, behaviour))
        self._schedule.after(command.ring_seconds, lambda: self._ring_out(command.offer))

    def _respond(self, offer: OfferId, behaviour: Behaviour) -> None:
        leg = self.legs.get(offer)
        if leg is None:
            return
        if not behaviour.answers:
            self.leave_leg(offer, behaviour.cause)
            return
        leg.where = Whereabouts.ALONE
        self._tell(str(offer), OfferAnswered, call=leg.call, offer=offer)
        if behaviour.talks_seconds is not None:
            self._schedule.after(behaviour.talks_seconds, lambda: self.leave_leg(offer, behaviour.cause))

    def _ring_out(self, offer: OfferId) -> None:
        leg = self.legs.get(offer)
        if leg is not None and leg.where is Whereabouts.RINGING:
            self.leave_leg(offer, 19)

    def _join(self, command: JoinLegs, caller: CallerLeg) -> None:
        leg = self.legs.get(command.offer)
        if leg is None:
            self._fail(command, "Channel not found")
            return
        caller.where = leg.where = Whereabouts.TALKING
        self._tell(caller.channel, LegJoined, call=caller.call, channel=caller.channel, bridge=command.bridge)
        channel = offer_channel(leg.offer)
        self._tell(str(leg.offer), LegJoined, call=caller.call, channel=channel, bridge=command.bridge)

    def _empty_bridge(self, call: CallId) -> None:
        caller = self.callers.get(call)
        if caller is not None and caller.where is Whereabouts.TALKING:
            caller.where = Whereabouts.ALONE
        for leg in self.legs.values():
            if leg.call == call and leg.where is Whereabouts.TALKING:
                leg.where = Whereabouts.ALONE
        self._listen_again(call)

    # --- what is told -----------------------------------------------------------------------------------------------

    def _fail(self, command: CallCommand, reason: str) -> None:
        name = type(command).__name__
        offer = getattr(command, "offer", None)
        playback = getattr(command, "playback", None)
        failed = {"command": name, "reason": reason, "offer": offer, "playback": playback}
        self._tell(f"rest {command.call}", CommandFailed, call=command.call, **failed)

    def _tell(self, stream: str, event: type[Event], /, **fields: object) -> None:
        """Deliver an event soon, after those of the same channel before it."""
        if not self.connected and event is not CommandFailed:
            return
        soonest = self._schedule.now + timedelta(seconds=self._rng.uniform(0.001, 0.02))
        moment = max(soonest, self._told.get(stream, soonest))
        self._told[stream] = moment
        self._schedule.at(moment, lambda: self._post(lambda at: event(at=at, **fields)))  # type: ignore[arg-type]

    # --- what callers hear ------------------------------------------------------------------------------------------

    def _listen_again(self, call: CallId) -> None:
        caller = self.callers.get(call)
        if caller is not None:
            self._listen(caller)

    def _listen(self, caller: CallerLeg) -> None:
        """Measure the caller's silence; to be called whenever what the caller hears may have changed."""
        now = self._schedule.now
        if caller.ours and caller.call in self.callers:
            silence = (now - caller.silent_since).total_seconds()
            caller.longest_silence_seconds = max(caller.longest_silence_seconds, silence)
        talking = (leg for leg in self.legs.values() if leg.call == caller.call)
        person = caller.where is Whereabouts.TALKING and any(leg.where is Whereabouts.TALKING for leg in talking)
        if person or caller.playing is not None or caller.where is Whereabouts.WAITING or not caller.ours:
            caller.silent_since = datetime.max.replace(tzinfo=now.tzinfo)
        elif caller.silent_since > now:
            caller.silent_since = now

    def longest_silence_seconds(self) -> float:
        """The longest silence that any present caller has met."""
        for caller in tuple(self.callers.values()):
            self._listen(caller)
        return max((caller.longest_silence_seconds for caller in self.callers.values()), default=0.0)
