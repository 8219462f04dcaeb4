"""`callflow users`: what it changes, where passwords come from, and what it never prints."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from click.testing import Result
from typer.testing import CliRunner

from callflow.cli.users import app
from callflow.permissions import Role
from callflow.storage.models import Base
from callflow.storage.sessions import open_database, sessions_of
from callflow.storage.users import Account, list_accounts

_CENTRE = """
[centre]
id = "bwi"
name = "Banyuwangi"
zone = "Asia/Jakarta"
[[trunks]]
name = "telkom"
match = ["192.0.2.1"]
[[operators]]
login = "siti"
name = "Siti Aminah"
"""
PASSWORD = "benar-sekali-rahasia"


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CALLFLOW_DATA_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "centre.toml").write_text(_CENTRE, encoding="utf-8")

    async def create() -> None:
        engine = open_database(f"sqlite:///{tmp_path / 'callflow.db'}")
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        await engine.dispose()

    asyncio.run(create())
    return tmp_path


def run(*arguments: str, given: str | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), input=given)


def accounts(data_dir: Path) -> dict[str, Account]:
    async def read() -> dict[str, Account]:
        engine = open_database(f"sqlite:///{data_dir / 'callflow.db'}")
        async with sessions_of(engine)() as session:
            found = {account.login: account for account in await list_accounts(session, "bwi")}
        await engine.dispose()
        return found

    return asyncio.run(read())


def add_siti(**more: str) -> Result:
    return run("add", "siti", "--role", "operator", "--operator", "siti", "--password-file", "-", given=PASSWORD + "\n")


def test_user_may_sign_in_when_added_with_a_password_from_standard_input(data_dir: Path) -> None:
    added = add_siti()
    assert (added.exit_code, added.stdout) == (0, "")
    account = accounts(data_dir)["siti"]
    assert PasswordHasher().verify(account.password_hash, PASSWORD)
    assert (account.roles, account.operator, account.active) == ({Role.OPERATOR}, "siti", True)


def test_password_is_taken_from_a_file_or_a_prompt_when_asked_so(data_dir: Path) -> None:
    (data_dir / "secret").write_text(PASSWORD + "\nsecond line\n", encoding="utf-8")
    assert run("add", "adi", "--role", "admin", "--password-file", str(data_dir / "secret")).exit_code == 0
    asked = run("add", "wati", "--role", "supervisor", given=f"{PASSWORD}\n{PASSWORD}\n")
    assert asked.exit_code == 0
    assert PASSWORD not in asked.output
    for login in ("adi", "wati"):
        assert PasswordHasher().verify(accounts(data_dir)[login].password_hash, PASSWORD)


def test_password_is_printed_once_when_generated(data_dir: Path) -> None:
    made = run("add", "adi", "--role", "admin", "--role", "auditor", "--generate").stdout.strip()
    assert len(made) == 19
    assert PasswordHasher().verify(accounts(data_dir)["adi"].password_hash, made)


@pytest.mark.parametrize(
    ("arguments", "given"),
    [
        (["add", "adi", "--role", "admin", "--password-file", "-"], "short\n"),
        (["add", "adi", "--role", "admin", "--operator", "nobody", "--generate"], None),
        (["add", " adi", "--role", "admin", "--generate"], None),
        (["disable", "nobody"], None),
        (["password", "nobody", "--generate"], None),
    ],
    ids=["short password", "unknown operator", "blank in login", "unknown user", "unknown user's password"],
)
def test_nothing_changes_when_the_command_is_wrong(data_dir: Path, arguments: list[str], given: str | None) -> None:
    refused = run(*arguments, given=given)
    assert refused.exit_code == 1
    assert refused.stdout == ""
    assert refused.stderr
    assert accounts(data_dir) == {}


def test_second_user_is_refused_when_the_login_is_taken(data_dir: Path) -> None:
    add_siti()
    again = add_siti()
    assert again.exit_code == 1
    assert "already" in again.stderr


def test_open_sessions_end_when_disabled_or_given_another_password(data_dir: Path) -> None:
    add_siti()
    assert run("disable", "siti").exit_code == 0
    disabled = accounts(data_dir)["siti"]
    assert (disabled.active, disabled.session_version) == (False, 2)
    assert run("enable", "siti").exit_code == 0
    new = run("password", "siti", "--generate").stdout.strip()
    account = accounts(data_dir)["siti"]
    assert (account.active, account.session_version) == (True, 4)
    assert PasswordHasher().verify(account.password_hash, new)


def test_list_shows_no_hash_when_printed() -> None:
    add_siti()
    shown = run("list", "--json")
    assert json.loads(shown.stdout) == [{"login": "siti", "active": True, "roles": ["operator"], "operator": "siti"}]
    assert "argon2" not in run("list").output


def test_fault_is_one_line_when_the_database_is_not_migrated(data_dir: Path) -> None:
    (data_dir / "callflow.db").unlink()
    refused = run("list")
    assert refused.exit_code == 1
    assert "callflow db upgrade" in refused.stderr
    assert "Traceback" not in refused.output
