"""docs/OPERATE.md says what the code says: feature codes, pause reasons, alarms."""

from __future__ import annotations

from pathlib import Path

from callflow.core.centre_facts import AlarmKind
from callflow.core.city import USUAL_PAUSE_REASONS
from callflow.core.codes import CODES, Argument

OPERATE = (Path(__file__).parents[2] / "docs" / "OPERATE.md").read_text(encoding="utf-8")
WORDS = {Argument.NONE: "", Argument.OPTIONAL: "may follow", Argument.NEEDED: "has to follow"}


def rows(head: str) -> list[tuple[str, ...]]:
    """The rows of the table with this head."""
    found = []
    lines = OPERATE.split(f"{head}\n", 1)[1].splitlines()[1:]
    for line in lines:
        if not line.startswith("|"):
            break
        found.append(tuple(cell.strip().strip("`") for cell in line.strip("|").split("|")))
    return found


def test_every_feature_code_is_told_with_its_labels_in_both_languages() -> None:
    assert rows("| code | Indonesia | English | argument |") == [
        (code.digits, code.label.id, code.label.en, WORDS[code.argument]) for code in CODES.values()
    ]


def test_usual_pause_reasons_are_told_with_their_limits() -> None:
    assert rows("| key | Indonesia | English | at most |") == [
        (reason.key, reason.label_id, reason.label_en, f"{reason.limit_seconds / 60:g} min")
        for reason in USUAL_PAUSE_REASONS
    ]


def test_every_alarm_is_told_with_what_to_do() -> None:
    told = rows("| alarm | what it means | what to do |")
    assert sorted(kind for kind, _, _ in told) == sorted(AlarmKind)
    assert all(meaning and remedy for _, meaning, remedy in told)
