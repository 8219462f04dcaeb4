"""Journals of real runs, replayed: an old journal gives the decisions it gave then, whatever was written since.

To add one: run `callflow demo --once --data-dir DIR`, then with `CALLFLOW_DATA_DIR=DIR` `callflow audit export`, and
keep the lines of the writer `engine` as `NAME_VERSION.jsonl`. A change of the core that decides otherwise on purpose
raises `CORE_VERSION`; the history of before then stays here, and its first difference must name the other version.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from callflow.core.facts import CallConnected, CallEnded, CallOpened, CallServedInFallback
from callflow.core.switchboard import CORE_VERSION, Switchboard
from callflow.journal.codec import decode_fact
from callflow.journal.envelope import Envelope
from callflow.journal.reader import Entry
from callflow.journal.replay import Difference, replay

HISTORIES = sorted(Path(__file__).parent.glob("*.jsonl"))


def entries(history: Path) -> Iterator[Entry]:
    for line in history.read_text(encoding="utf-8").splitlines():
        document = json.loads(line)
        envelope = document["envelope"]
        yield Entry(
            envelope=Envelope(**{**envelope, "at": datetime.fromisoformat(envelope["at"])}), payload=document["payload"]
        )


@pytest.mark.parametrize("history", HISTORIES, ids=lambda path: path.stem)
def test_every_decision_is_the_same_when_an_old_journal_is_replayed(history: Path) -> None:
    # The part after '+' is a digest of the core's source: only a new CORE_VERSION announces other decisions.
    unannounced = [
        each
        for each in replay(entries(history), Switchboard())
        if not isinstance(each, Difference) or each.journalled_by.partition("+")[0] == str(CORE_VERSION)
    ]
    assert unannounced == []


@pytest.mark.parametrize("history", HISTORIES, ids=lambda path: path.stem)
def test_the_funnel_adds_up_when_the_facts_of_an_old_journal_are_counted(history: Path) -> None:
    facts = [
        decode_fact(command["fact"])
        for entry in entries(history)
        for command in entry.commands
        if command["type"] == "Note"
    ]
    opened = {fact.call for fact in facts if isinstance(fact, CallOpened)}
    ended = [fact.call for fact in facts if isinstance(fact, CallEnded)]
    connected = {fact.call for fact in facts if isinstance(fact, CallConnected)}
    fallback = {fact.call for fact in facts if isinstance(fact, CallServedInFallback)}
    assert sorted(ended) == sorted(opened)
    assert connected <= opened
    assert fallback.isdisjoint(opened)
    assert opened
    assert fallback
