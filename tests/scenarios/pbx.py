"""A simulated Asterisk: carries out the core's commands on callers, phones and bridges."""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime, timedelta

from callflow.core.commands import (
    AddCaller,
    AddLeg,
    AnswerCaller,
    AnswerCode,
    BeginOutbound,
    CallCitizen,
    CallCommand,
    Command,
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
    RecordBridge,
    ReleaseLeg,
    StopPlayback,
    Whisper,
)
from callflow.core.events import (
    Caller,
    CallerGone,
    CitizenAnswered,
    CommandFailed,
    LegGone,
    LegJoined,
    OfferAnswered,
    OfferRang,
    PlaybackEnded,
    TrunkHeadersRead,
    Whereabouts,
)
from callflow.core.ids import (
    BridgeId,
    CallId,
    OfferId,
    PlaybackId,
    consult_bridge,
    offer_channel,
    outbound_call_of_channel,
    talk_bridge,
)

from .channels import Channels, Post
from .legs import CallerLeg, CitizenLeg, PersonLeg
from .phones import HUNG_UP, NO_ANSWER, Behaviour, SimulatedPhone, unregistered
from .schedule import Schedule

_SECONDS_A_PROMPT = 1.5
_MOVES = (HoldCaller, JoinLegs, AddCaller)
_NEEDS_A_CALLER = (JoinLegs, OfferCall, DialDestination, AddCaller)


class SimulatedPbx(Channels):
    """Callers, phones, bridges.

    Who enters a bridge leaves the one before; a bridge that is deleted leaves its channels alone.

    Attributes:
        failing: how often each command still fails, by class name.
        silent_prompts: playbacks end as failed.
        bridges: the calls' own that exist.
        recordings: names of files of bridges, finished or not.
    """

    def __init__(self, schedule: Schedule, rng: random.Random, post: Post, phones: dict[str, SimulatedPhone]) -> None:
        super().__init__(schedule, rng, post, phones)
        self.failing: Counter[str] = Counter()
        self.silent_prompts = False
        self.bridges: set[BridgeId] = set()
        self.recordings: list[str] = []

    def blocked_until(self, command: Command) -> datetime | None:
        """When Asterisk gets round to a command: it moves no channel to which a prompt plays."""
        if not isinstance(command, _MOVES):
            return None
        caller = self.callers.get(command.call)
        return caller.plays_until if caller is not None and caller.playing is not None else None

    def excuse_silence(self, before: float) -> None:
        """Whoever heard nothing until now is not to be held against the engine; `before` = the longest until then."""
        self._longest_silence_seconds = before
        for caller in self.callers.values():
            caller.longest_silence_seconds = min(caller.longest_silence_seconds, before)
            caller.silent_since = max(caller.silent_since, self.schedule.now)

    def execute(self, command: CallCommand | PrepareCentre | AnswerCode) -> None:
        """Carry out one command."""
        if isinstance(command, PrepareCentre):
            for endpoint in command.endpoints:
                self.report(endpoint)
            return
        name = type(command).__name__
        if self.failing[name] > 0:
            self.failing[name] -= 1
            if isinstance(command, CallCommand):
                self._fail(command, "told to fail")
        elif isinstance(command, AnswerCode):
            self._answer_code(command)
        else:
            self._of_call(command)

    def _of_call(self, command: CallCommand) -> None:  # noqa: PLR0912 - one case a command
        match command:
            case ReleaseLeg():
                self._release(command)
            case DestroyBridge():
                self._destroy(command.bridge, command.call)
            case RecordBridge():
                self._place(command.bridge, command.call)
                if command.name not in self.recordings:
                    self.recordings.append(command.name)
            case AddLeg():
                self._add_leg(command, command.offer, command.bridge)
            case Whisper():
                self._whisper(command)
            case OfferCall() if outbound_call_of_channel(command.caller_channel) is not None:
                self._ring(command, command.endpoint)
            case CallCitizen():
                self._call_citizen(command)
            case BeginOutbound() if command.call in self.citizens:
                self._begin_outbound(command)
            case HandBack() if command.call in self.citizens:
                self.arrive(self._from_dialplan(command.call, ours=False))
            case EndCall() if command.call in self.citizens:
                self.hang_up(command.call)
            case _:
                caller = self.callers.get(command.call)
                if caller is not None and caller.ours:
                    self._with_caller(command, caller)
                elif isinstance(command, EndCall):  # 404 is proof that the caller is gone
                    self._tell(str(command.channel), CallerGone, call=command.call, cause=0)
                elif isinstance(command, _NEEDS_A_CALLER):
                    self._fail(command, "the caller is gone")
        self._listen_again(command.call)

    def _with_caller(self, command: CallCommand, caller: CallerLeg) -> None:  # noqa: PLR0912 - one case a command
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
                self._add_caller(caller, command.bridge)
                self._add_leg(command, command.offer, command.bridge)
            case AddCaller():
                self._add_caller(caller, command.bridge)
            case EndCall():
                self.hang_up(caller.call)
            case HandBack():
                self.take_back(caller.call)
            case _:
                raise AssertionError(f"the simulated PBX does not know {type(command).__name__}")

    # --- prompts ----------------------------------------------------------------------------------------------------

    def _play(self, command: Play, caller: CallerLeg) -> None:
        seconds = 0.01 if self.silent_prompts else _SECONDS_A_PROMPT * len(command.prompts)
        caller.playing = command.playback
        caller.plays_until = self.schedule.now + timedelta(seconds=seconds)
        caller.heard += [f"{prompt.language}/{prompt.name}" for prompt in command.prompts]
        self.schedule.at(caller.plays_until, lambda: self._end_playback(caller, command.playback))

    def _end_playback(self, caller: CallerLeg, playback: PlaybackId) -> None:
        if caller.playing == playback and caller.call in self.callers:
            caller.playing = None
            self._listen(caller)
            failed = self.silent_prompts
            self._tell(caller.channel, PlaybackEnded, call=caller.call, playback=playback, failed=failed)

    def _whisper(self, command: Whisper) -> None:
        leg = self.legs.get(command.offer)
        if leg is None:
            self._fail(command, "Channel not found")
            return
        self.phones[leg.phone].whispers += [prompt.name for prompt in command.prompts]
        ended = {"call": command.call, "playback": command.playback, "failed": self.silent_prompts}
        self.schedule.after(_SECONDS_A_PROMPT, lambda: self._tell(str(command.offer), PlaybackEnded, **ended))

    def _answer_code(self, command: AnswerCode) -> None:
        endpoint = self.codes.get(command.channel)
        if endpoint is not None:
            self.phones[endpoint].told += [prompt.name for prompt in command.prompts]
            seconds = _SECONDS_A_PROMPT * len(command.prompts)
            self.schedule.after(seconds, lambda: self.end_code(command.channel))

    # --- legs -------------------------------------------------------------------------------------------------------

    def _ring(self, command: OfferCall | DialDestination, name: str) -> None:
        phone = self.phones.get(name)
        behaviour = unregistered() if phone is None else phone.take(self.schedule.seconds)
        if phone is None or not behaviour.registered:
            self._fail(command, "no contact is registered")
            return
        if command.offer in self.legs:
            raise AssertionError(f"leg {command.offer} is made twice")
        watched = isinstance(command, DialDestination)
        endpoint = command.destination.trunk if isinstance(command, DialDestination) else command.endpoint
        self.legs[command.offer] = PersonLeg(
            offer=command.offer, call=command.call, phone=name, endpoint=endpoint, watched=watched
        )
        phone.legs.add(command.offer)
        if behaviour.rings:
            self._tell(str(command.offer), OfferRang, call=command.call, offer=command.offer)
        if behaviour.after_seconds is not None:
            self.schedule.after(behaviour.after_seconds, lambda: self._respond(command.offer, behaviour))
        self.schedule.after(command.ring_seconds, lambda: self._ring_out(command.offer))

    def _respond(self, offer: OfferId, behaviour: Behaviour) -> None:
        leg = self.legs.get(offer)
        if leg is None:
            return
        if not behaviour.answers:
            self.leave_leg(offer, behaviour.cause)
            return
        leg.where = Whereabouts.ALONE
        self._tell(str(offer), OfferAnswered, call=leg.call, offer=offer)
        if behaviour.speaks_after_seconds is not None:
            self.schedule.after(behaviour.speaks_after_seconds, lambda: self.say(offer))
        if behaviour.talks_seconds is not None:
            self.schedule.after(behaviour.talks_seconds, lambda: self.leave_leg(offer, behaviour.cause))

    def _ring_out(self, offer: OfferId) -> None:
        leg = self.legs.get(offer)
        if leg is not None and leg.where is Whereabouts.RINGING:
            self.leave_leg(offer, NO_ANSWER)

    def _release(self, command: ReleaseLeg) -> None:
        if command.offer in self.legs:
            self.leave_leg(command.offer, HUNG_UP)
        else:  # 404 is proof that it is gone
            self._tell(str(command.offer), LegGone, call=command.call, offer=command.offer, cause=0)

    # --- bridges ----------------------------------------------------------------------------------------------------

    def _place(self, bridge: BridgeId, call: CallId) -> Whereabouts:
        """Where one is in this bridge of the call's own; it is made where it is not there."""
        self.bridges.add(bridge)
        return {talk_bridge(call): Whereabouts.TALKING, consult_bridge(call): Whereabouts.CONSULTING}[bridge]

    def _add_caller(self, caller: CallerLeg, bridge: BridgeId) -> None:
        caller.where = self._place(bridge, caller.call)
        self._tell(caller.channel, LegJoined, call=caller.call, channel=caller.channel, bridge=bridge)

    def _add_leg(self, command: CallCommand, offer: OfferId, bridge: BridgeId) -> None:
        leg = self.legs.get(offer)
        place = self._place(bridge, command.call)
        if leg is None or leg.where is Whereabouts.RINGING:
            self._fail(command, "Channel not found" if leg is None else "Channel not in Stasis application")
            return
        leg.where = place
        self._tell(str(offer), LegJoined, call=command.call, channel=offer_channel(offer), bridge=bridge)

    def _destroy(self, bridge: BridgeId, call: CallId) -> None:
        place = self._place(bridge, call)
        self.bridges.discard(bridge)
        caller = self.callers.get(call)
        if caller is not None and caller.where is place:
            caller.where = Whereabouts.ALONE
        for leg in self.legs.values():
            if leg.call == call and leg.where is place:
                leg.where = Whereabouts.ALONE

    # --- citizens who are called back -------------------------------------------------------------------------------

    def _call_citizen(self, command: CallCitizen) -> None:
        phone = self.phones.get(command.destination.number)
        behaviour = unregistered() if phone is None else phone.take(self.schedule.seconds)
        if not behaviour.registered:
            self._fail(command, "the number could not be dialled")
            return
        number = command.destination.number
        self.citizens[command.call] = CitizenLeg(call=command.call, channel=command.channel, number=number)
        if behaviour.after_seconds is not None:
            self.schedule.after(behaviour.after_seconds, lambda: self._citizen_responds(command.call, behaviour))
        self.schedule.after(command.ring_seconds, lambda: self._citizen_rings_out(command.call))

    def _citizen_responds(self, call: CallId, behaviour: Behaviour) -> None:
        citizen = self.citizens.get(call)
        if citizen is None:
            return
        if not behaviour.answers:
            self.hang_up(call, behaviour.cause)
            return
        citizen.answered_at = self.schedule.now
        self._tell(citizen.channel, CitizenAnswered, call=call, channel=citizen.channel)
        if behaviour.speaks_after_seconds is not None:
            self.schedule.after(behaviour.speaks_after_seconds, lambda: self.speak(call))
        if behaviour.talks_seconds is not None:
            self.schedule.after(behaviour.talks_seconds, lambda: self.hang_up(call, behaviour.cause))

    def _citizen_rings_out(self, call: CallId) -> None:
        citizen = self.citizens.get(call)
        if citizen is not None and citizen.answered_at is None:
            self.hang_up(call, NO_ANSWER)

    def _begin_outbound(self, command: BeginOutbound) -> None:
        """The dialplan records the call and offers it to us; where nobody claims it, it finds a person itself."""
        leg = self._from_dialplan(command.call, ours=self.connected)
        self.arrive(leg)
        self._enter(leg, None)

    def _from_dialplan(self, call: CallId, *, ours: bool) -> CallerLeg:
        citizen = self.citizens.pop(call)
        assert citizen.answered_at is not None, "only who answered is sent through the dialplan"
        return CallerLeg(
            call=call,
            channel=citizen.channel,
            caller=Caller(number=citizen.number, raw=citizen.number),
            arrived_at=self.schedule.now,
            silent_since=citizen.answered_at,
            ours=ours,
            dialled=citizen.number,
        )

    # --- what is told -----------------------------------------------------------------------------------------------

    def _fail(self, command: CallCommand, reason: str) -> None:
        name = type(command).__name__
        offer = getattr(command, "offer", None)
        playback = getattr(command, "playback", None)
        channel = getattr(command, "channel", None)
        failed = {"command": name, "reason": reason, "offer": offer, "playback": playback, "channel": channel}
        self._tell(f"rest {command.call}", CommandFailed, call=command.call, **failed)
