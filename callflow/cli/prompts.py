"""`callflow prompts`: builds what callers hear."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from callflow.core.queueing import SYSTEM_PROMPTS
from callflow.core.whispering import OPERATOR_PROMPTS
from callflow.errors import CallflowError
from callflow.media.manifest import DEFAULT_MANIFEST, load_manifest
from callflow.media.prompts import BuildReport, build_prompts
from callflow.settings import Settings

app = typer.Typer(help="Build the prompts and the waiting music.", no_args_is_help=True)


@app.callback()
def prompts() -> None:
    """Build the prompts and the waiting music."""


@app.command()
def build(
    out: Annotated[Path | None, typer.Option(file_okay=False, help="Where to; else the data directory.")] = None,
    manifest: Annotated[Path, typer.Option(dir_okay=False, help="The texts.")] = DEFAULT_MANIFEST,
    recorded: Annotated[
        Path | None, typer.Option(file_okay=False, help="Recordings; else `recorded` beside the manifest.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Build every prompt in every language; exit code 1 when any is not as it should be."""
    directory = out or Settings().prompts_dir
    try:
        report = build_prompts(
            load_manifest(manifest),
            directory,
            recorded_dir=recorded or manifest.parent / "recorded",
            needed=(*SYSTEM_PROMPTS, *OPERATOR_PROMPTS),
            progress=lambda path: typer.echo(f"built {path}", err=True),
        )
    except (CallflowError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    if as_json:
        typer.echo(json.dumps(_as_data(directory, report), indent=2, ensure_ascii=False))
    else:
        _print(directory, report)
    raise typer.Exit(1 if report.problems else 0)


def _as_data(directory: Path, report: BuildReport) -> dict[str, object]:
    return {
        "directory": str(directory),
        "changed": list(report.changed),
        "files": {path: built.model_dump(mode="json") for path, built in report.files.items()},
        "problems": [{"prompt": problem.prompt, "reason": problem.reason} for problem in report.problems],
    }


def _print(directory: Path, report: BuildReport) -> None:
    for path, built in report.files.items():
        typer.echo(f"{path:<32} {built.source.value:<9} {built.seconds:6.2f} s  {built.speech_dbfs:6.1f} dBFS")
    for problem in report.problems:
        typer.echo(f"PROBLEM {problem}")
    typer.echo(f"{directory}: {len(report.files)} files, {len(report.changed)} made now", err=True)
