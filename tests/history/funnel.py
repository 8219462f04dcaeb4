"""The funnel of a history in numbers: INVITEs sent, channels in CEL, calls in the journal, rows in the database.

    invited  = channels with a tester's number + what fell out before the dialplan (at most what was not answered)
    channels = named by the dialplan + gone before it could name them
    named    = in the journal + going on or died with Asterisk before anybody was told
    journal  = an engine's + the fallback witness's alone = rows
    rows     = open + each stage

Numbers that callers withheld, and senders who keep no log, are in no comparison with INVITEs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, fields

from .findings import Invite, Outcome, Row, Standing
from .in_cel import CelReading
from .in_journal import JournalCall


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageFunnel:
    """How many of the same calls each witness has; None = that witness was not there.

    Attributes:
        not_answered: INVITEs given up, refused or failed before an answer; only these may leave less than a call.
        fell_out: INVITEs without a channel. unlogged: channels of senders who keep no log.
        unnamed: channels gone before the dialplan named them, not among the unlogged.
        untold: named channels that go on or died with Asterisk, of which no journal knows.
        missing: named channels that ended and stand in no journal.
        by_engine, witnessed: calls in the journal that an engine opened, or only the fallback's witness.
    """

    invited: int = 0
    not_answered: int = 0
    fell_out: int = 0
    unlogged: int = 0
    channels: int | None = None
    unnamed: int = 0
    named: int = 0
    untold: int = 0
    missing: int = 0
    by_engine: int | None = None
    witnessed: int | None = None
    rows: int | None = None
    stages: Mapping[str, int] = field(default_factory=dict)

    def faults(self) -> Iterator[str]:
        """Where it does not add up."""
        if self.channels is not None:
            if self.fell_out < 0:
                yield f"{self.invited} INVITEs made {self.invited - self.fell_out} channels"
            if self.fell_out + self.unnamed > self.not_answered:
                yield (
                    f"{self.fell_out} of {self.invited} INVITEs made no channel and {self.unnamed} channels no call, "
                    f"but only {self.not_answered} were not answered"
                )
            if self.missing:
                yield f"{self.missing} of {self.named} calls of the dialplan are in no journal"
        if self.rows is not None:
            if self.by_engine is not None and self.witnessed is not None:
                told = self.by_engine + self.witnessed
                if told != self.rows:
                    yield f"{self.by_engine} + {self.witnessed} calls in the journal, {self.rows} rows"
            if sum(self.stages.values()) != self.rows:
                yield f"{self.rows} rows, {sum(self.stages.values())} in the stages"

    def numbers(self) -> dict[str, int]:
        """What was counted, by name; stages as `stage_<name>`."""
        counted = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "stages"}
        kept = {name: int(value) for name, value in counted.items() if value is not None}
        return kept | {f"stage_{name}": count for name, count in self.stages.items()}


def funnel_of(
    invites: Collection[Invite],
    cel: CelReading | None,
    journal: Mapping[str, JournalCall] | None,
    rows: Collection[Row] | None,
    standing: Standing | None,
) -> StorageFunnel:
    """Count one history."""
    logged = [invite for invite in invites if invite.number is not None]
    counted: dict[str, int] = {
        "invited": len(logged),
        "not_answered": sum(invite.outcome is not Outcome.ANSWERED for invite in logged),
    }
    if cel is not None:
        counted |= _channels({invite.number for invite in logged}, len(logged), cel, journal, standing)
    if journal is not None:
        calls = [call for call in journal.values() if call.inbound and (call.opened or call.fallback_ends)]
        counted["by_engine"] = sum(call.opened > 0 for call in calls)
        counted["witnessed"] = len(calls) - counted["by_engine"]
    if rows is None:
        return StorageFunnel(**counted)
    stages = Counter(row.stage or "open" for row in rows if row.inbound)
    return StorageFunnel(**counted, rows=sum(row.inbound for row in rows), stages=dict(sorted(stages.items())))


def _channels(
    numbers: set[str | None],
    invited: int,
    cel: CelReading,
    journal: Mapping[str, JournalCall] | None,
    standing: Standing | None,
) -> dict[str, int]:
    channels = {name: channel for name, channel in cel.channels.items() if channel.inbound}
    known = {name for name, channel in channels.items() if channel.number in numbers}
    named = {call.channel: name for name, call in cel.calls.items() if call.channel in channels}
    told = {channel for channel, name in named.items() if journal is not None and name in journal}
    untold = named.keys() - told if journal is not None else set()
    going_on = {
        name
        for name in untold
        if channels[name].is_open
        and (standing is None or name in standing.channels or cel.died(channels[name], standing))
    }
    return {
        "channels": len(channels),
        "unlogged": len(channels) - len(known),
        "fell_out": invited - len(known),
        "unnamed": len(known - named.keys()),
        "named": len(named),
        "untold": len(going_on),
        "missing": len(untold - going_on),
    }
