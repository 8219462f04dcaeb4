"""Judges a history: the journal in itself, then each pair of witnesses of the same calls.

    findings = check(History(journal=…, cel=…, rows=…))
    judgement = judge(history)      # its findings, and its funnel in numbers

Pure, one pass over each witness. A call that still goes on is judged only by what must hold of it already.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from callflow.core.facts import Stage

from .findings import Finding, History, Invite, Outcome, Row, Rule, Standing
from .funnel import StorageFunnel, funnel_of
from .in_cel import CelCall, CelReading
from .in_journal import JournalCall, JournalReading

NOBODY_AT_MOST: Final = timedelta(seconds=10)
STILL_TALKS_AFTER: Final = timedelta(seconds=1)
"""The engine's connecting and the dialplan's mark are told by two clocks' readings."""
IN_THE_FUNNEL: Final = (
    Stage.ABANDONED_IN_IVR,
    Stage.ABANDONED_IN_QUEUE,
    Stage.ANSWERED,
    Stage.HANDLED_IN_FALLBACK,
    Stage.ENDED_IN_INFORMATION,
)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is wrong with a history, [] = nothing, and how many calls each witness has."""

    findings: list[Finding]
    funnel: StorageFunnel


def check(history: History) -> list[Finding]:
    """All that is wrong with it; [] = nothing."""
    return judge(history).findings


def judge(history: History) -> Judgement:
    """All that is wrong with it, and its numbers."""
    journal, cel = JournalReading(), CelReading()
    for entry in history.journal or ():
        journal.take(entry)
    for event in history.cel or ():
        cel.take(event)
    cel.know(journal.calls)
    rows = {} if history.rows is None else {row.call: row for row in history.rows}
    invites = tuple(history.invites)
    funnel = funnel_of(
        invites,
        None if history.cel is None else cel,
        None if history.journal is None else journal.calls,
        None if history.rows is None else rows.values(),
        history.standing,
    )
    found = list(journal.findings)
    found += journal.not_kept(history.acknowledged, history.projected)
    if history.cel is not None:
        found += cel.findings(history.standing)
        arrived = (channel.number for channel in cel.channels.values() if channel.inbound)
        found += _each_invite(invites, Counter(arrived), "channels")
    found += _left(history.standing)
    if history.journal is not None and history.cel is not None:
        found += _journal_against_cel(journal.calls, cel.calls)
    if history.rows is not None:
        found += _times(rows)
        found += _funnel(rows, history.funnel)
        if history.journal is not None:
            found += _journal_against_rows(journal.calls, rows)
        found += _invited(history, rows)
        found += _each_invite(invites, Counter(row.caller_number for row in rows.values() if row.inbound), "records")
    found += _audio(history, journal.calls, cel.calls)
    found += (Finding(Rule.FUNNEL, "all calls", fault) for fault in funnel.faults())
    return Judgement(found, funnel)


def _each_invite(invites: Collection[Invite], there: Mapping[str | None, int], what: str) -> Iterator[Finding]:
    """Each INVITE that was answered is one call; one that was not is one at most."""
    sent = Counter(invite.number for invite in invites)
    answered = Counter(invite.number for invite in invites if invite.outcome is Outcome.ANSWERED)
    for number, count in sent.items():
        about = "callers without a number" if number is None else f"the caller …{number[-4:]}"
        found = there.get(number, 0)
        if found < answered[number]:
            yield Finding(Rule.ONE_RECORD, about, f"{answered[number]} INVITEs were answered, {found} {what}")
        elif number is not None and found > count:
            yield Finding(Rule.ONE_RECORD, about, f"{count} INVITEs were sent, {found} {what}")


def _left(standing: Standing | None) -> Iterator[Finding]:
    if standing is not None and standing.everybody_hung_up:
        for channel in sorted(standing.channels):
            yield Finding(Rule.NOTHING_LEFT, channel, "is still there, and nobody is in a call any more")


def _journal_against_cel(journal: Mapping[str, JournalCall], cel: Mapping[str, CelCall]) -> Iterator[Finding]:
    for name, channel in cel.items():
        call = journal.get(name)
        if channel.ended_at is None or channel.outbound:
            continue
        if call is None or not (call.ends or call.fallback_ends):
            yield Finding(Rule.ONE_RECORD, name, f"its channel ended {channel.ended_at}; it has no terminal record")
        elif call.in_fallback and not channel.fallback_at:
            yield Finding(Rule.ONE_RECORD, name, "is recorded as the fallback's, where it never was")
        yield from _owners(name, call, channel)
    for name, call in journal.items():
        if call.inbound and name not in cel:
            yield Finding(Rule.KNOWN_CALL, name, "stands in the journal; CEL has no such channel")


def _owners(name: str, call: JournalCall | None, channel: CelCall) -> Iterator[Finding]:
    claimed = [] if call is None else call.claimed
    taken = sorted([*claimed, *channel.fallback_at])
    free = [channel.began_at, *([] if call is None else call.handed_back)]
    for since in free:
        if any(mark <= since for mark in channel.fallback_at):
            continue  # told late: the dialplan had it already
        until = next((at for at in taken if at >= since), channel.ended_at)
        if until is not None and until - since > NOBODY_AT_MOST:
            yield Finding(Rule.NEVER_NOBODY, name, f"nobody's from {since} to {until}")
    for at in [] if call is None else call.connected:
        fallback = next((mark for mark in channel.fallback_at if at - mark > STILL_TALKS_AFTER), None)
        if fallback is not None:
            yield Finding(Rule.ONE_OWNER, name, f"in the fallback since {fallback}, connected by the engine {at}")


def _journal_against_rows(journal: Mapping[str, JournalCall], rows: Mapping[str, Row]) -> Iterator[Finding]:
    for name, call in journal.items():
        if not call.opened and not call.fallback_ends:
            continue  # told as a fault of the journal's order
        row = rows.get(name)
        if row is None:
            yield Finding(Rule.SAME_IN_DATABASE, name, "is in the journal, not in the database")
        elif (call.ends or call.fallback_ends) and row.ended_at is None:
            yield Finding(Rule.SAME_IN_DATABASE, name, "is closed in the journal, open in the database")
        elif call.stage is not None and row.stage != call.stage.value:
            yield Finding(Rule.SAME_IN_DATABASE, name, f"{call.stage} in the journal, {row.stage} in the database")
    for name in rows.keys() - journal.keys():
        yield Finding(Rule.SAME_IN_DATABASE, name, "is in the database, not in the journal")


def _times(rows: Mapping[str, Row]) -> Iterator[Finding]:
    for name, row in rows.items():
        for what in ("queued_at", "answered_at", "ended_at"):
            at = getattr(row, what)
            if at is not None and at < row.arrived_at:
                yield Finding(Rule.TIMES, name, f"{what} {at}, arrived {row.arrived_at}")
        if row.answered_at is not None and row.ended_at is not None and row.ended_at < row.answered_at:
            yield Finding(Rule.TIMES, name, f"ended {row.ended_at}, answered {row.answered_at}")


def _funnel(rows: Mapping[str, Row], told: Mapping[str, int]) -> Iterator[Finding]:
    inbound = [row for row in rows.values() if row.inbound]
    stages = Counter(row.stage for row in inbound)
    known = sum(stages[stage.value] for stage in IN_THE_FUNNEL)
    going_on = stages[None]
    if known + going_on != len(inbound):
        strange = sorted(str(stage) for stage in stages if stage not in {*IN_THE_FUNNEL, None})
        yield Finding(Rule.FUNNEL, "all calls", f"{len(inbound)} arrived, {known + going_on} accounted for: {strange}")
    ours = {stage.value: stages[stage.value] for stage in IN_THE_FUNNEL}
    ours |= {"arrived": len(inbound), "in_progress": going_on}
    for name, count in told.items():
        if ours.get(name, count) != count:
            yield Finding(Rule.FUNNEL, name, f"the product counts {count}, the records are {ours[name]}")


def _invited(history: History, rows: Mapping[str, Row]) -> Iterator[Finding]:
    sent = Counter(history.invited)
    came = Counter(row.caller_number for row in rows.values() if row.inbound)
    for number, count in sent.items():
        if came[number] != count:
            about = f"the caller …{number[-4:]}"
            yield Finding(Rule.ONE_RECORD, about, f"{count} INVITEs answered, {came[number]} records")


def _audio(history: History, journal: Mapping[str, JournalCall], cel: Mapping[str, CelCall]) -> Iterator[Finding]:
    if history.journal is None:
        return
    for name, call in journal.items():
        if call.answered and (call.ends or call.fallback_ends) and not call.audio:
            yield Finding(Rule.AUDIO, name, "was answered and has neither audio nor a reason why not")
    for track in history.audio:
        if not _calls_of(track) & (journal.keys() | cel.keys()):
            yield Finding(Rule.AUDIO, track, "is the audio of no call that is known")


def _calls_of(track: str) -> set[str]:
    """The ids a file may be named by: `<call>`, `<call>-in`, `<call>-out`, `<call>-consult-<n>`."""
    base = track.removesuffix("-in").removesuffix("-out")
    return {track, base, track.rpartition("-consult-")[0]}
