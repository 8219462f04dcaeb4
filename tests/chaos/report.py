"""Writes what chaos found: as JSON of a stable form, or as a table to read, also from such JSON later.

python -m tests.chaos.report < chaos.json           # of the matrix, of `--kills` or of `--flood`
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:  # the table is made from JSON without an Asterisk
    from .strike import Cell

RECORDS: Final = "records"
NOT_SET: Final = "not set"
"""Phases of cells that are no callers in a phase."""
HISTOGRAM_WIDTH: Final = 50
SHARES: Final = ("p50", "p90", "p99", "max")


def as_document(cells: Sequence[Cell]) -> dict[str, Any]:
    """The form of `--json`."""
    return {
        "callers": sum(cell.callers for cell in cells),
        "lost": sum(cell.lost for cell in cells),
        "rows_lost": sum(cell.rows_lost for cell in cells),
        "cells": [
            {
                "fault": cell.fault,
                "phase": str(cell.phase),
                "callers": cell.callers,
                "lost": cell.lost,
                "longest_limbo_seconds": cell.longest_limbo_seconds,
                "recovery_seconds": cell.recovery_seconds,
            }
            for cell in cells
        ],
    }


def as_json(cells: Sequence[Cell]) -> str:
    """One line for a program."""
    return json.dumps(as_document(cells))


def as_table(cells: Sequence[Cell]) -> str:
    """A table for a person, and for docs/RELIABILITY.md: it is Markdown."""
    return table_of(as_document(cells))


def table_of(document: dict[str, Any]) -> str:
    """The same from JSON: a row for each fault, its phases beside each other as `lost/callers limbo`."""
    by_fault: dict[str, list[dict[str, Any]]] = {}
    for cell in document["cells"]:
        if cell["phase"] != RECORDS:  # what was found once all was over is in the sum below
            by_fault.setdefault(cell["fault"], []).append(cell)
    phases = list(dict.fromkeys(cell["phase"] for cells in by_fault.values() for cell in cells))
    phases = [phase for phase in phases if phase not in {"background", NOT_SET}]
    rows = [
        f"| fault | {' | '.join(phases)} | background, lost of callers | recovery, s |",
        "|---|" + "--:|" * (len(phases) + 2),
    ]
    for fault, cells in by_fault.items():
        of_phase = {cell["phase"]: cell for cell in cells}
        fields = [_field(of_phase.get(phase)) for phase in phases]
        if NOT_SET in of_phase:
            fields[0] = "the scene could not be set"
        others = of_phase.get("background")
        fields.append("" if others is None else f"{others['lost']} of {others['callers']}")
        recovery = cells[0]["recovery_seconds"]
        fields.append("never" if recovery is None else f"{recovery:.1f}")
        rows.append(f"| {fault} | {' | '.join(fields)} |")
    rows.append(f"\n{document['callers']} callers, {document['lost']} lost, {document['rows_lost']} rows lost.")
    return "\n".join(rows)


def _field(cell: dict[str, Any] | None) -> str:
    """The longest limbo in seconds; LOST where somebody was."""
    if cell is None:
        return ""
    return f"{cell['longest_limbo_seconds']:.1f}" + (" LOST" if cell["lost"] else "")


def kills_table(found: dict[str, Any]) -> str:
    """What so many kills did: the percentiles, and how often each silence and each recovery came."""
    lines = [
        f"{found['kills']} kills (seed {found['seed']}), {found['callers']} callers, {found['live']:.0f} at once: "
        f"{found['lost']} lost, {found['rows_lost']} rows lost; {found['by_engine']} claimed by an engine, "
        f"{found['by_operator']} ended by an operator's phone after that person was heard.",
    ]
    if found["asterisk_died"]:
        times = ", ".join(found["asterisk_died"])
        lines += ["", f"Asterisk itself died at {times}; {found['cut_by_asterisk']} callers were cut off by that."]
    spreads = {name: found[f"{name}_seconds"] for name in ("limbo", "recovery") if found[f"{name}_seconds"]}
    lines += ["", "| | p50 | p90 | p99 | max |", "|---|--:|--:|--:|--:|"]
    for name, spread in spreads.items():
        lines.append(f"| {name}, s | " + " | ".join(f"{spread[share]:.1f}" for share in SHARES) + " |")
    for name, spread in spreads.items():
        lines += ["", f"{name}, s:", "", "```", *histogram(spread["counts"], spread["bin_seconds"]), "```"]
    return "\n".join(lines)


def histogram(counts: Sequence[int], bin_seconds: float) -> list[str]:
    """A bar for each bin up to the last that has any; whatever came at least once can be seen."""
    most = max(counts, default=0)
    lines = []
    for place, count in enumerate(counts):
        bar = "#" * math.ceil(HISTOGRAM_WIDTH * count / most) if most else ""
        lines.append(f"{place * bin_seconds:5.1f} to {(place + 1) * bin_seconds:4.1f}  {count:6d}  {bar}".rstrip())
    return lines


def flood_table(found: dict[str, Any]) -> str:
    """What a flood did, and the crowd after it."""
    marks = ", ".join(f"{name} {depth}" for name, depth in found["over_mark"].items()) or "none"
    answers = ", ".join(f"{name} {seconds:.1f}" for name, seconds in found["answer_seconds"].items())
    rows = {
        "highest rate at which each was answered within 2 s": f"{found['highest_rate']:g} a second",
        "flood": f"{found['flood_rate']:g} a second, {found['callers']} callers",
        "accepted": f"{found['accepted']}, {found['claimed']} of them by the engine",
        "refused at once, by SIP status": ", ".join(f"{n} by {status}" for status, n in found["refused"].items()) or 0,
        "ignored, no final answer": found["ignored"],
        "INVITE to answer, s": answers,
        "accepted and lost": found["lost"],
        "channels that stood longer than 10 s after the caller's BYE was answered; the longest, s": (
            f"{found['stood_long']}; {found['stood_seconds']:.1f}"
        ),
        "BYEs never answered": found["byes_untaken"],
        "records missing, or wrong in the history": found["rows_lost"],
        "how often one caller was claimed, at most": found["most_claims"],
        "callers right after the flood, and those whom the engine served": (
            f"{found['afterwards']}, {found['back_at_engine']}"
        ),
        "crowd, answered, lost": f"{found['crowd']}, {found['crowd_answered']}, {found['crowd_lost']}",
        "offered before somebody who had come earlier": found["overtaken"],
        "Asterisk itself died": f"{found['asterisk_died']} times",
        "task processors above their marks": marks,
        "memory of Asterisk before, at most, after, MB": _memory(found["asterisk_mb"]),
        "memory of Asterisk once told to give back what is free, MB": f"{found['trimmed_mb']:.0f}",
        "memory of the engine before, at most, after, MB": _memory(found["engine_mb"]),
    }
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows.items())])


def any_table(found: dict[str, Any]) -> str:
    """The table of whichever run this JSON is of."""
    if "cells" in found:
        return table_of(found)
    return kills_table(found) if "kills" in found else flood_table(found)


def _memory(megabytes: Sequence[float]) -> str:
    return ", ".join(f"{each:.0f}" for each in megabytes)


if __name__ == "__main__":
    sys.stdout.write(any_table(json.load(sys.stdin)) + "\n")
