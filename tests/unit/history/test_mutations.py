"""Whatever one thing is changed in whatever good history, the checker finds it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.core.facts import CallConnected, CallEnded, CallOpened, Fact, Stage
from callflow.core.ids import CallId, OperatorId

from ...history.checker import check, judge  # noqa: TID252
from ...history.findings import (  # noqa: TID252
    Acknowledged,
    CelRow,
    History,
    Invite,
    Outcome,
    Projected,
    Row,
    Rule,
    Standing,
    Written,
)
from .test_checker import at, audio, channel, connected, ended, entries, opened, row, served

_LONGEST: Final = 8
_OPERATORS: Final = ("siti", "budi", "dewi")


@dataclass(frozen=True, slots=True)
class Told:
    """A good history as lists; `talked` are the calls that somebody answered, in order of their talks."""

    facts: list[Fact]
    cel: list[CelRow]
    rows: list[Row]
    invites: list[Invite]
    talked: list[CallId]

    def history(self) -> History:
        written = entries(*self.facts)
        return History(
            journal=written,
            cel=self.cel,
            rows=self.rows,
            invites=self.invites,
            acknowledged=[Acknowledged(seq=one.seq, event=one.event) for one in written],
            projected=Projected(reached={"engine": len(written)}),
            standing=Standing(since=at(-3600), channels=frozenset(), everybody_hung_up=True),
            audio=[one.call for one in self.rows],
        )


def number_of(call: int) -> str:
    return f"+6281234567{call:03}"


def told(kinds: Sequence[str]) -> Told:
    """Calls of these kinds (`talked`, `gave_up`, `fallback`), one a minute; talks with one operator never overlap."""
    history = Told([], [], [], [], [])
    for position, kind in enumerate(kinds):
        call, begin = CallId(f"banyuwangi-{position}.1"), position * 60.0
        end, stage, fallback = begin + 30, Stage.ANSWERED, None
        record = replace(row(call, begin, end), caller_number=number_of(position))
        if kind == "fallback":
            stage, fallback = Stage.HANDLED_IN_FALLBACK, begin + 1
            history.facts.append(served(call, end + 1, begin))
        else:
            history.facts.append(opened(call, begin))
            if kind == "talked":
                operator = _OPERATORS[position % len(_OPERATORS)]
                history.facts.extend((connected(call, begin + 5, operator), ended(call, end), audio(call, end + 1)))
                history.talked.append(call)
            else:
                stage = Stage.ABANDONED_IN_QUEUE
                history.facts.append(ended(call, end, stage))
        if kind != "talked":
            record = replace(record, answered_at=None)
        rows = channel(call, begin, end, fallback)
        history.cel.extend(replace(one, number=number_of(position)) if one.inbound else one for one in rows)
        history.rows.append(replace(record, stage=stage.value))
        history.invites.append(Invite(number=number_of(position), outcome=Outcome.ANSWERED))
    return history


KINDS = st.lists(st.sampled_from(("talked", "gave_up", "fallback")), min_size=1, max_size=_LONGEST)
GOOD = KINDS.map(told)
TALKS = KINDS.map(lambda kinds: told(["talked", *kinds, "talked"]))


@given(GOOD)
def test_nothing_is_found_when_nothing_was_changed(good: Told) -> None:
    judgement = judge(good.history())
    assert judgement.findings == []
    assert judgement.funnel.invited == judgement.funnel.named == judgement.funnel.rows == len(good.rows)


def _without(items: Sequence[Any], position: int) -> list[Any]:
    return [item for at_position, item in enumerate(items) if at_position != position]


def _twice(items: Sequence[Any], position: int) -> list[Any]:
    return [*items[: position + 1], *items[position:]]


def _drop_row(good: Told, pick: Callable[[int], int]) -> History:
    return replace(good.history(), rows=_without(good.rows, pick(len(good.rows))))


def _open_row(good: Told, pick: Callable[[int], int]) -> History:
    chosen = pick(len(good.rows))
    rows = [replace(one, ended_at=None, stage=None) if n == chosen else one for n, one in enumerate(good.rows)]
    return replace(good.history(), rows=rows)


def _two_ends(good: Told, pick: Callable[[int], int]) -> History:
    closing = [n for n, fact in enumerate(good.facts) if isinstance(fact, CallEnded)]
    chosen = closing[pick(len(closing))]
    return replace(good, facts=_twice(good.facts, chosen)).history()


def _no_end(good: Told, pick: Callable[[int], int]) -> History:
    closing = [n for n, fact in enumerate(good.facts) if isinstance(fact, CallEnded)]
    return replace(good, facts=_without(good.facts, closing[pick(len(closing))])).history()


def _owner_twice(good: Told, pick: Callable[[int], int]) -> History:
    opening = [n for n, fact in enumerate(good.facts) if isinstance(fact, CallOpened)]
    return replace(good, facts=_twice(good.facts, opening[pick(len(opening))])).history()


def _engine_beside_fallback(good: Told, pick: Callable[[int], int]) -> History:
    call = good.talked[pick(len(good.talked))]
    begun = next(one for one in good.cel if one.channel == call)
    mark = replace(begun, kind="USER_DEFINED", user_event="CALLFLOW_FALLBACK", call=call, inbound=False)
    where = next(n for n, one in enumerate(good.cel) if one.channel == call and one.kind == "ANSWER") + 1
    return replace(good, cel=[*good.cel[:where], mark, *good.cel[where:]]).history()


def _in_two_calls(good: Told, pick: Callable[[int], int]) -> History:
    """A talk that lasts into another one of the same operator."""
    first = pick(len(good.talked) - 1)
    early, late = good.talked[first : first + 2]
    closing = next(n for n, fact in enumerate(good.facts) if isinstance(fact, CallEnded) and fact.call == early)
    facts = [
        replace(fact, operator=OperatorId("siti"))
        if isinstance(fact, CallConnected) and fact.call in (early, late)
        else fact
        for fact in _without(good.facts, closing)
    ]
    connecting = next(n for n, fact in enumerate(facts) if isinstance(fact, CallConnected) and fact.call == late)
    return replace(good, facts=[*facts[: connecting + 1], good.facts[closing], *facts[connecting + 1 :]]).history()


def _vanished(good: Told, pick: Callable[[int], int]) -> History:
    """The journal's tail is gone, as if a crash took what had been acknowledged."""
    history = good.history()
    return replace(history, journal=entries(*good.facts)[: pick(len(good.facts))])


def _other_entry(good: Told, pick: Callable[[int], int]) -> History:
    written = entries(*good.facts)
    chosen = pick(len(written))
    changed = [replace(one, event="Other") if n == chosen else one for n, one in enumerate(written)]
    return replace(good.history(), journal=changed)


def _gap(good: Told, pick: Callable[[int], int]) -> History:
    chosen = pick(len(good.facts) - 1) + 1
    written: list[Written] = [replace(one, seq=one.seq + (n >= chosen)) for n, one in enumerate(entries(*good.facts))]
    return replace(good.history(), journal=written, acknowledged=[])


def _not_in_database(good: Told, pick: Callable[[int], int]) -> History:
    return replace(good.history(), projected=Projected(reached={"engine": pick(len(good.facts))}))


def _one_more_invite(good: Told, pick: Callable[[int], int]) -> History:
    return replace(good, invites=_twice(good.invites, pick(len(good.invites)))).history()


def _invite_out_of_nowhere(good: Told, pick: Callable[[int], int]) -> History:
    stranger = Invite(number=number_of(999 - pick(9)), outcome=Outcome.ANSWERED)
    return replace(good, invites=[*good.invites, stranger]).history()


def _channel_twice(good: Told, pick: Callable[[int], int]) -> History:
    """One INVITE made two calls: the second stands in CEL only."""
    chosen = good.rows[pick(len(good.rows))]
    extra = [replace(one, number=chosen.caller_number) if one.inbound else one for one in channel("again", 700, 710)]
    return replace(good, cel=[*good.cel, *extra]).history()


def _no_channel(good: Told, pick: Callable[[int], int]) -> History:
    call = good.rows[pick(len(good.rows))].call
    return replace(good, cel=[one for one in good.cel if call not in (one.channel, one.call)]).history()


def _endless_channel(good: Told, pick: Callable[[int], int]) -> History:
    ends = [n for n, one in enumerate(good.cel) if one.kind == "CHAN_END"]
    return replace(good, cel=_without(good.cel, ends[pick(len(ends))])).history()


def _no_audio(good: Told, pick: Callable[[int], int]) -> History:
    call = good.talked[pick(len(good.talked))]
    return replace(good, facts=[one for one in good.facts if one != next(_audio_of(good, call))]).history()


def _audio_of(good: Told, call: CallId) -> Any:
    return (
        fact for fact in good.facts if type(fact).__name__ == "RecordingStored" and getattr(fact, "call", "") == call
    )


CHANGES: Final[dict[str, tuple[Rule, Callable[[Told, Callable[[int], int]], History]]]] = {
    "a row is gone": (Rule.SAME_IN_DATABASE, _drop_row),
    "a row is open": (Rule.SAME_IN_DATABASE, _open_row),
    "a call has two terminal records": (Rule.ORDER, _two_ends),
    "a call has no terminal record": (Rule.ONE_RECORD, _no_end),
    "a caller has two owners": (Rule.ONE_OWNER, _owner_twice),
    "a caller is an engine's and the fallback's": (Rule.ONE_OWNER, _engine_beside_fallback),
    "an operator is in two calls": (Rule.ONE_TALK, _in_two_calls),
    "what was acknowledged has vanished": (Rule.KEPT, _vanished),
    "another event stands where one was acknowledged": (Rule.KEPT, _other_entry),
    "what was acknowledged is not in the database": (Rule.KEPT, _not_in_database),
    "a number is missing": (Rule.NO_GAP, _gap),
    "the funnel is off by one INVITE": (Rule.FUNNEL, _one_more_invite),
    "an INVITE has no record": (Rule.ONE_RECORD, _invite_out_of_nowhere),
    "an INVITE made two channels": (Rule.FUNNEL, _channel_twice),
    "a record has no channel": (Rule.KNOWN_CALL, _no_channel),
    "a channel has no end": (Rule.ONE_END, _endless_channel),
    "an answered call has no audio": (Rule.AUDIO, _no_audio),
}


@pytest.mark.parametrize("name", CHANGES)
@given(good=TALKS, data=st.data())
def test_change_is_found_when_one_thing_is_changed(name: str, good: Told, data: st.DataObject) -> None:
    rule, change = CHANGES[name]
    found = check(change(good, lambda count: data.draw(st.integers(0, count - 1))))
    assert rule in {finding.rule for finding in found}, [str(finding) for finding in found]
