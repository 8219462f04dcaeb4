"""The history checker reads the calls of either database, and finds the one that is not in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import delete

from callflow.core.facts import CallEnded, HangupParty, Stage
from callflow.storage.models import Call, ProjectorPosition
from callflow.storage.sessions import Sessions

from ..history.checker import judge  # noqa: TID252
from ..history.collect import history_of  # noqa: TID252
from ..history.findings import Acknowledged, Rule  # noqa: TID252
from .test_projector import OPENED, project, write_facts

ENDED = CallEnded(at=OPENED.at, call=OPENED.call, stage=Stage.ABANDONED_IN_QUEUE, ended_by=HangupParty.CALLER, cause=16)


@pytest.mark.parametrize(
    ("struck", "rule"), [(None, None), (Call, Rule.SAME_IN_DATABASE), (ProjectorPosition, Rule.KEPT)]
)
async def test_rows_are_compared_with_the_journal_when_the_database_is_of_either_kind(
    tmp_path: Path, url: str, sessions: Sessions, struck: type[Call] | type[ProjectorPosition] | None, rule: Rule | None
) -> None:
    write_facts(tmp_path / "journal", OPENED, ENDED)
    await project(tmp_path / "journal", sessions)
    if struck is not None:
        async with sessions.begin() as session:
            await session.execute(delete(struck))
    read = history_of((tmp_path / "journal",), tmp_path / "cel.db", None, tmp_path, database_url=url)
    written = list(read.journal or ())
    told = [Acknowledged(seq=one.seq, event=one.event) for one in written]
    judgement = judge(replace(read, journal=written, acknowledged=told))
    assert {finding.rule for finding in judgement.findings} <= {rule, Rule.FUNNEL}
    assert bool(judgement.findings) is (rule is not None)
