"""Holds journal, database, CEL and the callers' own logs of a run against each other; see `tests/history`."""

from __future__ import annotations

from collections.abc import Collection

from callflow.demo.layout import Layout

from ..asterisk.history_check import Place, lasting_judgement  # noqa: TID252
from ..history.collect import journal  # noqa: TID252
from ..history.findings import Rule  # noqa: TID252
from ..history.in_journal import JournalReading  # noqa: TID252
from ..history.testers import watch_testers  # noqa: TID252

watch_testers()  # before anybody asks or dials: what was acknowledged is kept from here on


def wrong_in_history(layout: Layout, spared: Collection[Rule] = ()) -> list[str]:
    """What is wrong with it once all is over and does not come right by itself. Blocks; processes must still run."""
    found = lasting_judgement(Place(layout.settings, whole=True), spared).findings
    return [str(finding) for finding in found]


def most_claims(layout: Layout) -> int:
    """How often one caller was claimed by an engine, at most: to and fro is no way to reach a person. Blocks."""
    reading = JournalReading()
    for entry in journal(layout.settings.journal_dirs):
        reading.take(entry)
    return max((len(call.claimed) for call in reading.calls.values()), default=0)
