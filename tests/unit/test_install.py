"""docs/INSTALL.md says what the code says: its centre document is right, and its usual figures and ranges are true."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from callflow.centre import parse_centre
from callflow.centre.people import PauseReason
from callflow.centre.policies import PrankPolicy, QueuePolicy, TierPolicy
from callflow.core.city import USUAL_TIERS, CentreSettings
from callflow.core.city import PrankPolicy as UsualPranks

WHOLE = (Path(__file__).parents[2] / "docs" / "INSTALL.md").read_text(encoding="utf-8")
SECTION = WHOLE.split("\n## 3. ", 1)[1]
PIECES = re.findall(r"```toml\n(.*?)```", SECTION.split("\n## 4. ", 1)[0], re.DOTALL)
CENTRE = parse_centre("\n".join(PIECES), "docs/INSTALL.md")
OWN = {"medical", "last_resort", "agencies", "outside_trunk", "verified_trunks", "pause_reasons", "centre", "zone"}
"""What every city says for itself."""
RANGES = {
    (table, setting): (float(least), float(most))
    for table, lines in re.findall(r"^\[+([a-z_.]+)\]+[^\n]*\n((?:[^\[\n][^\n]*\n)+)", PIECES[-1], re.MULTILINE)
    for setting, least, most in re.findall(r"^(\w+) =.*?([0-9.]+) to ([0-9]+)$", lines, re.MULTILINE)
}
MODELS = {"queue": QueuePolicy, "queue.tiers": TierPolicy, "prank": PrankPolicy, "pause_reasons": PauseReason}


def test_example_has_every_part_of_the_document() -> None:
    assert [name for name in type(CENTRE).model_fields if not getattr(CENTRE, name)] == []


def test_figures_are_the_usual_ones() -> None:
    settings = CENTRE.settings()
    for field in fields(CentreSettings):
        if field.name not in OWN:
            assert getattr(settings, field.name) == field.default, field.name
    assert (settings.tiers, settings.prank) == (USUAL_TIERS, UsualPranks())


def test_every_figure_of_a_policy_has_its_range_told() -> None:
    figures = {
        (table, name)
        for table, model in MODELS.items()
        for name, field in model.model_fields.items()
        if field.metadata and name not in {"priority", "label_id", "label_en", "key", "name", "medical_skill"}
    }
    assert set(RANGES) == figures


@pytest.mark.parametrize(("table", "setting"), RANGES)
def test_range_is_the_one_that_is_told(table: str, setting: str) -> None:
    limits = {kind: limit for each in MODELS[table].model_fields[setting].metadata for kind, limit in _limits(each)}
    assert (limits["ge"], limits["le"]) == RANGES[table, setting]


def _limits(constraint: object) -> list[tuple[str, float]]:
    return [(kind, getattr(constraint, kind)) for kind in ("ge", "le") if hasattr(constraint, kind)]


def test_units_never_give_up_and_keep_the_well_when_one_process_takes_too_much_memory() -> None:
    asterisk, callflow = (
        dict(re.findall(r"^(\w+)=(.*)$", unit, re.MULTILINE))
        for unit in re.findall(r"```ini\n(\[Unit\].*?)```", WHOLE, re.DOTALL)
    )
    for unit in (asterisk, callflow):
        assert (unit["Restart"], unit["RestartSec"], unit["StartLimitIntervalSec"]) == ("always", "1", "0")
        assert unit["User"] == "callflow"
    assert callflow["OOMPolicy"] == "continue"
    assert int(asterisk["OOMScoreAdjust"]) < 0
