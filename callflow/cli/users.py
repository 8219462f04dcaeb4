"""`callflow users`: adds, lists and disables those who sign in on the web, and gives new passwords."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, TypeVar

import typer
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from callflow.centre import CentreDocument, load_centre
from callflow.errors import CallflowError, ConfigurationError
from callflow.permissions import Role
from callflow.settings import Settings
from callflow.storage.sessions import open_database, sessions_of
from callflow.storage.users import Account, add_account, list_accounts, set_active, set_password
from callflow.web.passwords import LONGEST, SHORTEST, hash_password, new_password

app = typer.Typer(help="Who signs in on the web.", no_args_is_help=True)

_T = TypeVar("_T")
_LOGIN_LENGTH: Final = 64
PasswordFile = Annotated[
    Path | None,
    typer.Option(
        "--password-file",
        allow_dash=True,
        help="Read the password from this file's first line, '-' = standard input; else it is asked for.",
    ),
]
Generate = Annotated[bool, typer.Option("--generate", help="Make a password and print it, once.")]
Login = Annotated[str, typer.Argument(help="The name to sign in with.")]


@app.command()
def add(
    login: Login,
    role: Annotated[list[Role], typer.Option("--role", help="May be given more than once.")],
    operator: Annotated[
        str | None, typer.Option(help="The operator in the centre document that this person is.")
    ] = None,
    password_file: PasswordFile = None,
    generate: Generate = False,
) -> None:
    """Add a user. The password comes from a prompt, a file or standard input, or is made and printed once."""
    with_document(lambda document: _check(document, login, operator))
    password = _password(password_file, generate=generate)

    async def work(session: AsyncSession, centre: str) -> None:
        await add_account(
            session,
            centre=centre,
            login=login,
            password_hash=hash_password(password),
            roles=role,
            operator=operator,
            at=datetime.now(UTC),
        )

    in_database(work)
    typer.echo(f"{login} may sign in as {', '.join(sorted(role))}", err=True)
    if generate:
        typer.echo(password)


@app.command(name="list")
def list_users(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list.")] = False) -> None:
    """List the users; never their passwords."""
    accounts = in_database(list_accounts)
    if as_json:
        typer.echo(json.dumps([_as_data(account) for account in accounts], indent=2))
        return
    for account in accounts:
        state = "active" if account.active else "disabled"
        typer.echo(f"{account.login:<24} {state:<9} {','.join(sorted(account.roles)):<24} {account.operator or '-'}")


@app.command()
def disable(login: Login) -> None:
    """Let a user sign in no more and end this person's open sessions."""
    in_database(lambda session, centre: set_active(session, centre=centre, login=login, active=False, at=_now()))
    typer.echo(f"{login} may not sign in any more; open sessions end within seconds", err=True)


@app.command()
def enable(login: Login) -> None:
    """Let a disabled user sign in again, with the old password."""
    in_database(lambda session, centre: set_active(session, centre=centre, login=login, active=True, at=_now()))
    typer.echo(f"{login} may sign in again", err=True)


@app.command()
def password(login: Login, password_file: PasswordFile = None, generate: Generate = False) -> None:
    """Give a user another password and end this person's open sessions."""
    text = _password(password_file, generate=generate)
    hashed = hash_password(text)
    in_database(
        lambda session, centre: set_password(session, centre=centre, login=login, password_hash=hashed, at=_now())
    )
    typer.echo(f"{login} has a new password; open sessions end within seconds", err=True)
    if generate:
        typer.echo(text)


def in_database(work: Callable[[AsyncSession, str], Awaitable[_T]]) -> _T:
    """Do `work(session, centre)` in one transaction; an error of ours is printed and ends the command with 1."""

    async def run() -> _T:
        settings = Settings()
        centre = load_centre(settings.centre_path).centre.id
        engine = open_database(settings.database)
        try:
            async with sessions_of(engine).begin() as session:
                return await work(session, centre)
        finally:
            await engine.dispose()

    try:
        return asyncio.run(run())
    except (CallflowError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    except SQLAlchemyError as error:
        typer.echo(f"the database refused ({type(error).__name__}); is it migrated? callflow db upgrade", err=True)
        raise typer.Exit(1) from error


def with_document(check: Callable[[CentreDocument], None]) -> None:
    """Check something against the centre document; what is wrong is printed and ends the command with 1."""
    try:
        check(load_centre(Settings().centre_path))
    except CallflowError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


def _check(document: CentreDocument, login: str, operator: str | None) -> None:
    if not login.isprintable() or not 0 < len(login) <= _LOGIN_LENGTH or login != login.strip():
        raise ConfigurationError("login", [f"1 to {_LOGIN_LENGTH} printable characters, no space at either end"])
    known = [entry.login for entry in document.operators]
    if operator is not None and operator not in known:
        raise ConfigurationError("--operator", [f"{operator!r} is not in the centre document, which has {known}"])


def _password(file: Path | None, *, generate: bool) -> str:
    if generate:
        return new_password()
    if file is None:
        text = str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    elif str(file) == "-":
        text = sys.stdin.readline().rstrip("\r\n")
    else:
        text = file.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    if not SHORTEST <= len(text) <= LONGEST:
        typer.echo(f"a password has {SHORTEST} to {LONGEST} characters; --generate makes one", err=True)
        raise typer.Exit(1)
    return text


def _as_data(account: Account) -> dict[str, object]:
    return {
        "login": account.login,
        "active": account.active,
        "roles": sorted(account.roles),
        "operator": account.operator,
    }


def _now() -> datetime:
    return datetime.now(UTC)
