"""`callflow demo`: a whole centre on this machine's loopback, with a private Asterisk, ready to be called."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console as Terminal
from rich.table import Table

from callflow import logs
from callflow.demo.layout import Layout, lay_out
from callflow.errors import CallflowError

QUICK: Final = {
    "ring_seconds": 5.0,
    "wrap_up_seconds": 1.0,
    "set_aside_seconds": 5.0,
    "medical_after_seconds": 3.0,
    "agency_ring_seconds": 8.0,
}
"""Shorter waits than a centre's, so that the scripted calls take minutes; nothing else differs."""

told = Terminal(stderr=True, highlight=False)


def demo(  # noqa: PLR0917 - typer reads a command's options from its parameters
    data_dir: Annotated[Path, typer.Option(help="Everything the demonstration writes.")] = Path("var/demo"),
    sip_port: Annotated[int | None, typer.Option(help="Where phones register; default: a free port.")] = None,
    http_port: Annotated[int | None, typer.Option(help="The page and the API; default: 8112, or a free port.")] = None,
    once: Annotated[bool, typer.Option("--once", help="Place the scripted calls, print their records, end.")] = False,
    only: Annotated[list[str] | None, typer.Option(help="With --once: only scripts whose name has this text.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="With --once: the records as JSON.")] = False,
) -> None:
    """Start a centre to try. Ctrl-C ends all of it."""
    os.umask(0o077)
    logs.configure("WARNING", process="demo")
    layout = lay_out(data_dir, sip_port=sip_port, http_port=http_port, queue=QUICK if once else None)
    try:
        failed = asyncio.run(_until_told(_once(layout, only or [], as_json) if once else _stay(layout)))
    except CallflowError as error:
        told.print(f"[red]callflow demo:[/red] {error}", markup=True, soft_wrap=True)
        raise typer.Exit(1) from error
    if failed:
        raise typer.Exit(1)


async def _until_told(main: Any) -> bool:
    """Run; Ctrl-C and SIGTERM end it in good order."""
    task = asyncio.ensure_future(main)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with suppress(asyncio.CancelledError):
        return bool(await task)
    told.print("ended")
    return False


class _Progress:
    """Lines with the time since the start."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def __call__(self, line: str) -> None:
        told.print(f"[dim]{time.monotonic() - self._started:6.1f} s[/dim]  {line}", soft_wrap=True)


async def _once(layout: Layout, only: list[str], as_json: bool) -> bool:
    from callflow.demo.play import play_all  # noqa: PLC0415 - needs the phones, which an installation has not

    records, failures = await play_all(layout, only, _Progress())
    if as_json:
        typer.echo(json.dumps(records, indent=2, ensure_ascii=False))
    else:
        typer.echo(_as_table(records))
    for failure in failures:
        told.print(f"[red]not as told:[/red] {failure}", soft_wrap=True)
    told.print(f"{len(records)} records, {len(failures)} faults; all of it is in {layout.settings.data_dir}")
    return bool(failures)


def _as_table(records: list[dict[str, Any]]) -> str:
    table = Table("scenario", "caller", "path", "stage", "person", "ended by", "audio s")
    for record in records:
        person = record["operator"] or next((o["destination"] for o in record["offers"] if o["destination"]), None)
        table.add_row(
            record["scenario"],
            record["caller"] or "?",
            " ".join(record["path"]) or "-",
            str(record["stage"]),
            person or "-",
            str(record["hangup"]["by"]),
            str(record["recording"].get("mixed", {}).get("seconds", "-")),
        )
    written = io.StringIO()
    Terminal(width=150, file=written).print(table)
    return written.getvalue()


async def _stay(layout: Layout) -> bool:
    from callflow.demo.play import show_one_call  # noqa: PLC0415 - as above
    from callflow.demo.stage import set_stage  # noqa: PLC0415 - as above

    async with set_stage(layout, _Progress()) as stage:
        _where_it_is(layout)
        with tempfile.TemporaryDirectory(prefix="callflow-demo-") as folder:
            await show_one_call(stage, Path(folder), _Progress())
        _what_to_try(layout)
        await asyncio.Event().wait()
    return False


def _where_it_is(layout: Layout) -> None:
    table = Table("who", "login", "password", title="Logins / Akun", title_justify="left")
    for login, password in layout.passwords.items():
        table.add_row(login, login, password)
    for operator in layout.operators:
        table.add_row(f"operator {operator.name}", operator.login, operator.password)
    told.print()
    told.print(f"[bold]callflow is up / siap:[/bold]  {layout.web_url}", soft_wrap=True)
    told.print(table)
    told.print()


def _what_to_try(layout: Layout) -> None:
    settings = layout.settings
    told.print()
    told.print("What to try / Yang dapat dicoba:")
    told.print(f"  - sign in to {layout.web_url} and watch calls as they happen", soft_wrap=True)
    told.print(
        f"  - register a SIP phone: server {settings.sip_host}:{settings.sip_port}, user and password in {layout.file}",
        soft_wrap=True,
    )
    told.print("  - all scripted calls: make run ARGS=--once")
    look = f"CALLFLOW_CONFIG={layout.config_file} .venv/bin/callflow"
    told.print(f"  - look at the records: {look} calls list", soft_wrap=True)
    told.print(
        f"  - prove that nothing was changed: {look} audit verify; examine it all: {look} doctor", soft_wrap=True
    )
    told.print("Ctrl-C ends all of it / mengakhiri semuanya.")
