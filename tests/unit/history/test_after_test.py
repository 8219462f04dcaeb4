"""The hook finds what is wrong in the files of a test's fixtures, and nothing in others."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from callflow.core.commands import Note
from callflow.core.facts import CallFact
from callflow.core.ids import CentreId

from ...history import after_test  # noqa: TID252
from ...history.findings import Rule  # noqa: TID252
from ..journal.books import PATIENCE_SECONDS, key, open_journal  # noqa: TID252
from .test_checker import FIRST, TALKED, ended


@dataclass
class Lab:
    """A fixture with a journal of its own."""

    journal_dirs: tuple[Path, ...]


def write(directory: Path, *facts: CallFact) -> None:
    with open_journal(directory) as journal:
        for fact in facts:
            journal.append(key(), [Note(fact=fact, centre=CentreId("banyuwangi"))])
        journal.wait_committed(journal.last_seq, PATIENCE_SECONDS)


@pytest.fixture(autouse=True)
def _in_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(after_test, "SETTLED_SECONDS", 0.0)


def test_nothing_is_found_when_the_journal_is_good(tmp_path: Path) -> None:
    write(tmp_path, *TALKED)
    assert after_test.lasting_findings([Lab((tmp_path,)), tmp_path, None]) == []


def test_test_fails_when_a_call_of_its_journal_was_closed_twice(tmp_path: Path) -> None:
    write(tmp_path, *TALKED, ended(FIRST, 12))
    (found,) = after_test.lasting_findings([Lab((tmp_path,))])
    assert (found.rule, found.about) == (Rule.ORDER, FIRST)
