"""Puts outcomes into words: tables for docs/PRANKS.md, and a document for programs."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Final

from callflow.core.city import PrankPolicy
from callflow.simulate.mixes import Assumptions
from callflow.simulate.population import Group
from callflow.simulate.pranks import Harm, Outcome

_GROUPS: Final = {
    Group.SHARED_PHONE: "a family phone with a child that pranks",
    Group.RECYCLED_NUMBER: "a number that was a prankster's",
    Group.VICTIM: "a number that others forge",
    Group.WITHOUT_PAST: "no past",
    Group.WITHOUT_NUMBER: "no number",
}


def as_text(outcomes: Sequence[Outcome]) -> str:
    """Both tables, in Markdown."""
    quality = [
        (
            outcome.mix.name,
            f"{outcome.calls:,}",
            f"{outcome.mix.answered:.1%}",
            f"{outcome.pranks:,}",
            _share(outcome.precision),
            f"{outcome.recall:.1%}",
            f"{outcome.recall_of_pranksters:.1%}",
            f"{outcome.genuine_flagged:,} of {outcome.genuine:,} ({outcome.genuine_flagged / outcome.genuine:.2%})",
            f"{outcome.ghosts_flagged:,} of {outcome.ghosts:,}",
        )
        for outcome in outcomes
    ]
    harm = [
        (
            outcome.mix.name,
            _GROUPS[each.group],
            f"{each.calls:,}",
            f"{each.flagged:,}",
            f"{each.warned:,}",
            f"{each.later:,}",
            f"{each.later_seconds:g} s",
            "-" if each.until_cleared is None else f"{each.until_cleared:.1f} (most {max(each.flagged_in_a_row)})",
        )
        for outcome in outcomes
        for each in outcome.harms
    ]
    return "\n".join(
        (
            *_table(
                (
                    "mix",
                    "calls",
                    "answered",
                    "pranks with a number",
                    "precision",
                    "recall",
                    "recall, repeaters",
                    "genuine calls flagged",
                    "ghosts flagged",
                ),
                quality,
            ),
            "",
            *_table(
                (
                    "mix",
                    "genuine callers with",
                    "genuine calls",
                    "flag shown",
                    "warning heard",
                    "stood later",
                    "by at most",
                    "calls until cleared",
                ),
                harm,
            ),
        )
    )


def as_document(outcomes: Sequence[Outcome], assumed: Assumptions, policy: PrankPolicy, seed: int) -> dict[str, Any]:
    """All of it as JSON values."""
    return {
        "seed": seed,
        "policy": dataclasses.asdict(policy),
        "assumptions": dataclasses.asdict(assumed),
        "mixes": [
            {
                "name": outcome.mix.name,
                "source": outcome.mix.source,
                "answered": round(outcome.mix.answered, 4),
                **{
                    name: getattr(outcome, name)
                    for name in (
                        "calls",
                        "pranks",
                        "pranks_flagged",
                        "pranks_of_pranksters",
                        "pranks_of_pranksters_flagged",
                        "genuine",
                        "genuine_flagged",
                        "ghosts",
                        "ghosts_flagged",
                    )
                },
                "precision": _figure(outcome.precision),
                "recall": _figure(outcome.recall),
                "recall_of_pranksters": _figure(outcome.recall_of_pranksters),
                "genuine_callers": [_harm_document(each) for each in outcome.harms],
            }
            for outcome in outcomes
        ],
    }


def _harm_document(harm: Harm) -> dict[str, Any]:
    return {
        "group": str(harm.group),
        "calls": harm.calls,
        "flagged": harm.flagged,
        "warned": harm.warned,
        "later": harm.later,
        "later_seconds_most": harm.later_seconds,
        "calls_until_cleared": _figure(harm.until_cleared),
        "calls_until_cleared_most": max(harm.flagged_in_a_row, default=0),
    }


def _figure(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [
        f"| {' | '.join(head)} |",
        f"|{'---|' * len(head)}",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]
