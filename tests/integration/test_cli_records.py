from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from typer.testing import CliRunner, Result

from callflow.cli import audit, calls, db
from callflow.core.facts import CallEnded, Stage
from callflow.errors import CallflowError
from callflow.journal.errors import LookNotRecorded
from callflow.journal.reader import read_entries
from callflow.journal.signing import read_public_key

# Relative, since another package calls itself `tests` too.
from ..unit.journal.books import busy_centre, tampering, write_turns  # noqa: TID252
from .test_projector import project

_CENTRE = """
[centre]
id = "pekalongan"
name = "Kota Pekalongan"
zone = "Asia/Jakarta"
[[trunks]]
name = "telco"
match = ["192.0.2.1"]
"""
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command on an installation of its own."""
    monkeypatch.setenv("CALLFLOW_DATA_DIR", str(tmp_path))
    (tmp_path / "centre.toml").write_text(_CENTRE)
    apps = {"db": db.app, "calls": calls.app, "audit": audit.app}

    def invoke(app: str, *arguments: str, code: int = 0) -> Result:
        result = CliRunner().invoke(apps[app], list(arguments))
        assert result.exit_code == code, (result.output, result.exception)
        return result

    return invoke


def data(result: Result) -> Any:
    return json.loads(result.stdout)


@pytest.fixture
def day(run: Run, tmp_path: Path) -> list[CallEnded]:
    """A migrated database, a busy day in the journal and the database."""
    import asyncio

    from callflow.storage.sessions import open_database, sessions_of

    run("db", "upgrade")
    world = busy_centre()
    write_turns(tmp_path / "journal", world.turns)

    async def fill() -> None:
        engine = open_database(f"sqlite:///{tmp_path / 'callflow.db'}")
        await project(tmp_path / "journal", sessions_of(engine))
        await engine.dispose()

    asyncio.run(fill())
    return world.facts(CallEnded)


def looks(tmp_path: Path) -> list[tuple[str, str | None, str]]:
    entries = read_entries(tmp_path / "journal" / "cli.sqlite")
    return [(e["what"], e["call"], e["purpose"]) for entry in entries if (e := entry.event) is not None]


def test_database_goes_up_and_down_when_told(run: Run) -> None:
    assert data(run("db", "current", "--json", code=1)) == {"current": None, "head": "0003", "up_to_date": False}
    assert run("db", "upgrade").stdout == ""
    assert data(run("db", "current", "--json"))["up_to_date"]
    run("db", "downgrade", "base")
    assert "empty" in run("db", "current", code=1).stdout


def test_one_clear_error_comes_when_the_database_is_not_migrated(run: Run) -> None:
    result = run("calls", "list", code=1)
    assert isinstance(result.exception, CallflowError)
    assert "callflow db upgrade" in str(result.exception)


def test_calls_are_listed_and_shown_and_every_look_is_recorded_when_asked(
    run: Run, day: list[CallEnded], tmp_path: Path
) -> None:
    listed = data(run("calls", "list", "--json"))
    assert {call["call_id"]: call["stage"] for call in listed["calls"]} == {end.call: end.stage for end in day}
    answered = [end.call for end in day if end.stage is Stage.ANSWERED]
    assert run("calls", "list", "--stage", "answered").stdout.count("\n") == len(answered)
    record = data(run("calls", "show", answered[0], "--json", "--purpose", "complaint 12"))
    assert record["call"]["call_id"] == answered[0]
    assert {"headers", "steps", "queue", "offers", "recording", "parties", "consultations"} <= record.keys()
    assert {"assessment", "challenges", "classifications", "callback"} <= record.keys()
    shown = run("calls", "show", answered[0]).stdout
    assert "stage     answered" in shown
    run("calls", "show", "pbx-0", code=1)
    assert looks(tmp_path) == [
        ("calls", None, "callflow calls list"),
        ("calls", None, "callflow calls list"),
        ("call", answered[0], "complaint 12"),
        ("call", answered[0], "callflow calls show"),
    ]


def test_page_goes_on_and_times_are_the_centres_when_the_list_is_long(run: Run, day: list[CallEnded]) -> None:
    first = data(run("calls", "list", "--json", "--limit", "2"))
    rest = data(run("calls", "list", "--json", "--limit", "2", "--cursor", first["next_cursor"]))
    assert len({call["call_id"] for call in first["calls"] + rest["calls"]}) == len(day)
    assert rest["next_cursor"] is None
    # The calls came at 01:00 UTC, which is 08:00 in western Indonesia.
    assert len(data(run("calls", "list", "--json", "--from", "2026-01-05T08:00"))["calls"]) == len(day)
    assert data(run("calls", "list", "--json", "--to", "2026-01-05T08:00"))["calls"] == []
    narrowed = (("direction", "inbound", len(day)), ("direction", "outbound", 0), ("classification", "prank", 0))
    for name, value, count in narrowed:
        assert len(data(run("calls", "list", "--json", f"--{name}", value))["calls"]) == count


def test_nothing_is_shown_when_the_look_cannot_be_recorded(run: Run, day: list[CallEnded], tmp_path: Path) -> None:
    (tmp_path / "journal" / "cli.lock").mkdir()
    monkey = pytest.MonkeyPatch()
    monkey.setattr("callflow.journal.accesses._WAIT_SECONDS", 0.2)
    try:
        result = run("calls", "show", day[0].call, code=1)
    finally:
        monkey.undo()
    assert result.stdout == ""
    assert isinstance(result.exception, LookNotRecorded)


def test_journal_is_proved_and_tampering_is_named_when_verified(run: Run, day: list[CallEnded], tmp_path: Path) -> None:
    run("audit", "sign")
    report = data(run("audit", "verify", "--json"))
    assert (report["ok"], report["heads"], report["findings"]) == (True, 1, [])
    assert "nothing was changed" in run("audit", "verify").stderr
    with tampering(tmp_path / "journal" / "engine.sqlite") as connection:
        connection.execute("UPDATE payloads SET payload = payload || ' ' WHERE seq = 5")
    report = data(run("audit", "verify", "--json", code=1))
    assert [(found["kind"], found["seq"]) for found in report["findings"]] == [("altered_payload", 5)]
    assert "WRONG    altered_payload at entry 5" in run("audit", "verify", code=1).stdout


def test_every_decision_is_the_same_when_each_call_is_replayed(run: Run, day: list[CallEnded], tmp_path: Path) -> None:
    for end in day:
        replayed = data(run("audit", "replay", end.call, "--json"))
        assert (replayed["call"], replayed["same"], replayed["outcome"]) == (end.call, True, None)
    assert "every decision was the same" in run("audit", "replay", day[0].call).stdout
    assert not (tmp_path / "journal" / "cli.sqlite").exists()


def test_first_difference_is_printed_and_its_look_recorded_when_a_decision_differs(
    run: Run, day: list[CallEnded], tmp_path: Path
) -> None:
    path = tmp_path / "journal" / "engine.sqlite"
    with tampering(path) as connection:
        set_command = "json_set(payload, '$.commands[0]', json('{\"type\":\"Play\"}'))"
        connection.execute(f"UPDATE payloads SET payload = {set_command} WHERE seq = 6")  # noqa: S608 - ours
    replayed = data(run("audit", "replay", day[0].call, "--json", code=1))
    assert (replayed["outcome"]["kind"], replayed["outcome"]["seq"]) == ("difference", 6)
    assert replayed["outcome"]["expected"] == {"type": "Play"}
    assert replayed["outcome"]["same_core"]
    assert looks(tmp_path)[0][:2] == ("replay", day[0].call)


def test_export_is_signed_over_all_its_lines_when_it_is_printed(run: Run, day: list[CallEnded], tmp_path: Path) -> None:
    import hashlib

    run("audit", "sign")
    *lines, last = run("audit", "export", "--call", day[0].call).stdout.splitlines()
    trailer = json.loads(last)
    digest = hashlib.sha256("".join(f"{line}\n" for line in lines).encode())
    assert (trailer["entries"], trailer["sha256"]) == (len(lines), digest.hexdigest())
    key: Ed25519PublicKey = read_public_key(tmp_path / "journal" / "journal_key.pub")
    key.verify(bytes.fromhex(trailer["signature"]), digest.digest())
    assert all(json.loads(line)["envelope"]["call"] == day[0].call for line in lines)
    assert "payload" not in json.loads(run("audit", "export", "--no-payloads").stdout.splitlines()[0])
    assert [look[0] for look in looks(tmp_path)] == ["export", "export"]
