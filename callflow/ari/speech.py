"""Tells the first speech on a channel since it was answered from all that Asterisk reports of talking."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from callflow.ari.naming import QUIET_SECONDS
from callflow.ari.protocol.event_types import ChannelTalkingFinished, ChannelTalkingStarted

_UP: Final = "Up"
_QUIET: Final = timedelta(seconds=QUIET_SECONDS)


class Speech:
    """Remembers, for each channel in our application, since when it is answered and whether it has spoken since.

    A channel of which nothing is remembered, as after a restart, was answered long ago.
    """

    def __init__(self) -> None:
        self._answered: dict[str, datetime] = {}
        self._early: set[str] = set()
        self._spoke: set[str] = set()

    def answered(self, channel: str, at: datetime) -> None:
        """The channel is ours from now on; what was heard before, the carrier's ring tone or word, is nobody's."""
        self._answered[channel] = at
        self._spoke.discard(channel)

    def sounds_early(self, channel: str) -> bool:
        """Whether something sounds on an unanswered channel, and has not been silent since."""
        return channel in self._early

    def is_first(self, event: ChannelTalkingStarted | ChannelTalkingFinished) -> bool:
        """Whether this is speech, and the channel's first since its answer.

        Who began before the answer and talked on is told when done, as the beginning did not count.
        """
        channel = event.channel
        if isinstance(event, ChannelTalkingFinished):
            self._early.discard(channel.id)
        elif channel.state != _UP:
            self._early.add(channel.id)
        if channel.state != _UP or channel.id in self._spoke:
            return False
        if isinstance(event, ChannelTalkingFinished):
            answered = self._answered.get(channel.id)
            if answered is not None and event.timestamp - _QUIET <= answered:
                return False
        self._spoke.add(channel.id)
        return True

    def over(self, channel: str) -> None:
        """The channel left our application, or is gone."""
        self._answered.pop(channel, None)
        self._early.discard(channel)
        self._spoke.discard(channel)
