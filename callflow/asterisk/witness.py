"""Reads from CEL which calls the dialplan served alone: Asterisk's own testimony, written with no process of ours.

CEL marks such a call with the user event CALLFLOW_FALLBACK. When its caller's channel has ended, the call is complete
and is told once; the place reached in CEL is kept by whoever calls this. A citizen whom we called back and whom the
dialplan then brought to a person (user event CALLFLOW_OUTBOUND) is no call that came in, and is passed over.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
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
_ENDPOINT = re.compile(r"PJSIP/([A-Za-z0-9_-]+)-[0-9a-f]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class FallbackCall:
    """A call that the dialplan served.

    Attributes:
        place: where in CEL it ended; the next reading goes on after it.
        answered_by: the endpoint or trunk of the first person who joined the caller; None = nobody.
        hung_up_by: the endpoint or trunk of who hung up; None = not told.
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


def fallback_calls(cel: Path, after: int, limit: int = 100) -> list[FallbackCall]:
    """The calls that ended in the fallback after this place in CEL, in order; [] when there is no CEL yet.

    A CEL that was begun anew, and so never reached that place, is read from its beginning.

    Raises:
        sqlite3.Error: when the database cannot be read now; try again later.
    """
    if not cel.is_file():
        return []
    with closing(sqlite3.connect(f"file:{cel}?mode=ro", uri=True, timeout=2.0)) as database:
        database.row_factory = sqlite3.Row
        # a carrier may send bytes that are no text; one such call must not hide all later ones
        database.text_factory = lambda raw: raw.decode("utf-8", errors="replace")
        reached = database.execute("SELECT coalesce(max(AcctId), 0) FROM cel").fetchone()[0]
        ended = database.execute(_ENDED, (after if after <= reached else 0, limit)).fetchall()
        return [call for row in ended for call in _read(database, row["place"], row["linkedid"])]


def _read(database: sqlite3.Connection, place: int, linkedid: str) -> Iterator[FallbackCall]:
    rows = database.execute("SELECT * FROM cel WHERE linkedid = ? ORDER BY AcctId", (linkedid,)).fetchall()
    own = [row for row in rows if row["uniqueid"] == linkedid]
    mark = next(row for row in own if row["userdeftype"] == "CALLFLOW_FALLBACK")
    first, last = own[0], own[-1]
    joined = next(
        (row for row in own if row["eventtype"] == "BRIDGE_ENTER" and row["AcctId"] > mark["AcctId"] and row["peer"]),
        None,
    )
    joined = joined or _joined_later(rows, own, mark["AcctId"])
    hangup = next((row for row in reversed(own) if row["eventtype"] == "HANGUP"), None)
    yield FallbackCall(
        place=place,
        call=CallId(mark["userfield"]),
        caller=normalise(first["cid_num"]),
        dialled=first["exten"],
        trunk=_endpoint(first["channame"]) or "",
        arrived_at=_time(first),
        answered_at=None if joined is None else _time(joined),
        answered_by=None if joined is None else _person(joined, linkedid),
        ended_at=_time(last),
        hung_up_by=None if hangup is None else _endpoint(str(_extra(hangup).get("hangupsource", ""))),
        cause=0 if hangup is None else _cause(hangup),
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
