"""Reads from CEL which calls the dialplan served alone: Asterisk's own testimony, written with no process of ours.

CEL marks such a call with the user event CALLFLOW_FALLBACK. When its caller's channel has ended, the call is complete
and is told once; the place reached in CEL is kept by whoever calls this. A citizen whom we called back and whom the
dialplan then brought to a person (user event CALLFLOW_OUTBOUND) is no call that came in, and is passed over.

A caller whom an engine handed back may hang up before the dialplan has begun to serve: `ended_unserved` tells of that.

Who dies with Asterisk has no end in CEL at all. A channel's number counts from 0 in each life of Asterisk: a channel
number 0 says that whoever began before it and has no end was cut off. `callers_gone` tells of these and of all others
whose end CEL has, so that whoever has no record can be given one.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from callflow.core.events import Caller
from callflow.core.ids import CallId
from callflow.numbers import normalise

_ENDED: Final = """
    SELECT ended.AcctId AS place, ended.linkedid FROM cel AS ended
    WHERE ended.eventtype = 'CHAN_END' AND ended.uniqueid = ended.linkedid AND ended.AcctId > ?
      AND EXISTS (SELECT 1 FROM cel AS mark WHERE mark.linkedid = ended.linkedid
                  AND mark.uniqueid = ended.uniqueid AND mark.eventtype = 'USER_DEFINED'
                  AND mark.userdeftype = 'CALLFLOW_FALLBACK')
      AND NOT EXISTS (SELECT 1 FROM cel AS mark WHERE mark.linkedid = ended.linkedid
                      AND mark.uniqueid = ended.uniqueid AND mark.eventtype = 'USER_DEFINED'
                      AND mark.userdeftype = 'CALLFLOW_OUTBOUND')
    ORDER BY ended.AcctId LIMIT ?
"""
_OWN_END: Final = """
    SELECT ended.AcctId AS place FROM cel AS ended
    WHERE ended.eventtype = 'CHAN_END' AND ended.uniqueid = ? AND ended.uniqueid = ended.linkedid
      AND NOT EXISTS (SELECT 1 FROM cel AS mark WHERE mark.linkedid = ended.linkedid
                      AND mark.eventtype = 'USER_DEFINED' AND mark.userdeftype = 'CALLFLOW_FALLBACK')
"""
_STARTS_AND_ENDS: Final = """
    SELECT AcctId AS place, eventtype, eventtime, uniqueid, linkedid FROM cel
    WHERE AcctId > ? AND uniqueid = linkedid
      AND (eventtype = 'CHAN_END' AND userfield != '' OR eventtype = 'CHAN_START' AND uniqueid GLOB '*-[0-9]*.0')
    ORDER BY AcctId LIMIT ?
"""
_CUT_OFF: Final = """
    SELECT max(AcctId) AS place, linkedid, max(eventtime) AS seen_at FROM cel AS seen
    WHERE AcctId < ? AND AcctId > ? AND uniqueid = linkedid AND userfield != ''
      AND NOT EXISTS (SELECT 1 FROM cel AS ended WHERE ended.linkedid = seen.linkedid
                      AND ended.uniqueid = seen.uniqueid AND ended.eventtype = 'CHAN_END')
    GROUP BY linkedid HAVING CAST(seen_at AS REAL) > ?
"""
_OUTBOUND: Final = "SELECT 1 FROM cel WHERE linkedid = ? AND userdeftype = 'CALLFLOW_OUTBOUND' LIMIT 1"
_LIVED_SECONDS: Final = 86400.0
"""Callers stay on the line for hours at most: who was seen longer before Asterisk's death was told of after another."""
_LOOKED_BACK: Final = 1_000_000
"""Rows before Asterisk's death that are read again for it: some 10,000 calls, in a second."""
_ENDPOINT = re.compile(r"PJSIP/([A-Za-z0-9_-]+)-[0-9a-f]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class FallbackCall:
    """A call that the dialplan served.

    Attributes:
        place: where in CEL it ended; the next reading goes on after it.
        answered_by: the endpoint or trunk of the first person who joined the caller; None = nobody.
        hung_up_by: the endpoint or trunk of who hung up; None = not told.
        in_fallback: the dialplan served it; else an engine had it, which has no record of its end.
    """

    place: int
    call: CallId
    caller: Caller
    dialled: str
    trunk: str
    arrived_at: datetime
    answered_at: datetime | None
    answered_by: str | None
    ended_at: datetime
    hung_up_by: str | None
    cause: int
    in_fallback: bool = True


def fallback_calls(cel: Path, after: int, limit: int = 100) -> list[FallbackCall]:
    """The calls that ended in the fallback after this place in CEL, in order; [] when there is no CEL yet.

    A CEL that was begun anew, and so never reached that place, is read from its beginning.

    Raises:
        sqlite3.Error: when the database cannot be read now; try again later.
    """
    if not cel.is_file():
        return []
    with closing(_opened(cel)) as database:
        reached = database.execute("SELECT coalesce(max(AcctId), 0) FROM cel").fetchone()[0]
        ended = database.execute(_ENDED, (after if after <= reached else 0, limit)).fetchall()
        return [call for row in ended for call in _read(database, row["place"], row["linkedid"])]


def ended_unserved(cel: Path, calls: Iterable[CallId]) -> list[FallbackCall]:
    """Those of these calls whose caller's channel has ended without ever having been in the fallback.

    Raises:
        sqlite3.Error: when the database cannot be read now; try again later.
    """
    if not cel.is_file():
        return []
    with closing(_opened(cel)) as database:
        ended = [(call, database.execute(_OWN_END, (call,)).fetchone()) for call in calls]
        return [told for call, row in ended if row is not None for told in _read(database, row["place"], call)]


def callers_gone(cel: Path, after: int, until: datetime, limit: int = 200) -> tuple[list[FallbackCall], int]:
    """Callers whose channel went after this place in CEL, whoever served them, and the place reached.

    Who was cut off by Asterisk's death has the time at which CEL saw the channel last for an end, and no cause.

    Args:
        cel: the database.
        after: the place that an earlier reading reached.
        until: goes no further than what CEL wrote by then.
        limit: rows looked at; those cut off by one death of Asterisk come together.

    Raises:
        sqlite3.Error: when the database cannot be read now; try again later.
    """
    if not cel.is_file():
        return [], after
    with closing(_opened(cel)) as database:
        newest = database.execute("SELECT coalesce(max(AcctId), 0) FROM cel").fetchone()[0]
        reached = after if after <= newest else 0
        gone: list[FallbackCall] = []
        for row in database.execute(_STARTS_AND_ENDS, (reached, limit)).fetchall():
            if _time(row) > until:
                break
            reached = row["place"]
            if row["eventtype"] == "CHAN_END":
                found = [row]
            else:
                since = float(row["eventtime"]) - _LIVED_SECONDS
                found = database.execute(_CUT_OFF, (reached, reached - _LOOKED_BACK, since)).fetchall()
            for each in found:
                if database.execute(_OUTBOUND, (each["linkedid"],)).fetchone() is None:
                    gone += _read(database, each["place"], each["linkedid"], engines_too=True)
        return gone, reached


def _opened(cel: Path) -> sqlite3.Connection:
    database = sqlite3.connect(f"file:{cel}?mode=ro", uri=True, timeout=2.0)
    database.row_factory = sqlite3.Row
    # a carrier may send bytes that are no text; one such call must not hide all later ones
    database.text_factory = lambda raw: raw.decode("utf-8", errors="replace")
    return database


def _read(
    database: sqlite3.Connection, place: int, linkedid: str, *, engines_too: bool = False
) -> Iterator[FallbackCall]:
    """What became of a caller since the fallback had him; `engines_too` = since he came, where it never had him."""
    rows = database.execute("SELECT * FROM cel WHERE linkedid = ? ORDER BY AcctId", (linkedid,)).fetchall()
    own = [row for row in rows if row["uniqueid"] == linkedid]
    first, last = own[0], own[-1]
    fallback = next((row for row in own if row["userdeftype"] == "CALLFLOW_FALLBACK"), None)
    mark = fallback or (first if engines_too else last)
    joined = next(
        (row for row in own if row["eventtype"] == "BRIDGE_ENTER" and row["AcctId"] > mark["AcctId"] and row["peer"]),
        None,
    )
    joined = joined or _joined_later(rows, own, mark["AcctId"])
    hangup = next((row for row in reversed(own) if row["eventtype"] == "HANGUP"), None)
    yield FallbackCall(
        place=place,
        call=CallId(mark["userfield"] or linkedid),
        caller=normalise(first["cid_num"]),
        dialled=first["exten"],
        trunk=_endpoint(first["channame"]) or "",
        arrived_at=_time(first),
        answered_at=None if joined is None else _time(joined),
        answered_by=None if joined is None else _person(joined, linkedid),
        ended_at=_time(last),
        hung_up_by=None if hangup is None else _endpoint(str(_extra(hangup).get("hangupsource", ""))),
        cause=0 if hangup is None else _cause(hangup),
        in_fallback=fallback is not None,
    )


def _joined_later(rows: list[Any], own: list[Any], after: int) -> Any | None:
    """The other party's entry into the bridge, where it came second; it names the caller's channel as its peer."""
    channel = own[0]["channame"]
    return next(
        (
            row
            for row in rows
            if row["eventtype"] == "BRIDGE_ENTER" and row["AcctId"] > after and channel in (row["peer"] or "")
        ),
        None,
    )


def _person(joined: Any, linkedid: str) -> str | None:
    """Who is in the bridge beside the caller: the row's own channel, or its peer when the row is the caller's."""
    return _endpoint(joined["peer"] if joined["uniqueid"] == linkedid else joined["channame"])


def _endpoint(channel: str) -> str | None:
    match = _ENDPOINT.search(channel)
    return None if match is None else match[1]


def _time(row: Any) -> datetime:
    return datetime.fromtimestamp(float(row["eventtime"]), UTC)


def _cause(row: Any) -> int:
    cause = _extra(row).get("hangupcause", 0)
    return cause if isinstance(cause, int) else 0


def _extra(row: Any) -> dict[str, Any]:
    try:
        extra = json.loads(row["extra"])
    except (ValueError, TypeError):
        return {}
    return extra if isinstance(extra, dict) else {}
