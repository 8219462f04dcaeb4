"""Rows of CEL as Asterisk 22.10.1 wrote them on a demonstration's stage, and how to make a database of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

COLUMNS = (
    *("eventtype", "eventtime", "uniqueid", "linkedid", "channame", "cid_num", "ani", "exten", "context", "appname"),
    *("appdata", "peer", "userdeftype", "extra", "userfield"),
)
_CALL, _LEG = "banyuwangi-1795409246.0", "banyuwangi-1795409259.1"
_TRUNK, _SITI = "PJSIP/trunk-telco-00000000", "PJSIP/op-siti-00000001"
_CITIZEN = "081234000001"
_QUEUE = ("Queue", "callflow-fallback,ciI,,,47")
_LEG_APP = ("AppQueue", "(Outgoing Line)")
_BRIDGED = '{"bridge_id":"f40db201-753e-4535-a8bc-6570f4b5d18f","bridge_technology":"simple_bridge"}'
_HUNG_UP = '{"hangupcause":16,"hangupsource":"PJSIP/trunk-telco-00000000","dialstatus":"%s"}'

SERVED: tuple[tuple[str, ...], ...] = (
    (
        "CHAN_START",
        "1795409246.168573",
        _CALL,
        _CALL,
        _TRUNK,
        _CITIZEN,
        "",
        "112",
        "from-trunk",
        "",
        "",
        "",
        "",
        "",
        "",
    ),
    (
        "USER_DEFINED",
        "1795409246.669631",
        _CALL,
        _CALL,
        _TRUNK,
        _CITIZEN,
        _CITIZEN,
        "s",
        "fallback",
        "CELGenUserEvent",
        "CALLFLOW_FALLBACK",
        "",
        "CALLFLOW_FALLBACK",
        '{"extra":""}',
        _CALL,
    ),
    (
        "ANSWER",
        "1795409246.669918",
        _CALL,
        _CALL,
        _TRUNK,
        _CITIZEN,
        _CITIZEN,
        "s",
        "fallback",
        "Answer",
        "",
        "",
        "",
        "",
        _CALL,
    ),
    (
        "APP_START",
        "1795409259.585597",
        _CALL,
        _CALL,
        _TRUNK,
        _CITIZEN,
        _CITIZEN,
        "s",
        "fallback-people",
        *_QUEUE,
        "",
        "",
        "",
        _CALL,
    ),
    ("CHAN_START", "1795409259.586635", _LEG, _CALL, _SITI, "", "", "s", "from-operator", "", "", "", "", "", ""),
    ("ANSWER", "1795409260.093547", _LEG, _CALL, _SITI, "112", "", "s", "from-operator", *_LEG_APP, "", "", "", ""),
    (
        "BRIDGE_ENTER",
        "1795409260.095281",
        _LEG,
        _CALL,
        _SITI,
        "112",
        "",
        "s",
        "from-operator",
        *_LEG_APP,
        "",
        "",
        _BRIDGED,
        "",
    ),
    (
        "BRIDGE_ENTER",
        "1795409260.095808",
        _CALL,
        _CALL,
        _TRUNK,
        _CITIZEN,
        _CITIZEN,
        "s",
        "fallback-people",
        *_QUEUE,
        _SITI,
        "",
        _BRIDGED,
        _CALL,
    ),
    (
        "BRIDGE_EXIT",
        "1795409262.290293",
        _CALL,
        _CALL,
        _TRUNK,
        _CITIZEN,
        _CITIZEN,
        "s",
        "fallback-people",
        *_QUEUE,
        _SITI,
        "",
        _BRIDGED,
        _CALL,
    ),
    (
        "APP_END",
        "1795409262.290624",
        _CALL,
        _CALL,
        _TRUNK,
        _CITIZEN,
        _CITIZEN,
        "s",
        "fallback-people",
        *_QUEUE,
        "",
        "",
        "",
        _CALL,
    ),
    (
        "HANGUP",
        "1795409262.290624",
        _CALL,
        _CALL,
        _TRUNK,
        _CITIZEN,
        _CITIZEN,
        "s",
        "fallback-people",
        "",
        "",
        "",
        "",
        _HUNG_UP % "ANSWER",
        _CALL,
    ),
    (
        "CHAN_END",
        "1795409262.290624",
        _CALL,
        _CALL,
        _TRUNK,
        _CITIZEN,
        _CITIZEN,
        "s",
        "fallback-people",
        "",
        "",
        "",
        "",
        "",
        _CALL,
    ),
    (
        "BRIDGE_EXIT",
        "1795409262.290666",
        _LEG,
        _CALL,
        _SITI,
        "112",
        "",
        "s",
        "from-operator",
        *_LEG_APP,
        "",
        "",
        _BRIDGED,
        "",
    ),
    (
        "HANGUP",
        "1795409262.291138",
        _LEG,
        _CALL,
        _SITI,
        "112",
        "",
        "s",
        "from-operator",
        *_LEG_APP,
        "",
        "",
        _HUNG_UP % "",
        "",
    ),
    ("CHAN_END", "1795409262.291138", _LEG, _CALL, _SITI, "112", "", "s", "from-operator", *_LEG_APP, "", "", "", ""),
    (
        "LINKEDID_END",
        "1795409262.291138",
        _LEG,
        _CALL,
        _SITI,
        "112",
        "",
        "s",
        "from-operator",
        *_LEG_APP,
        "",
        "",
        "",
        "",
    ),
)
"""No engine: the fallback rang op-siti, who answered; the citizen hung up."""


def write_cel(path: Path, rows: Iterable[tuple[Any, ...]]) -> None:
    """Add rows to a CEL database, which is made when it is not there."""
    with closing(sqlite3.connect(path)) as database, database:
        fields = ", ".join(f"{name} TEXT" for name in COLUMNS)
        database.execute(f"CREATE TABLE IF NOT EXISTS cel (AcctId INTEGER PRIMARY KEY, {fields})")
        places = ", ".join("?" * len(COLUMNS))
        database.executemany(f"INSERT INTO cel ({', '.join(COLUMNS)}) VALUES ({places})", list(rows))  # noqa: S608


def changed(rows: Iterable[tuple[Any, ...]], **values: dict[Any, Any]) -> list[tuple[Any, ...]]:
    """The rows with other values in some columns, each given as old value to new one."""
    return [
        tuple(values.get(name, {}).get(value, value) for name, value in zip(COLUMNS, row, strict=True)) for row in rows
    ]


def cut_off() -> tuple[tuple[str, ...], ...]:
    """A caller in the fallback when Asterisk died, and the first channel of its next life."""
    begun = tuple(row for row in SERVED if row[0] not in {"HANGUP", "CHAN_END", "LINKEDID_END", "BRIDGE_EXIT"})
    first = "banyuwangi-1795409300.0"
    start = ("CHAN_START", "1795409300.000000", first, first, _TRUNK, _CITIZEN, "", "112", "from-trunk")
    return (*begun, (*start, *[""] * (len(COLUMNS) - len(start))))
