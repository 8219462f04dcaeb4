from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from callflow.cli import simulate
from callflow.simulate.mixes import MIXES

RUN = CliRunner()
DOCUMENT = (Path(__file__).parents[3] / "docs" / "PRANKS.md").read_text(encoding="utf-8")


def test_document_shows_the_tables_when_the_command_of_the_document_prints_them() -> None:
    printed = RUN.invoke(simulate.app, ["pranks"])
    assert printed.exit_code == 0
    _, _, shown = DOCUMENT.partition("<!-- simulate pranks: begin -->")
    shown, _, _ = shown.partition("<!-- simulate pranks: end -->")
    assert shown.strip() == printed.stdout.strip()


def test_figures_and_assumptions_are_printed_as_json_when_asked() -> None:
    document = json.loads(RUN.invoke(simulate.app, ["pranks", "--json", "--seed", "7"]).stdout)
    assert document["seed"] == 7
    assert document["assumptions"]["calls_per_day"] == 100
    assert document["policy"]["flag_least"] == 2
    assert [mix["name"] for mix in document["mixes"]] == [mix.name for mix in MIXES]
    for mix in document["mixes"]:
        assert 0 < mix["recall"] < 1
        assert {each["group"] for each in mix["genuine_callers"]} >= {"shared_phone", "recycled_number", "victim"}
