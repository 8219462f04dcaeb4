"""The history checker finds each thing that may be wrong, and nothing in a good history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from callflow.core.centre_facts import OperatorMoved
from callflow.core.events import Caller
from callflow.core.facts import (
    CallConnected,
    CallEnded,
    CallFact,
    CallHandedBack,
    CallOpened,
    CallServedInFallback,
    Fact,
    HangupParty,
    RecordingStored,
    Stage,
)
from callflow.core.ids import CallId, OfferId, OperatorId
from callflow.core.states import OperatorState

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

DAY = datetime(2026, 1, 1, tzinfo=UTC)
FIRST, SECOND = CallId("banyuwangi-1.1"), CallId("banyuwangi-2.2")
CALLER = Caller(number="+6281234567890", raw="081234567890")


def at(seconds: float) -> datetime:
    return DAY + timedelta(seconds=seconds)


def opened(call: CallId, seconds: float) -> CallOpened:
    return CallOpened(
        at=at(seconds + 0.1), call=call, arrived_at=at(seconds), caller=CALLER, dialled="112", trunk="trunk"
    )


def connected(call: CallId, seconds: float, operator: str = "siti") -> CallConnected:
    return CallConnected(
        at=at(seconds), call=call, offer=OfferId(f"{call}.offer-1"), operator=OperatorId(operator), destination=None
    )


def ended(call: CallId, seconds: float, stage: Stage = Stage.ANSWERED) -> CallEnded:
    return CallEnded(at=at(seconds), call=call, stage=stage, ended_by=HangupParty.CALLER, cause=16)


def audio(call: CallId, seconds: float) -> RecordingStored:
    return RecordingStored(at=at(seconds), call=call, tracks=())


def served(call: CallId, seconds: float, arrived: float = 0.0) -> CallServedInFallback:
    return CallServedInFallback(
        at=at(seconds),
        call=call,
        arrived_at=at(arrived),
        caller=CALLER,
        dialled="112",
        trunk="trunk",
        answered_at=None,
        answered_by=None,
        ended_at=at(seconds - 1),
        ended_by=HangupParty.CALLER,
        cause=16,
    )


def entries(*facts: Fact) -> list[Written]:
    """One entry a fact."""
    return [
        Written(writer="engine", chain="engine.sqlite", seq=seq, event="Happened", facts=(fact,))
        for seq, fact in enumerate(facts, 1)
    ]


def channel(call: str, begin: float, end: float | None, fallback: float | None = None) -> list[CelRow]:
    rows = [
        CelRow(at=at(begin), kind="CHAN_START", channel=call, call="", inbound=True, number=CALLER.number),
        CelRow(at=at(begin), kind="ANSWER", channel=call, call=call),
        CelRow(at=at(begin + 1), kind="CHAN_START", channel=f"{call}-leg", call=""),
        CelRow(at=at(begin + 1), kind="ANSWER", channel=f"{call}-leg", call=call),
    ]
    if fallback is not None:
        rows.append(
            CelRow(at=at(fallback), kind="USER_DEFINED", channel=call, call=call, user_event="CALLFLOW_FALLBACK")
        )
    if end is not None:
        rows.append(CelRow(at=at(end), kind="CHAN_END", channel=f"{call}-leg", call=call))
        rows.append(CelRow(at=at(end), kind="CHAN_END", channel=call, call=call))
    return rows


def row(call: str, seconds: float, end: float | None) -> Row:
    return Row(
        call=call,
        arrived_at=at(seconds),
        ended_at=None if end is None else at(end),
        stage=None if end is None else "answered",
        answered_at=at(seconds + 1),
        caller_number=CALLER.number,
    )


SIGNED_IN = OperatorMoved(
    at=at(40), operator=OperatorId("siti"), state=OperatorState.AVAILABLE, reason="", online=True, call=None
)
TALKED = (opened(FIRST, 0), connected(FIRST, 2), ended(FIRST, 9), audio(FIRST, 10))
TALKED_TOO = (opened(SECOND, 20), connected(SECOND, 22), ended(SECOND, 29), audio(SECOND, 30))
GOOD = History(
    journal=entries(*TALKED, *TALKED_TOO, SIGNED_IN),
    cel=[*channel(FIRST, 0, 9), *channel(SECOND, 20, 29)],
    rows=[row(FIRST, 0, 9), row(SECOND, 20, 29)],
    acknowledged=[
        Acknowledged(seq=1, event="Happened"),
        Acknowledged(seq=9, event="Happened"),
        Acknowledged(seq=None, event="Happened"),
    ],
    projected=Projected(reached={"engine": 9}, numbered=frozenset({9})),
    standing=Standing(since=at(-3600), channels=frozenset(), everybody_hung_up=True),
    invites=[Invite(number=CALLER.number, outcome=Outcome.ANSWERED)] * 2,
    audio=[FIRST, f"{FIRST}-in", f"{SECOND}-out", f"{SECOND}-consult-1"],
    invited=["+6281234567890", "+6281234567890"],
    funnel={"arrived": 2, "in_progress": 0, "answered": 2},
)


def test_nothing_is_found_when_the_history_is_good() -> None:
    assert check(GOOD) == []


def test_nothing_is_found_when_an_asterisk_without_an_engine_is_in_order() -> None:
    assert check(LAB) == []


def test_nothing_is_found_when_who_was_not_answered_left_less_than_a_call() -> None:
    gave_up = Invite(number="+628111", outcome=Outcome.GAVE_UP)
    refused = Invite(number="+628222", outcome=Outcome.REFUSED)
    begun = CelRow(at=at(50), kind="CHAN_START", channel="gone", call="", inbound=True, number=gave_up.number)
    cel = [*LAB_CEL, begun, replace(begun, at=at(50.1), kind="CHAN_END", inbound=False)]
    judgement = judge(replace(LAB, cel=cel, invites=[*TWO_ANSWERED, gave_up, refused]))
    assert judgement.findings == []
    assert (judgement.funnel.fell_out, judgement.funnel.unnamed, judgement.funnel.named) == (1, 1, 2)


def test_nothing_is_found_when_asterisk_died_before_its_log_named_the_call() -> None:
    begun = [each for each in channel(SECOND, 20, None) if each.channel == SECOND][:1]
    died = Standing(since=at(25), channels=frozenset(), everybody_hung_up=True)
    assert check(replace(GOOD, cel=[*channel(FIRST, 0, 9), *begun], standing=died)) == []
    unknown = check(replace(GOOD, cel=channel(FIRST, 0, 9), standing=died))
    assert Rule.KNOWN_CALL in {finding.rule for finding in unknown}


def test_nothing_is_found_when_a_channel_died_with_its_asterisk() -> None:
    assert check(replace(LAB, cel=LAB_CEL[:-1], standing=Standing(since=at(25), channels=frozenset()))) == []


def test_every_witness_is_counted_when_the_funnel_is_told() -> None:
    numbers = judge(GOOD).funnel.numbers()
    counts = ("invited", "channels", "named", "by_engine", "rows", "stage_answered")
    assert {name: numbers[name] for name in counts} == dict.fromkeys(counts, 2)


def test_nothing_is_found_when_a_call_still_goes_on() -> None:
    going_on = History(
        journal=entries(*TALKED[:2]), cel=channel(FIRST, 0, None), rows=[row(FIRST, 0, None)], audio=[FIRST]
    )
    assert check(going_on) == []


def test_nothing_is_found_when_the_fallback_corrects_a_returned_engine() -> None:
    facts = (opened(FIRST, 0), ended(FIRST, 30, Stage.ABANDONED_IN_QUEUE), served(FIRST, 31), audio(FIRST, 32))
    stands = replace(row(FIRST, 0, 30), stage="handled_in_fallback")
    assert check(History(journal=entries(*facts), cel=channel(FIRST, 0, 30, fallback=5), rows=[stands])) == []


def test_nothing_is_found_when_the_fallback_tells_of_a_talk_before_the_returned_engine_does() -> None:
    facts = (opened(FIRST, 0), connected(FIRST, 2), served(FIRST, 31), ended(FIRST, 32), audio(FIRST, 33))
    cel = channel(FIRST, 0, 30, fallback=9)
    assert check(History(journal=entries(*facts), cel=cel, rows=[row(FIRST, 0, 30)])) == []


def test_nothing_is_found_when_the_journal_declares_its_gap() -> None:
    journal = [*entries(*TALKED), Written(writer="engine", chain="", seq=8, event="EntriesLost", lost=3)]
    assert check(History(journal=journal)) == []


def with_facts(*facts: CallFact) -> History:
    return replace(GOOD, journal=entries(*facts, *TALKED_TOO, SIGNED_IN), acknowledged=[])


def without(*positions: int) -> History:
    return with_facts(*(fact for position, fact in enumerate(TALKED) if position not in positions))


OURS = replace(GOOD, invites=[], acknowledged=[], standing=None, projected=None)
"""What only our own processes and CEL say."""
LAB_CEL = [*channel(FIRST, 0, 9), *channel(SECOND, 20, 29)]
TWO_ANSWERED = [Invite(number=CALLER.number, outcome=Outcome.ANSWERED)] * 2
LAB = History(cel=LAB_CEL, invites=TWO_ANSWERED, standing=GOOD.standing)
"""An Asterisk without an engine."""


def answered(number: str | None) -> Invite:
    return Invite(number=number, outcome=Outcome.ANSWERED)


BROKEN: dict[str, tuple[Rule, Callable[[], History]]] = {
    "a channel ended without a record": (
        Rule.ONE_RECORD,
        lambda: History(journal=entries(*TALKED), cel=OURS.cel),
    ),
    "a call was never closed": (
        Rule.ONE_RECORD,
        lambda: History(journal=entries(*TALKED[:2], TALKED[3]), cel=channel(FIRST, 0, 9)),
    ),
    "the fallback's record of a call that never was there": (
        Rule.ONE_RECORD,
        lambda: History(journal=entries(served(FIRST, 10)), cel=channel(FIRST, 0, 9)),
    ),
    "an INVITE without a record": (Rule.ONE_RECORD, lambda: replace(OURS, invited=["+6281234567890"] * 3)),
    "an INVITE with two records": (Rule.ONE_RECORD, lambda: replace(OURS, invited=["+6281234567890"])),
    "a record of a call that Asterisk never had": (
        Rule.KNOWN_CALL,
        lambda: replace(OURS, cel=channel(FIRST, 0, 9)),
    ),
    "a call is not in the database": (
        Rule.SAME_IN_DATABASE,
        lambda: replace(OURS, rows=[row(FIRST, 0, 9)], funnel={}, invited=[]),
    ),
    "a row without a journal": (
        Rule.SAME_IN_DATABASE,
        lambda: replace(
            OURS, rows=[row(FIRST, 0, 9), row(SECOND, 20, 29), row("other", 40, 41)], funnel={}, invited=[]
        ),
    ),
    "a row is open though the call is closed": (
        Rule.SAME_IN_DATABASE,
        lambda: replace(OURS, rows=[row(FIRST, 0, None), row(SECOND, 20, 29)], funnel={}),
    ),
    "a row tells another stage": (
        Rule.SAME_IN_DATABASE,
        lambda: replace(
            OURS, rows=[replace(row(FIRST, 0, 9), stage="abandoned_in_ivr"), row(SECOND, 20, 29)], funnel={}
        ),
    ),
    "an operator is in two calls": (
        Rule.ONE_TALK,
        lambda: replace(
            OURS,
            journal=entries(
                *TALKED[:2], opened(SECOND, 3), connected(SECOND, 4), ended(FIRST, 9), *TALKED_TOO[2:], audio(FIRST, 40)
            ),
        ),
    ),
    "two engines open a call": (Rule.ONE_OWNER, lambda: with_facts(TALKED[0], *TALKED)),
    "the engine connects who is in the fallback": (
        Rule.ONE_OWNER,
        lambda: replace(OURS, cel=[*channel(FIRST, 0, 9, fallback=0.5), *channel(SECOND, 20, 29)]),
    ),
    "nobody takes a caller for eleven seconds": (
        Rule.NEVER_NOBODY,
        lambda: replace(OURS, cel=[*channel(FIRST, -11, 9), *channel(SECOND, 20, 29)]),
    ),
    "nobody takes a caller who was handed back": (
        Rule.NEVER_NOBODY,
        lambda: replace(
            OURS,
            journal=entries(
                *TALKED_TOO,
                TALKED[0],
                CallHandedBack(at=at(1), call=FIRST, reason=""),
                replace(TALKED[0], at=at(13)),
                ended(FIRST, 90),
                audio(FIRST, 91),
            ),
            cel=[*channel(FIRST, 0, 90), *channel(SECOND, 20, 29)],
        ),
    ),
    "an acknowledged entry is gone": (
        Rule.KEPT,
        lambda: replace(OURS, acknowledged=[Acknowledged(seq=99, event="SignInRequested")]),
    ),
    "another event stands under an acknowledged number": (
        Rule.KEPT,
        lambda: replace(OURS, acknowledged=[Acknowledged(seq=1, event="SignInRequested")]),
    ),
    "the product counts otherwise": (Rule.FUNNEL, lambda: replace(OURS, funnel={"arrived": 3})),
    "a stage that is in no funnel": (
        Rule.FUNNEL,
        lambda: History(rows=[replace(row(FIRST, 0, 9), stage="somewhere")]),
    ),
    "a fact before its call was opened": (Rule.ORDER, lambda: with_facts(*TALKED[1:2], TALKED[0], *TALKED[1:])),
    "a call closed twice": (Rule.ORDER, lambda: with_facts(*TALKED, ended(FIRST, 11))),
    "a call served twice in the fallback": (
        Rule.ORDER,
        lambda: History(journal=entries(served(FIRST, 5), served(FIRST, 6))),
    ),
    "a number is missing": (
        Rule.NO_GAP,
        lambda: replace(
            OURS, journal=[replace(one, seq=one.seq + (one.seq > 3)) for one in entries(*TALKED, *TALKED_TOO)]
        ),
    ),
    "a number is given twice": (
        Rule.NO_GAP,
        lambda: replace(
            OURS, journal=[replace(one, seq=one.seq - (one.seq > 3)) for one in entries(*TALKED, *TALKED_TOO)]
        ),
    ),
    "a call ended before it arrived": (Rule.TIMES, lambda: with_facts(*TALKED[:2], ended(FIRST, -1), TALKED[3])),
    "a row was answered before it arrived": (
        Rule.TIMES,
        lambda: replace(OURS, rows=[replace(row(FIRST, 0, 9), answered_at=at(-1)), row(SECOND, 20, 29)]),
    ),
    "the fallback's call ended before it arrived": (
        Rule.TIMES,
        lambda: History(journal=entries(served(FIRST, 5, arrived=50))),
    ),
    "an answered call has no audio": (Rule.AUDIO, lambda: without(3)),
    "audio without a call": (Rule.AUDIO, lambda: replace(OURS, audio=["banyuwangi-3.3-in"])),
    "an INVITE that was answered has no channel": (
        Rule.ONE_RECORD,
        lambda: replace(LAB, invites=[*TWO_ANSWERED, answered(CALLER.number)]),
    ),
    "an INVITE made two channels": (Rule.ONE_RECORD, lambda: replace(LAB, invites=TWO_ANSWERED[:1])),
    "an INVITE without a number has no channel": (
        Rule.ONE_RECORD,
        lambda: replace(LAB, invites=[*TWO_ANSWERED, answered(None)]),
    ),
    "a channel has no end": (Rule.ONE_END, lambda: replace(LAB, cel=LAB_CEL[:-1])),
    "a leg has no end": (Rule.ONE_END, lambda: replace(LAB, cel=[*LAB_CEL[:-2], LAB_CEL[-1]])),
    "a channel ended twice": (Rule.ONE_END, lambda: replace(LAB, cel=[*LAB_CEL, LAB_CEL[-1]])),
    "a channel is left": (
        Rule.NOTHING_LEFT,
        lambda: replace(LAB, standing=Standing(since=at(-9), channels=frozenset({"x"}), everybody_hung_up=True)),
    ),
    "an acknowledged entry has not come to the database": (
        Rule.KEPT,
        lambda: replace(GOOD, projected=Projected(reached={"engine": 8}, numbered=frozenset({9}))),
    ),
    "an acknowledged move has no row": (Rule.KEPT, lambda: replace(GOOD, projected=Projected(reached={"engine": 9}))),
    "fewer looks are recorded than were shown": (
        Rule.KEPT,
        lambda: replace(GOOD, acknowledged=[Acknowledged(seq=None, event="AccessRecorded", writer="web")]),
    ),
    "more calls went missing before the dialplan than were not answered": (
        Rule.FUNNEL,
        lambda: replace(LAB, cel=[replace(one, call="") if one.channel == SECOND else one for one in LAB_CEL]),
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_history_is_refused_when_one_rule_is_broken(name: str) -> None:
    rule, history = BROKEN[name]
    found = check(history())
    rules = {finding.rule for finding in found}
    # a call too many or too few is one in the numbers, too
    assert rule in rules, [str(finding) for finding in found]
    assert rules <= {rule, Rule.FUNNEL}, [str(finding) for finding in found]
