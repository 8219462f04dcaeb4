"""`callflow doctor`: says whether this installation is ready for calls, and what to do about each fault."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from typing import Annotated

import typer

from callflow.doctor.examine import examine, ready
from callflow.doctor.finding import State
from callflow.settings import Settings

_SIGNS = {State.OK: "ok  ", State.WARN: "WARN", State.FAIL: "FAIL"}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Examine this installation; exit code 1 when it is not ready for calls."""
    findings = asyncio.run(examine(Settings()))
    fit = ready(findings)
    if as_json:
        typer.echo(json.dumps({"ready": fit, "findings": [asdict(finding) for finding in findings]}, indent=2))
    else:
        for finding in findings:
            typer.echo(f"{_SIGNS[finding.state]} {finding.name}: {finding.what}")
            if finding.remedy:
                typer.echo(f"     → {finding.remedy}")
        typer.echo("ready for calls" if fit else "NOT ready for calls")
    raise typer.Exit(0 if fit else 1)
