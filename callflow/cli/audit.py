"""`callflow audit`: proves the journal, replays a call's decisions, signs heads, exports entries under signature."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from callflow.centre import load_centre
from callflow.core.ids import CallId, CentreId
from callflow.journal.accesses import record_access
from callflow.journal.export import export_lines
from callflow.journal.places import proof_places
from callflow.journal.replay import Difference, Replayed, Unreplayable, as_document, replay_call
from callflow.journal.signing import export_public_key, journal_key, read_public_key, sign_head
from callflow.journal.verify import Report, verify_journal
from callflow.settings import Settings

app = typer.Typer(help="Proof that nothing was changed, and of how a decision came about.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
PublicKey = Annotated[
    Path | None,
    typer.Option("--public-key", exists=True, dir_okay=False, help="The key to trust: a copy kept elsewhere."),
]
Purpose = Annotated[str, typer.Option(help="Why you look; it is recorded with your name.")]


@app.command()
def verify(public_key: PublicKey = None, as_json: AsJson = False) -> None:
    """Verify every chain, payload and signed head; exit code 1 names what is wrong."""
    settings = Settings()
    places = proof_places(settings)
    key = _public_key(public_key or places.public_key)
    report = verify_journal(settings.journal_dirs, places.heads, key)
    if as_json:
        typer.echo(json.dumps(_report_document(report), indent=2))
    else:
        _print_report(report)
    if not report.heads:
        typer.echo("no head was signed yet: what was cut off at an end could not be seen", err=True)
    raise typer.Exit(1 if report.findings else 0)


@app.command()
def replay(call: str, purpose: Purpose = "callflow audit replay", as_json: AsJson = False) -> None:
    """Decide a call again from the checkpoint before it; exit code 1 shows the first difference."""
    settings = Settings()
    replayed = replay_call(settings.journal_dirs, settings.checkpoints_dir, call)
    if replayed.outcome is not None:
        # A difference shows what callers and operators did.
        record_access(settings.journal_dir, _centre(settings), what="replay", call=CallId(call), purpose=purpose)
    if as_json:
        typer.echo(json.dumps(_replay_document(replayed), indent=2, ensure_ascii=False))
    else:
        _print_replay(replayed)
    raise typer.Exit(0 if replayed.outcome is None else 1)


@app.command()
def sign() -> None:
    """Sign where all chains stand now, and print the head's file. The daily one is made without you."""
    settings = Settings()
    places = proof_places(settings)
    key = journal_key(places.key)
    export_public_key(key, places.public_key)
    typer.echo(sign_head(settings.journal_dirs, places.heads, key, _centre(settings), datetime.now(UTC)))


@app.command()
def export(
    begin: Annotated[datetime | None, typer.Option("--from", help="Entries from this time on, UTC.")] = None,
    end: Annotated[datetime | None, typer.Option("--to", help="Entries before this time, UTC.")] = None,
    call: Annotated[str | None, typer.Option(help="Only entries that name this call.")] = None,
    payloads: Annotated[bool, typer.Option(help="With the payloads, which hold personal data.")] = True,
    purpose: Purpose = "callflow audit export",
) -> None:
    """Print entries as JSON lines; the last line signs all before it."""
    settings = Settings()
    key = journal_key(proof_places(settings).key)
    named = None if call is None else CallId(call)
    record_access(settings.journal_dir, _centre(settings), what="export", call=named, purpose=purpose)
    lines = export_lines(settings.journal_dirs, key, begin=_utc(begin), end=_utc(end), call=named, payloads=payloads)
    for line in lines:
        typer.echo(line)


def _centre(settings: Settings) -> CentreId:
    return CentreId(load_centre(settings.centre_path).centre.id)


def _public_key(path: Path) -> Ed25519PublicKey | None:
    return read_public_key(path) if path.exists() else None


def _utc(at: datetime | None) -> datetime | None:
    return None if at is None else at.replace(tzinfo=UTC)


def _report_document(report: Report) -> dict[str, Any]:
    return {
        "ok": not report.findings,
        "heads": report.heads,
        "chains": [
            {
                "file": chain.file,
                "writer": chain.writer,
                "chain_id": chain.chain_id,
                "entries": chain.entries,
                "last_seq": chain.last_seq,
                "erased": chain.erased,
                "lost": chain.lost,
            }
            for chain in report.chains
        ],
        "findings": [
            {"kind": found.kind.value, "file": found.file, "seq": found.seq, "detail": found.detail}
            for found in report.findings
        ],
    }


def _print_report(report: Report) -> None:
    for chain in report.chains:
        extra = "".join(
            f", {count} {word}" for count, word in ((chain.erased, "erased"), (chain.lost, "lost")) if count
        )
        typer.echo(f"{chain.writer or '?':<8} {chain.entries} entries up to {chain.last_seq}{extra}  {chain.file}")
    for found in report.findings:
        where = f" at entry {found.seq}" if found.seq else ""
        typer.echo(f"WRONG    {found.kind}{where}: {found.detail}  {found.file}")
    verdict = f"{len(report.findings)} faults" if report.findings else "nothing was changed"
    typer.echo(f"{verdict}; {report.heads} signed heads", err=True)


def _replay_document(replayed: Replayed) -> dict[str, Any]:
    return {
        "call": replayed.call,
        "same": replayed.outcome is None,
        "from_seq": replayed.from_seq,
        "first_seq": replayed.first_seq,
        "last_seq": replayed.last_seq,
        "events": replayed.events,
        "core": replayed.core,
        "outcome": None if replayed.outcome is None else as_document(replayed.outcome),
    }


def _print_replay(replayed: Replayed) -> None:
    span = f"entries {replayed.from_seq + 1} to {replayed.last_seq}"
    match replayed.outcome:
        case None:
            typer.echo(f"{replayed.call}: {replayed.events} events, {span}: every decision was the same")
        case Unreplayable() as hole:
            typer.echo(f"{replayed.call}: cannot be decided again at entry {hole.seq}: {hole.reason}")
        case Difference() as found:
            typer.echo(f"{replayed.call}: entry {found.seq}, {found.event}, command {found.position + 1} differs")
            typer.echo(f"  then: {json.dumps(found.expected, ensure_ascii=False)}")
            typer.echo(f"  now:  {json.dumps(found.actual, ensure_ascii=False)}")
            if found.same_core:
                typer.echo(f"  decided by the same core, {found.core}: a defect")
            else:
                typer.echo(f"  decided by core {found.journalled_by}; this is {found.core}")
