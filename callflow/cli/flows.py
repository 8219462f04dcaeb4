"""`callflow flows`: checks and draws flow documents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from callflow.errors import ConfigurationError
from callflow.flows.canonical import flow_digest
from callflow.flows.default import default_flow_text
from callflow.flows.draw import draw_flow
from callflow.flows.problems import Problem
from callflow.flows.text import MAX_DOCUMENT_BYTES
from callflow.flows.timing import longest_seconds_without_key
from callflow.flows.validate import AvailablePrompts, Checked, check_flow
from callflow.media.available import available_prompts
from callflow.media.built_index import read_index
from callflow.media.manifest import DEFAULT_MANIFEST, load_manifest

app = typer.Typer(help="Check and draw IVR flows.", no_args_is_help=True)

FlowFile = Annotated[
    Path | None,
    typer.Argument(exists=True, dir_okay=False, help="A flow document; without one the default flow."),
]
PromptsDirectory = Annotated[
    Path | None,
    typer.Option(
        "--prompts", exists=True, file_okay=False, help="Built prompts; without it the names in the manifest count."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command()
def check(file: FlowFile = None, prompts: PromptsDirectory = None, as_json: AsJson = False) -> None:
    """Name everything that is wrong with a flow; exit code 1 when there is anything."""
    checked = check_flow(_read(file), _available(prompts))
    silence = _silence_seconds(checked, prompts)
    if as_json:
        typer.echo(json.dumps(_as_data(file, checked, silence), indent=2, ensure_ascii=False))
    else:
        _print(file, checked, silence)
    raise typer.Exit(1 if checked.problems else 0)


@app.command()
def draw(file: FlowFile = None) -> None:
    """Print a flow as a Mermaid flowchart. A flow with problems is named and not drawn."""
    checked = check_flow(_read(file), None)
    if checked.document is None:
        _list_problems(checked.problems, err=True)
        raise typer.Exit(1)
    typer.echo(draw_flow(checked.document), nl=False)


def _read(file: Path | None) -> str | bytes:
    if file is None:
        return default_flow_text()
    with file.open("rb") as opened:
        # One byte more than allowed is enough to be told that it is too large.
        return opened.read(MAX_DOCUMENT_BYTES + 1)


def _available(directory: Path | None) -> AvailablePrompts:
    if directory is not None:
        return available_prompts(directory)
    try:
        return load_manifest(DEFAULT_MANIFEST).names()
    except ConfigurationError as error:
        typer.echo(f"{error}; or name built prompts with --prompts", err=True)
        raise typer.Exit(1) from error


def _silence_seconds(checked: Checked, directory: Path | None) -> float | None:
    """How long a caller who presses nothing waits for the queue; None when that is not known."""
    if checked.document is None or directory is None:
        return None
    lengths = {path: built.seconds for path, built in read_index(directory).files.items()}
    try:
        return round(longest_seconds_without_key(checked.document, lengths), 1)
    except KeyError:  # prompts that were put there by hand
        return None


def _source(file: Path | None) -> str:
    return "default flow" if file is None else str(file)


def _as_data(file: Path | None, checked: Checked, silence: float | None) -> dict[str, object]:
    return {
        "source": _source(file),
        "ok": not checked.problems,
        "flow": None if checked.document is None else checked.document.flow,
        "version": None if checked.document is None else flow_digest(checked.document),
        "longest_seconds_without_key": silence,
        "problems": [problem.to_mapping() for problem in checked.problems],
    }


def _print(file: Path | None, checked: Checked, silence: float | None) -> None:
    if checked.document is not None:
        count = len(checked.document.nodes)
        typer.echo(f"{_source(file)}: ok, {count} nodes, version {flow_digest(checked.document)}")
        if silence is not None:
            typer.echo(f"a caller who presses nothing is in a queue after at most {silence} s")
        return
    _list_problems(checked.problems, err=False)
    typer.echo(f"{_source(file)}: {len(checked.problems)} problems", err=True)


def _list_problems(problems: tuple[Problem, ...], *, err: bool) -> None:
    for problem in problems:
        typer.echo(f"{problem}\n    {problem.message.id}", err=err)
