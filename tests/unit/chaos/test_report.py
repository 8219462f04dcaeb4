"""The tables of docs/RELIABILITY.md are made from the JSON of a run, whichever it was."""

from __future__ import annotations

from typing import Any

from ...chaos.report import any_table, histogram  # noqa: TID252

SPREAD = {"p50": 0.3, "p90": 2.1, "p99": 2.2, "max": 2.4, "bin_seconds": 0.5, "counts": [100, 0, 0, 1, 9]}
KILLS: dict[str, Any] = {
    "kills": 20,
    "seed": 112,
    "callers": 962,
    "live": 49.6,
    "lost": 0,
    "rows_lost": 0,
    "by_engine": 700,
    "by_operator": 1,
    "limbo_seconds": SPREAD,
    "recovery_seconds": SPREAD,
    "asterisk_died": [],
    "cut_by_asterisk": 0,
    "why": [],
}
FLOOD: dict[str, Any] = {
    "highest_rate": 64.0,
    "flood_rate": 192.0,
    "callers": 2880,
    "accepted": 1625,
    "refused": {"488": 5, "503": 1250},
    "ignored": 0,
    "lost": 0,
    "rows_lost": 0,
    "crowd": 16,
    "crowd_answered": 15,
    "crowd_lost": 1,
    "overtaken": 0,
    "over_mark": {},
    "asterisk_mb": [287.0, 727.4, 664.8],
    "trimmed_mb": 310.2,
    "engine_mb": [86.9, 100.2, 99.8],
    "asterisk_died": 0,
    "claimed": 909,
    "most_claims": 1,
    "back_at_engine": 10,
    "afterwards": 10,
    "stood_seconds": 2.61,
    "stood_long": 0,
    "byes_untaken": 0,
    "answer_seconds": {"p50": 2.07, "p100": 8.55},
}
CELL = {"callers": 1, "lost": 0, "longest_limbo_seconds": 0.4, "recovery_seconds": 5.5}


def test_bar_is_seen_when_a_bin_has_one_of_thousands() -> None:
    lines = histogram([5000, 1], 0.5)

    assert lines[0] == "  0.0 to  0.5    5000  " + "#" * 50
    assert lines[1] == "  0.5 to  1.0       1  #"


def test_percentiles_and_counts_stand_in_the_table_when_the_run_was_of_kills() -> None:
    table = any_table(KILLS)

    assert "| limbo, s | 0.3 | 2.1 | 2.2 | 2.4 |" in table
    assert "  2.0 to  2.5       9  #####" in table
    assert "Asterisk itself" not in table


def test_death_of_asterisk_is_told_when_the_run_had_one() -> None:
    assert "died at 10:11:12; 7 callers" in any_table(KILLS | {"asterisk_died": ["10:11:12"], "cut_by_asterisk": 7})


def test_refusals_and_ends_stand_in_the_table_when_the_run_was_a_flood() -> None:
    table = any_table(FLOOD)

    assert "| refused at once, by SIP status | 5 by 488, 1250 by 503 |" in table
    assert "the longest, s | 0; 2.6 |" in table
    assert "| crowd, answered, lost | 16, 15, 1 |" in table


def test_recovery_is_never_when_no_new_caller_was_served() -> None:
    cells = [{"fault": "engine_killed", "phase": "queue", **CELL, "recovery_seconds": None}]

    assert "| engine_killed | 0.4 |  | never |" in any_table({"callers": 1, "lost": 0, "rows_lost": 0, "cells": cells})


def test_lost_stands_in_the_field_when_somebody_was() -> None:
    cells = [{"fault": "engine_killed", "phase": "queue", **CELL, "lost": 1}]

    assert "0.4 LOST" in any_table({"callers": 1, "lost": 1, "rows_lost": 0, "cells": cells})
