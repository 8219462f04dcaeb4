"""Judges by Asterisk's own log (CEL) how the calls of SIPp's callers ended: SIPp says what it sent, not what was taken.

A number that calls once in a run names its channel.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from callflow.numbers import normalise

from ..asterisk.sipp import SippCall  # noqa: TID252

GONE_WITHIN_SECONDS: Final = 10.0
"""A channel ends so soon after its caller's BYE was answered, in a flood, too: it keeps a place from other callers."""
SAME_INSTANT_SECONDS: Final = 0.1
"""Two processes' readings of one clock: a channel that ended this long before its caller's BYE was ended by us."""
UNWRITTEN_SECONDS: Final = 3.0
"""Asterisk's log is behind by less, but in a flood; and it is up again a second after its death."""
_ROWS: Final = """
    SELECT eventtype, eventtime, uniqueid, context, cid_num FROM cel
    WHERE uniqueid = linkedid AND eventtype IN ('CHAN_START', 'CHAN_END')
    ORDER BY AcctId
"""


@dataclass(slots=True)
class Channel:
    """One caller's channel; times are seconds since the epoch.

    Attributes:
        life: of Asterisk, counted from 1: how often it had been started.
        ended_at: None = no end is known.
    """

    began_at: float
    life: int
    ended_at: float | None = None


@dataclass(frozen=True, slots=True)
class Callers:
    """The channels of those who called, by E.164 number, and how many lives Asterisk had."""

    channels: Mapping[str, Channel]
    lives: int

    def of(self, call: SippCall) -> Channel | None:
        """The channel of that call; None = CEL has none."""
        return self.channels.get(e164(call))

    def died_with_asterisk(self, call: SippCall) -> bool:
        """Whether the channel has no end, and the Asterisk that had it is no more."""
        channel = self.of(call)
        return channel is not None and channel.ended_at is None and channel.life < self.lives


def e164(call: SippCall) -> str:
    """The caller's number as records have it; SIPp's callers dial from within the country."""
    return "+62" + call.caller[1:]


def callers_in(cel: Path) -> Callers:
    """Read them. Blocks.

    Raises:
        sqlite3.Error: it cannot be read now.
    """
    with closing(sqlite3.connect(f"file:{cel}?mode=ro", uri=True, timeout=5.0)) as database:
        database.row_factory = sqlite3.Row
        database.text_factory = lambda raw: raw.decode("utf-8", errors="replace")
        return callers_of(database.execute(_ROWS))


def callers_of(rows: Iterable[Mapping[str, Any] | sqlite3.Row]) -> Callers:
    """The callers in CEL's rows, given in their order. In each life of Asterisk channels are numbered from 0 on."""
    by_id: dict[str, Channel] = {}
    by_number: dict[str, Channel] = {}
    lives = 1
    seen_any = False
    for row in rows:
        name = row["uniqueid"]
        if row["eventtype"] == "CHAN_START":
            lives += seen_any and name.endswith(".0")
            seen_any = True
            if row["context"] == "from-trunk" and (number := normalise(row["cid_num"]).number) is not None:
                by_id[name] = by_number[number] = Channel(began_at=float(row["eventtime"]), life=lives)
        elif (channel := by_id.get(name)) is not None:
            channel.ended_at = float(row["eventtime"])
    return Callers(by_number, lives)


def came_to_nobody(callers: Callers, call: SippCall, died: Iterable[float]) -> bool:
    """Whether a call came to an Asterisk that died before it wrote so much as the beginning of its channel.

    Args:
        died: when it was up again after each death, in seconds since the epoch.
    """
    return callers.of(call) is None and any(at - UNWRITTEN_SECONDS < call.invited_at < at for at in died)


def cut_off(callers: Callers, calls: Iterable[SippCall]) -> list[str]:
    """The ids of the calls that Asterisk ended before their caller hung up, whereas SIPp has the caller hang up first.

    SIPp notes that it hangs up, and takes Asterisk's earlier BYE only then.
    """
    return [
        call.call_id
        for call in calls
        if call.ended_by == "hung_up"
        and call.ended_at is not None
        and (channel := callers.of(call)) is not None
        and channel.ended_at is not None
        and channel.ended_at < call.ended_at - SAME_INSTANT_SECONDS
    ]


def stood_after_bye(callers: Callers, calls: Iterable[SippCall], now: float) -> list[float]:
    """How long the channel of each who hung up stood after the BYE was answered, or, was it never, was first sent.

    Args:
        now: for channels that have no end, in seconds since the epoch.
    """
    found = []
    for call in calls:
        channel = callers.of(call)
        if call.ended_by == "hung_up" and call.ended_at is not None and channel is not None:
            found.append((channel.ended_at or now) - (call.taken_at or call.ended_at))
    return found
