"""Checks, after a test and before its stage is taken down, the history of every Asterisk and stage the test had.

What is written behind the calls (CEL, the worker's rows) is waited for: a finding counts when it stays. A stage whose
engine is not there is judged by what needs none: the journal in itself, and Asterisk's own testimony. So is an Asterisk
that has no engine at all. A test that breaks the history on purpose says so, and which rules of it:
`@pytest.mark.broken_history("why", Rule.TIMES)`; none named = all.
"""

from __future__ import annotations

import math
import socket
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from callflow.demo.cast import Cast
from callflow.demo.stage import Stage
from callflow.numbers import normalise
from callflow.settings import Settings

from ..history.checker import Judgement, judge  # noqa: TID252
from ..history.collect import history_of  # noqa: TID252
from ..history.findings import Finding, History, Invite, Outcome, Rule  # noqa: TID252
from ..history.in_asterisk import standing_of  # noqa: TID252
from ..history.pausing import Pause  # noqa: TID252
from ..history.testers import watch_testers  # noqa: TID252
from .fault_stage import FaultStage
from .pbx import Pbx
from .raw_invite import CALLS
from .sipp import RUNS, SippCall, SippRun, parse_rows

SETTLED_SECONDS = 20.0
"""A record stands so soon after its call, on a busy machine too."""
_LOOK_AGAIN_SECONDS = 0.5
_OUTCOMES = {"gave_up": Outcome.GAVE_UP, "refused": Outcome.REFUSED}


@dataclass(frozen=True, slots=True)
class Place:
    """Where one installation keeps its history; `whole` = all processes of ours are part of it."""

    settings: Settings
    whole: bool


def places_in(values: Iterable[object]) -> list[Place]:
    """The installations among a test's fixtures, each once."""
    found: dict[Path, Place] = {}
    for value in values:
        place = _place(value)
        if place is not None:
            found[place.settings.data_dir] = place
    return list(found.values())


def _place(value: object) -> Place | None:
    match value:
        case Stage():
            return Place(value.layout.settings, whole=True)
        case Cast() | FaultStage():
            return Place(value.stage.layout.settings, whole=True)
        case Pbx():
            return Place(value.settings, whole=False)
        case _:
            return None


def lasting_judgement(place: Place, spared: Collection[Rule] = (), pause: Pause = time.sleep) -> Judgement:
    """What is wrong with an installation's history and does not come right by itself, and its numbers. Blocks.

    Args:
        spared: rules that are not judged.
        pause: waits between two looks.
    """
    fewest: float = math.inf
    until = 0.0
    while True:
        judgement = _judged(place)
        judgement = replace(judgement, findings=[each for each in judgement.findings if each.rule not in spared])
        if len(judgement.findings) < fewest:  # it is coming right: thousands of recordings take their time
            fewest, until = len(judgement.findings), time.monotonic() + SETTLED_SECONDS
        if not judgement.findings or time.monotonic() > until:
            return judgement
        pause(_LOOK_AGAIN_SECONDS)  # files tell nobody that they grew


def _judged(place: Place) -> Judgement:
    history = _history(place)
    if place.whole and _engine_answers(place.settings):
        return judge(history)
    by_asterisk = judge(replace(history, journal=None, rows=None, acknowledged=(), audio=()))
    if not place.whole:
        return by_asterisk
    in_itself = judge(History(journal=history.journal, acknowledged=history.acknowledged))
    return Judgement([*by_asterisk.findings, *in_itself.findings], by_asterisk.funnel)


def _history(place: Place) -> History:
    settings = place.settings
    standing = standing_of(settings, everybody_hung_up=not _in_calls())
    if not place.whole:
        history = history_of((), settings.cel_path, None, settings.recordings_dir)
    else:
        history = history_of(
            settings.journal_dirs,
            settings.cel_path,
            settings.data_dir / "callflow.db",
            settings.recordings_dir,
            acknowledged=watch_testers().acknowledged(settings),
            database_url=None if settings.database_url is None else settings.database,
        )
    return replace(history, invites=_invites(settings), standing=standing)


def _invites(settings: Settings) -> list[Invite]:
    """All that were sent to this trunk, by the logs of SIPp and of the phones."""
    trunk = (settings.trunk_host, settings.trunk_port)
    sent = [invite for run in RUNS if run.target == trunk for invite in _by_sipp(run)]
    return sent + watch_testers().invites(settings)


def _by_sipp(run: SippRun) -> list[Invite]:
    log = run.folder / "calls.log"
    calls = parse_rows(log.read_text(errors="replace")) if log.exists() else ()
    return [Invite(number=normalise(call.caller).number, outcome=_outcome(call, run)) for call in calls]


def _outcome(call: SippCall, run: SippRun) -> Outcome:
    if call.answered_at is not None:
        return Outcome.ANSWERED
    if call.ended_by is None and run.running:
        return Outcome.GOING_ON
    return _OUTCOMES.get(call.ended_by or "", Outcome.FAILED)


def _in_calls() -> bool:
    return watch_testers().in_calls() or any(run.running for run in RUNS) or any(not call.over for call in CALLS)


def wrong(findings: Iterable[Finding]) -> str:
    """The findings as a test's failure tells them."""
    return "the history is wrong:\n" + "\n".join(f"  {finding}" for finding in findings)


def _engine_answers(settings: Settings) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(settings.engine_socket))
        except OSError:
            return False
    return True
