"""The channels of the simulated Asterisk, and how long the caller on one has heard nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from callflow.core.events import Caller, Whereabouts
from callflow.core.ids import CallId, ChannelId, OfferId, PlaybackId

LONGEST_SILENCE_SECONDS = 10.0
"""DOMAIN.md: a caller who hears neither person, prompt, music nor ringback for longer is lost."""


@dataclass
class CallerLeg:
    """A citizen's channel.

    Attributes:
        ours: in our application; False = in the dialplan, which serves the caller without us.
        plays_until: when what plays now comes to its end.
        heard: prompts, as language/name.
        silent_since: the far future while there is something to hear.
    """

    call: CallId
    channel: ChannelId
    caller: Caller
    arrived_at: datetime
    silent_since: datetime
    where: Whereabouts = Whereabouts.ALONE
    playing: PlaybackId | None = None
    plays_until: datetime | None = None
    ours: bool = True
    spoke: bool = False
    dialled: str = "112"
    heard: list[str] = field(default_factory=list)
    longest_silence_seconds: float = 0.0

    def listen(self, legs: Iterable[PersonLeg], now: datetime) -> None:
        """Measure the silence; to be called whenever what the caller hears may have changed.

        Somebody in the same bridge is a person or a ringing line, whether anything is said or not; a caller alone
        in a bridge hears nothing.
        """
        if self.ours:
            self.longest_silence_seconds = max(self.longest_silence_seconds, (now - self.silent_since).total_seconds())
        with_somebody = self.where is Whereabouts.TALKING and any(
            leg.call == self.call and leg.where is Whereabouts.TALKING for leg in legs
        )
        music = self.where is Whereabouts.WAITING
        if with_somebody or music or self.playing is not None or not self.ours:
            self.silent_since = datetime.max.replace(tzinfo=now.tzinfo)
        elif self.silent_since > now:
            self.silent_since = now


@dataclass
class PersonLeg:
    """A channel to a phone: an operator's, or a number outside.

    Attributes:
        phone: its endpoint or number. endpoint: as Asterisk says it, the trunk where it is a number.
        watched: speech on it is told.
    """

    offer: OfferId
    call: CallId
    phone: str
    endpoint: str
    watched: bool
    where: Whereabouts = Whereabouts.RINGING


@dataclass
class CitizenLeg:
    """The channel to a citizen who is called back, until the dialplan has begun the recording."""

    call: CallId
    channel: ChannelId
    number: str
    answered_at: datetime | None = None
