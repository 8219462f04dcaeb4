"""What Asterisk itself says of the callers' channels: arrived, given to the dialplan's own people, ended."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from .findings import CelRow, Finding, Rule, Standing


@dataclass(slots=True)
class CelCall:
    """One caller's channel; `outbound` = we called the citizen."""

    channel: str
    began_at: datetime
    ended_at: datetime | None = None
    fallback_at: list[datetime] = field(default_factory=list)
    outbound: bool = False


@dataclass(slots=True)
class CelChannel:
    """Any channel: how often it began and ended, when it last did; `inbound`, `number` as in its first row."""

    began_at: datetime
    begun: int = 0
    ended: int = 0
    inbound: bool = False
    number: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether CEL has no end of it."""
        return self.begun > self.ended


class CelReading:
    """Takes rows in their order. A caller's channel bears its call id, which is made of the channel's own."""

    def __init__(self) -> None:
        self.calls: dict[str, CelCall] = {}
        self.channels: dict[str, CelChannel] = {}
        self._began: dict[str, datetime] = {}
        self._call_of: dict[str, str] = {}

    def take(self, row: CelRow) -> None:
        """The next row."""
        self._count(row)
        if row.kind == "CHAN_START":
            self._began[row.channel] = row.at
        name = self._call_of.get(row.channel)
        if name is None and row.call:
            name = self._named(row)
        if name is None:
            return
        call = self.calls[name]
        if row.user_event == "CALLFLOW_FALLBACK":
            call.fallback_at.append(row.at)
        elif row.user_event == "CALLFLOW_OUTBOUND":
            call.outbound = True
        elif row.kind == "CHAN_END" and row.channel == call.channel:
            call.ended_at = row.at

    def know(self, journalled: Collection[str]) -> None:
        """Name channels by the calls that the journal has of them, where CEL has no row after the first.

        The call's id is the channel's own, and CEL knows that it is a call from its second row on: one that died with
        Asterisk while it heard the menu has none.
        """
        for name in self.channels.keys() & set(journalled) - self.calls.keys():
            self.calls[name] = CelCall(channel=name, began_at=self.channels[name].began_at)

    def findings(self, standing: Standing | None) -> Iterator[Finding]:
        """Channels that ended more or less than once; what stands in Asterisk now, or died with it, excepted."""
        for name, channel in self.channels.items():
            if channel.ended > channel.begun or (channel.inbound and channel.begun > 1):
                yield Finding(Rule.ONE_END, name, f"began {channel.begun} times, ended {channel.ended} times")
            elif standing and channel.is_open and not (self.died(channel, standing) or name in standing.channels):
                yield Finding(Rule.ONE_END, name, f"began {channel.began_at}, has no end, and Asterisk has it no more")

    @staticmethod
    def died(channel: CelChannel, standing: Standing | None) -> bool:
        """Whether this channel ended with an Asterisk that was before the one there is."""
        return standing is not None and channel.is_open and channel.began_at < standing.since

    def _count(self, row: CelRow) -> None:
        if row.kind == "CHAN_START":
            channel = self.channels.setdefault(
                row.channel, CelChannel(began_at=row.at, inbound=row.inbound, number=row.number)
            )
            channel.begun += 1
            channel.began_at = row.at
        elif row.kind == "CHAN_END" and row.channel in self.channels:
            self.channels[row.channel].ended += 1

    def _named(self, row: CelRow) -> str | None:
        if row.call not in self.calls:
            if row.call != row.channel and row.user_event != "CALLFLOW_OUTBOUND":
                return None  # a leg that inherited the caller's id
            began = self._began.get(row.channel, row.at)
            self.calls[row.call] = CelCall(channel=row.channel, began_at=began)
        elif self.calls[row.call].channel != row.channel:
            return None
        self._call_of[row.channel] = row.call
        return row.call
