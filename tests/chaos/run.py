"""Strikes a whole installation with faults while people call, and says what became of every caller.

    python -m tests.chaos.run [--short] [--json] [--only FAULT,…] [--phase PHASE,…]
    python -m tests.chaos.run --kills 200 [--seed N] [--json]
    python -m tests.chaos.run --flood [--crowd-seconds 3600] [--json]

The result goes to standard output, what is going on to standard error. The exit status is 0 only when nobody was lost
and no record or acknowledged fact is missing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from callflow import logs
from callflow.errors import CallflowError

from ..asterisk.aftermath import journal_faults, leftovers  # noqa: TID252
from ..faults.clock import library  # noqa: TID252
from ..faults.names import hide_mounts  # noqa: TID252
from ..history.findings import Rule  # noqa: TID252
from .faults import FAULTS, Fault, chosen
from .flood import run_flood
from .going_on import background
from .grounds import Kind
from .history import wrong_in_history
from .kills import run_kills
from .report import NOT_SET, RECORDS, as_json, as_table
from .scene import Phase, Scene, set_scene
from .strike import Cell, strike


def say(text: str) -> None:
    """Tell a person who waits."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def main() -> int:
    """Run what the command line asks for; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="the faults that fit into two minutes")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("--only", default="", metavar="FAULT,…", help=", ".join(fault.name for fault in FAULTS))
    parser.add_argument("--phase", default="", metavar="PHASE,…", help=", ".join(Phase))
    parser.add_argument("--kills", type=int, metavar="N", help="instead: kill the engine N times under load")
    parser.add_argument("--seed", type=int, default=112, help="of the instants of --kills")
    parser.add_argument("--flood", action="store_true", help="instead: three times the highest rate, then a crowd")
    parser.add_argument("--flood-seconds", type=float, default=60.0, metavar="S", help="how long the flood lasts")
    parser.add_argument("--crowd-seconds", type=float, default=600.0, metavar="S", help="how long the crowd waits")
    parser.add_argument("--keep", type=Path, help="a folder for recordings and logs; a temporary one otherwise")
    options = parser.parse_args()
    try:
        faults = chosen(options.only, short=options.short)
        phases = tuple(Phase(name) for name in options.phase.split(",") if name) or tuple(Phase)
    except ValueError as error:
        parser.error(str(error))
    os.umask(0o077)
    faults = _possible_here(faults)
    logs.configure("WARNING", process="chaos")
    with tempfile.TemporaryDirectory(prefix="callflow-chaos-") as temporary:
        folder = options.keep or Path(temporary)
        if options.kills:
            return _kills(folder, options)
        if options.flood:
            return _flood(folder, options)
        cells = asyncio.run(run_matrix(folder, faults, phases))
    sys.stdout.write((as_json(cells) if options.json else as_table(cells)) + "\n")
    return 0 if cells and not any(cell.lost or cell.rows_lost for cell in cells) else 1


def _possible_here(faults: Sequence[Fault]) -> tuple[Fault, ...]:
    """The faults that this machine and user allow; what is left out is told."""
    left_out: list[Fault] = []
    if any(fault.kind is Kind.PREPARED for fault in faults):
        try:
            hide_mounts()
        except OSError as error:
            say(f"no mounts of our own ({error}): run it as root for the faults of disks, ARI, names and PostgreSQL")
            left_out += [fault for fault in faults if fault.kind is Kind.PREPARED]
    if library() is None:
        say("no libfaketime (Debian's package faketime): the clock cannot be set")
        left_out += [fault for fault in faults if fault.kind is Kind.CLOCK]
    for fault in left_out:
        say(f"left out: {fault.name}")
    return tuple(fault for fault in faults if fault not in left_out)


def _kills(folder: Path, options: argparse.Namespace) -> int:
    result = asyncio.run(run_kills(folder, options.kills, options.seed, say))
    for why in result.why:
        say(f"  {why}")
    sys.stdout.write((json.dumps(result.document()) if options.json else result.table()) + "\n")
    return 1 if result.lost or result.rows_lost or result.why else 0


def _flood(folder: Path, options: argparse.Namespace) -> int:
    result = asyncio.run(run_flood(folder, options.flood_seconds, options.crowd_seconds, say))
    for why in result.why:
        say(f"  {why}")
    sys.stdout.write((json.dumps(result.document()) if options.json else result.table()) + "\n")
    return 1 if result.lost or result.crowd_lost or result.rows_lost or result.overtaken or result.why else 0


async def run_matrix(folder: Path, faults: Sequence[Fault], phases: Sequence[Phase]) -> list[Cell]:
    """Strike with each fault in turn, on one installation for each kind of ground.

    A fault whose scene cannot be set counts as one caller lost, with the reason on standard error: what could not be
    shown was not shown.
    """
    cells: list[Cell] = []
    for kind in dict.fromkeys(fault.kind for fault in faults):
        of_kind = [fault for fault in faults if fault.kind is kind]
        cells += await _on_one_installation(kind, folder / kind, of_kind, phases)
    return cells


async def _on_one_installation(
    kind: Kind, folder: Path, faults: Sequence[Fault], phases: Sequence[Phase]
) -> list[Cell]:
    cells: list[Cell] = []
    async with set_scene(kind, folder, say) as scene:
        around = background(scene.stage.layout, folder / "sipp")
        for fault in faults:
            say(f"{fault.name} …")
            try:
                found = await strike(scene, fault, phases, around)
            except (CallflowError, TimeoutError) as error:
                found = [Cell(fault.name, NOT_SET, 1, 1, why=[f"{type(error).__name__}: {error}"])]
            cells += found
            for cell in found:
                for why in cell.why:
                    say(f"  {cell.phase}: {why}")
            say(f"  {sum(cell.lost for cell in found)} of {sum(cell.callers for cell in found)} lost")
        cells += await _afterwards(scene, kind)
    return cells


async def _afterwards(scene: Scene, kind: Kind) -> list[Cell]:
    """What is wrong with history and Asterisk once all is over; no cell when nothing is."""
    calls = [one.placed.call for one in scene.dialled if one.placed.call]
    wrong = [*await leftovers(scene.stage), *await asyncio.to_thread(journal_faults, scene.stage.layout, calls)]
    # CEL is written by the wall clock: where that was set, it cannot say how long nobody had a caller
    spared = (Rule.NEVER_NOBODY,) if kind is Kind.CLOCK else ()
    wrong += await asyncio.to_thread(wrong_in_history, scene.stage.layout, spared)
    for what in wrong:
        say(f"  afterwards: {what}")
    return [Cell(f"afterwards ({kind})", RECORDS, rows_lost=len(wrong), why=wrong)] if wrong else []


if __name__ == "__main__":
    sys.exit(main())
