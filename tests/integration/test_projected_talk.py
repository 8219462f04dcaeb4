"""What the record says of parties, consultations, call-backs, callers and shifts, told by a simulated centre."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from callflow.core.centre_facts import CallbackAssigned, CallbackOpened, CallbackTried
from callflow.core.city import Classification, Holiday, Roster
from callflow.core.facts import (
    CallClassified,
    CallerAssessed,
    CallHandedBack,
    ChallengeKind,
    ConsultationBegan,
    Direction,
    LegPurpose,
    PartyEnd,
    PartyGone,
    PartyJoined,
    PartyKind,
    PartyMode,
    PartySought,
    PartySpoke,
    Stage,
)
from callflow.core.ids import CallId, OfferId, OperatorId
from callflow.core.requests import CallbackAction, CallbackOutcome, TalkAction
from callflow.storage.callbacks import CallbackFilter, list_callbacks
from callflow.storage.calls import CallFilter, caller_history, ended_without_recording, list_calls
from callflow.storage.funnel import funnel
from callflow.storage.models import ProjectionFault, ProjectorPosition, RosterVersion, SettingsVersion, ShiftStart
from callflow.storage.records import CallRecord
from callflow.storage.sessions import Sessions

# Relative, since another package calls itself `tests` too.
from ..scenarios.centre import SETTINGS, START  # noqa: TID252
from ..scenarios.phones import answers, busy, says_nothing  # noqa: TID252
from ..scenarios.random_history import RandomHistory  # noqa: TID252
from ..scenarios.stages import (  # noqa: TID252
    CITIZEN,
    STAGES,
    called_back,
    consulting,
    consulting_colleague,
    gave_up,
    in_talk,
    talking_back,
    three_way,
    with_ambulance,
    with_colleague,
)
from ..scenarios.test_pranks import PRANKSTER, known_prankster  # noqa: TID252
from ..scenarios.test_shifts import shift  # noqa: TID252
from ..scenarios.world import World  # noqa: TID252
from ..unit.journal.books import AT, write_turns  # noqa: TID252
from .test_projector import project, record, rows, write_facts

CALL = CallId("pbx-1.1")
OFFER = OfferId("pbx-1.1.o1")


@pytest.fixture
def of(tmp_path: Path, sessions: Sessions) -> Callable[[World, CallId], Any]:
    """Projects a world's journal and gives the record of one of its calls."""

    async def projected(world: World, call: CallId) -> CallRecord:
        write_turns(tmp_path, world.turns)
        await project(tmp_path, sessions)
        async with sessions() as session:
            assert (await session.scalars(select(ProjectionFault))).all() == []
        return await record(sessions, call)

    return projected


Of = Callable[[World, CallId], Any]


def hang_up(world: World, call: CallId) -> None:
    world.pbx.hang_up(call)
    world.run(2.0)


# --- parties --------------------------------------------------------------------------------------------------------


async def test_party_stands_in_the_record_when_the_operator_has_left_it_with_the_caller(of: Of) -> None:
    stage = three_way()
    assert stage.world.talk("ani", TalkAction.LEAVE) is None
    stage.world.run(5.0)
    hang_up(stage.world, stage.call)
    found = await of(stage.world, stage.call)
    (party,) = found.parties
    assert (party.name, party.kind, party.mode) == ("polisi", PartyKind.AGENCY, PartyMode.JOIN)
    assert (party.operator, party.destination, party.three_way) == ("ani", "polres", True)
    assert party.sought_at < party.joined_at <= party.spoke_at < party.gone_at == found.call.ended_at
    assert party.reason is PartyEnd.CALL_OVER
    person, leg = found.offers
    assert (person.purpose, person.operator, person.left_reason) == (LegPurpose.PERSON, "ani", "confirmed")
    assert (leg.purpose, leg.offer_id, leg.spoke_at) == (LegPurpose.PARTY, party.offer_id, party.spoke_at)
    assert (leg.reason, leg.left_reason) == ("polisi, 1 of 2", "call_over")
    assert (found.call.operator, found.call.stage) == ("ani", Stage.ANSWERED)


async def test_one_party_has_all_its_phones_when_the_first_is_silent_and_the_second_speaks(of: Of) -> None:
    stage = in_talk(outside={"polres": says_nothing(0.5), "polsek": answers(0.5)})
    stage.world.talk("ani", TalkAction.JOIN, "polisi")
    stage.world.run(20.0)
    found = await of(stage.world, stage.call)
    (party,) = found.parties
    assert (party.destination, party.gone_at) == ("polsek", None)
    silent, speaks = found.offers[1:]
    assert (silent.destination, silent.spoke_at, silent.left_reason) == ("polres", None, "silent")
    assert (speaks.destination, speaks.left_at) == ("polsek", None)
    assert party.joined_at == silent.connected_at < speaks.connected_at
    assert party.spoke_at == speaks.spoke_at


async def test_party_was_not_reached_when_every_phone_is_busy(of: Of) -> None:
    stage = in_talk(outside={"polres": busy(), "polsek": busy()})
    stage.world.talk("ani", TalkAction.JOIN, "polisi")
    stage.world.run(5.0)
    found = await of(stage.world, stage.call)
    (party,) = found.parties
    assert (party.joined_at, party.spoke_at, party.reason) == (None, None, PartyEnd.NOT_REACHED)
    assert [offer.left_at for offer in found.offers] == [None] * 3
    assert len({offer.destination for offer in found.offers[1:]}) == 2


async def test_nobody_asked_and_the_ambulance_answered_when_no_operator_is_there(of: Of) -> None:
    stage = with_ambulance()
    hang_up(stage.world, stage.call)
    found = await of(stage.world, stage.call)
    (party,) = found.parties
    assert (party.kind, party.mode, party.operator, party.three_way) == (
        PartyKind.MEDICAL,
        PartyMode.DIRECT,
        None,
        False,
    )
    assert (found.call.operator, found.call.destination, found.call.stage) == (None, "psc119", Stage.ANSWERED)
    assert found.call.answered_at == party.spoke_at


@pytest.mark.parametrize("consulted", [False, True])
async def test_colleague_is_the_calls_operator_when_the_caller_was_handed_over(of: Of, consulted: bool) -> None:
    stage = consulting_colleague() if consulted else with_colleague()
    assert stage.world.talk("ani", TalkAction.LEAVE) is None
    stage.world.run(3.0)
    found = await of(stage.world, stage.call)
    (party,) = found.parties
    assert (party.kind, party.name, party.reason) == (PartyKind.COLLEAGUE, "budi", PartyEnd.BECAME_PERSON)
    assert found.call.operator == "budi"
    ani, budi = found.offers
    assert (ani.left_reason, budi.left_at, budi.purpose) == ("confirmed", None, LegPurpose.PARTY)
    assert budi.connected_at is not None


async def test_each_consultation_stands_in_the_record_when_there_were_two(of: Of) -> None:
    stage = consulting()
    stage.world.talk("ani", TalkAction.RETURN)
    stage.world.run(1.0)
    stage.world.talk("ani", TalkAction.CONSULT, "budi")
    stage.world.run(2.0)
    hang_up(stage.world, stage.call)
    found = await of(stage.world, stage.call)
    first, second = found.consultations
    assert [(each.number, each.operator, each.name) for each in (first, second)] == [
        (1, "ani", "polisi"),
        (2, "ani", "budi"),
    ]
    assert first.began_at < first.ended_at < second.began_at < second.ended_at == found.call.ended_at
    assert [party.reason for party in found.parties] == [PartyEnd.DROPPED, PartyEnd.CALL_OVER]
    assert [offer.spoke_at for offer in found.offers if offer.operator == "ani"] == [None]


async def test_nothing_stays_open_when_the_call_is_handed_back(tmp_path: Path, sessions: Sessions) -> None:
    began = ConsultationBegan(at=AT, call=CALL, offer=OFFER, number=1, operator=OperatorId("ani"), name="polisi")
    write_facts(tmp_path, sought("polisi"), began, CallHandedBack(at=AT, call=CALL, reason="no bridge"))
    await project(tmp_path, sessions)
    found = await record(sessions, CALL)
    assert (found.parties[0].reason, found.consultations[0].ended_at) == (PartyEnd.CALL_OVER, AT)


def sought(name: str) -> PartySought:
    return PartySought(
        at=AT, call=CALL, name=name, kind=PartyKind.AGENCY, mode=PartyMode.JOIN, operator=OperatorId("ani")
    )


def joined(name: str) -> PartyJoined:
    return PartyJoined(at=AT, call=CALL, offer=OFFER, name=name, destination=name, operator=None, three_way=True)


async def test_party_is_in_the_record_all_the_same_when_the_entry_of_its_beginning_was_lost(
    tmp_path: Path, sessions: Sessions
) -> None:
    spoke = PartySpoke(at=AT, call=CALL, offer=OFFER, name="polisi")
    write_facts(tmp_path, joined("polisi"), spoke)
    await project(tmp_path, sessions)
    (party,) = (await record(sessions, CALL)).parties
    assert (party.kind, party.mode, party.joined_at, party.spoke_at) == (None, None, AT, AT)


async def test_earlier_party_is_closed_when_one_is_sought_anew_after_a_restart(
    tmp_path: Path, sessions: Sessions
) -> None:
    over = PartyGone(at=AT, call=CALL, name="polisi", offer=OFFER, reason=PartyEnd.HUNG_UP)
    write_facts(tmp_path, sought("polisi"), joined("polisi"), sought("polisi"), joined("polisi"), over)
    await project(tmp_path, sessions)
    assert [(p.joined_at, p.gone_at, p.reason) for p in (await record(sessions, CALL)).parties] == [
        (AT, AT, None),
        (AT, AT, PartyEnd.HUNG_UP),
    ]


# --- callers --------------------------------------------------------------------------------------------------------


async def test_suspicion_challenge_and_every_word_on_the_call_stand_in_the_record(of: Of, sessions: Sessions) -> None:
    world = known_prankster()
    call = world.arrive("a", keys=[(0.5, "2")], number=PRANKSTER, speaks_after=8.0)
    world.run(6.0)
    world.press(call, "1")
    world.run(6.0)
    for classification in (Classification.PRANK, Classification.NORMAL):
        world.classify("ani", classification)
    found = await of(world, call)
    (fact,) = world.facts(CallerAssessed, call)
    told = found.assessment
    assert (told.score, told.flagged, told.warned) == (pytest.approx(fact.score), True, True)
    assert (told.calls, told.pranks, told.confirmed) == (fact.calls, fact.pranks, fact.confirmed)
    assert (told.reason_id, told.reason_en, told.later_seconds) == (
        fact.reason_id,
        fact.reason_en,
        fact.later_seconds,
    )
    (challenge,) = found.challenges
    assert challenge.kind is ChallengeKind.PRANK
    assert challenge.answered_at > challenge.at
    assert found.call.caller_spoke_at is not None
    assert [word.classification for word in found.classifications] == [Classification.PRANK, Classification.NORMAL]
    assert (found.call.classification, found.call.classified_by) == (Classification.NORMAL, "ani")
    assert (found.call.prank_flagged, found.call.prank_score) == (True, pytest.approx(fact.score))
    async with sessions() as session:
        for classification, count in ((Classification.NORMAL, 1), (Classification.PRANK, 0)):
            page = await list_calls(session, CallFilter(classification=classification))
            assert len(page.calls) == count


async def test_call_has_no_assessment_when_its_number_was_not_looked_up(tmp_path: Path, sessions: Sessions) -> None:
    word = CallClassified(at=AT, call=CALL, classification=Classification.GHOST, by="sri", operator=None)
    write_facts(tmp_path, word)
    await project(tmp_path, sessions)
    found = await record(sessions, CALL)
    assert found.assessment is None
    assert [(said.by, said.operator) for said in found.classifications] == [("sri", None)]


# --- call-backs -----------------------------------------------------------------------------------------------------


async def test_callback_is_settled_and_the_outbound_call_stays_out_of_the_funnel_when_the_citizen_was_reached(
    of: Of, sessions: Sessions
) -> None:
    stage = talking_back()
    world, attempt = stage.world, stage.call
    hang_up(world, attempt)
    found = await of(world, attempt)
    assert (found.call.direction, found.call.stage) == (Direction.OUTBOUND, Stage.OUTBOUND_REACHED)
    assert found.call.caller_number == CITIZEN
    abandoned = await record(sessions, found.call.callback_of)
    assert (abandoned.call.stage, abandoned.call.direction) == (Stage.ABANDONED_IN_QUEUE, Direction.INBOUND)
    callback = abandoned.callback
    assert callback is not None
    assert (callback.outcome, callback.closed_by, callback.owner) == (CallbackOutcome.REACHED, attempt, "ani")
    assert callback.opened_at == abandoned.call.ended_at
    assert [(each.call_id, each.operator, each.stage) for each in callback.attempts] == [
        (attempt, "ani", Stage.OUTBOUND_REACHED)
    ]
    assert callback.closed_at == found.call.answered_at
    async with sessions() as session:
        counted = await funnel(session, centre=None, begin=START, end=world.schedule.now)
        assert (counted.arrived, counted.abandoned_in_queue, counted.answered) == (1, 1, 0)
        outbound = await list_calls(session, CallFilter(direction=Direction.OUTBOUND))
        assert [call.call_id for call in outbound.calls] == [attempt]
        history = await caller_history(session, CITIZEN, before=world.schedule.now)
        assert [call.call_id for call in history] == [abandoned.call.call_id]
        waiting = await ended_without_recording(session, SETTINGS.centre, START, 10)
        assert {call for call, _ in waiting} == {attempt, abandoned.call.call_id}


async def test_attempts_are_counted_and_the_callback_stays_open_when_the_citizen_does_not_answer(
    of: Of, sessions: Sessions
) -> None:
    stage = called_back()
    world = stage.world
    world.run(60.0)
    (opened,) = world.facts(CallbackOpened)
    world.run(40.0)
    assert world.callback(CallbackAction.DIAL, "budi", callback=opened.call) is None
    world.run(60.0)
    found = await of(world, opened.call)
    callback = found.callback
    tried = world.facts(CallbackTried)
    assert [(each.operator, each.stage) for each in callback.attempts] == [
        ("ani", Stage.OUTBOUND_NOT_REACHED),
        ("budi", Stage.OUTBOUND_NOT_REACHED),
    ]
    assert (callback.owner, callback.closed_at) == ("budi", None)
    assert callback.assigned_at >= tried[1].at
    async with sessions() as session:
        assert len((await list_callbacks(session, CallbackFilter(open=True))).callbacks) == 1
        assert (await list_callbacks(session, CallbackFilter(open=False))).callbacks == ()


async def test_callback_says_who_closed_it_when_a_person_did(of: Of) -> None:
    stage = gave_up()
    closed = stage.world.callback(CallbackAction.CLOSE, "ani", callback=stage.call, outcome=CallbackOutcome.NOT_NEEDED)
    assert closed is None
    callback = (await of(stage.world, stage.call)).callback
    assert (callback.outcome, callback.closed_by, callback.attempts) == (CallbackOutcome.NOT_NEEDED, "ani", ())
    assert callback.assigned_at > callback.opened_at


@pytest.mark.parametrize("owner", [OperatorId("budi"), None])
async def test_callback_is_anothers_or_nobodys_when_its_owner_did_not_try_in_time(
    tmp_path: Path, sessions: Sessions, owner: OperatorId | None
) -> None:
    late = AT + timedelta(seconds=120)
    first = CallbackAssigned(at=AT, call=CALL, operator=OperatorId("ani"), deadline=late)
    then = CallbackAssigned(at=late, call=CALL, operator=owner, deadline=late + timedelta(seconds=120))
    write_facts(tmp_path, CallbackOpened(at=AT, call=CALL, number=CITIZEN, deadline=late), first, then)
    await project(tmp_path, sessions)
    callback = (await record(sessions, CALL)).callback
    assert callback is not None
    assert (callback.owner, callback.deadline) == (owner, then.deadline)
    assert callback.assigned_at == (None if owner is None else late)


# --- the centre -----------------------------------------------------------------------------------------------------


async def test_settings_roster_and_shifts_are_kept_when_they_come_into_force(of: Of, sessions: Sessions) -> None:
    stage = in_talk()
    roster = Roster(shifts=(shift("ani", "citra"),), holidays=(Holiday(day=START.date(), name="Hari"),))
    stage.world.change_roster(roster)
    stage.world.run(3600.1)
    await of(stage.world, stage.call)
    async with sessions() as session:
        (began,) = await session.scalars(select(ShiftStart))
        assert (began.shift, began.expected, began.present) == ("pagi", ["ani", "citra"], ["ani"])
        (version,) = await session.scalars(select(RosterVersion))
        assert version.document["shifts"][0]["days"] == list(range(7))
        assert version.document["holidays"] == [{"day": "2026-01-05", "name": "Hari"}]
        (settings,) = await session.scalars(select(SettingsVersion))
        assert settings.document["verified_trunks"] == ["trunk-city"]


# --- written again --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(STAGES))
async def test_rows_are_the_same_when_a_call_that_goes_on_is_projected_twice(
    name: str, tmp_path: Path, sessions: Sessions
) -> None:
    write_turns(tmp_path, STAGES[name]().world.turns)
    await assert_same_when_projected_again(tmp_path, sessions)


@pytest.mark.parametrize("seed", range(4))
async def test_rows_are_the_same_and_nothing_is_refused_when_anything_happened(
    seed: int, tmp_path: Path, sessions: Sessions
) -> None:
    write_turns(tmp_path, RandomHistory(seed).run().turns)
    await assert_same_when_projected_again(tmp_path, sessions)


async def assert_same_when_projected_again(directory: Path, sessions: Sessions) -> None:
    await project(directory, sessions)
    expected = await rows(sessions)
    assert expected["projection_faults"] == []
    async with sessions.begin() as session:
        await session.execute(ProjectorPosition.__table__.delete())
    await project(directory, sessions)
    assert await rows(sessions) == expected
