from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from callflow.core.city import CentreSettings, OperatorProfile, Roster, Shift
from callflow.core.events import FlowPublished, OperatorChanged, RosterChanged, SettingsChanged
from callflow.core.ids import CentreId, EndpointName, OperatorId
from callflow.core.switchboard import Switchboard
from callflow.engine.city import PUBLISHED_WITH_CALLFLOW, differences
from callflow.flows.default import default_flow_text

AT = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
SETTINGS = CentreSettings(centre=CentreId("ketapang"), zone="Asia/Pontianak")
ANI = OperatorProfile(operator=OperatorId("ani"), name="Ani", endpoint=EndpointName("op-ani"))
BUDI = OperatorProfile(operator=OperatorId("budi"), name="Budi", endpoint=EndpointName("op-budi"))
NOBODY_PLANNED = Roster()
ROSTER = Roster(
    shifts=(Shift(name="pagi", days=frozenset({0}), from_minute=420, to_minute=840, operators=(ANI.operator,)),)
)


def brought_into_force(
    settings: CentreSettings, *operators: OperatorProfile, roster: Roster = NOBODY_PLANNED
) -> Switchboard:
    board = Switchboard()
    for event in differences(board.state, settings, operators, roster, AT):
        board.handle(event)
    return board


def test_all_is_brought_in_settings_first_when_the_switchboard_is_empty() -> None:
    events = list(differences(Switchboard().state, SETTINGS, [ANI, BUDI], ROSTER, AT))
    assert events == [
        SettingsChanged(at=AT, settings=SETTINGS),
        OperatorChanged(at=AT, profile=ANI),
        OperatorChanged(at=AT, profile=BUDI),
        RosterChanged(at=AT, roster=ROSTER),
        FlowPublished(at=AT, version=1, document=default_flow_text(), published_by=PUBLISHED_WITH_CALLFLOW),
    ]


def test_nothing_is_brought_in_when_the_document_says_what_is_in_force() -> None:
    board = brought_into_force(SETTINGS, ANI, BUDI)
    assert list(differences(board.state, SETTINGS, [BUDI, ANI], NOBODY_PLANNED, AT)) == []


def test_only_the_changed_operator_is_brought_in_when_a_profile_differs() -> None:
    board = brought_into_force(SETTINGS, ANI, BUDI)
    trained = replace(ANI, skills=frozenset({"health"}))
    assert list(differences(board.state, SETTINGS, [trained, BUDI], NOBODY_PLANNED, AT)) == [
        OperatorChanged(at=AT, profile=trained)
    ]


def test_operator_is_retired_once_when_the_document_names_the_person_no_more() -> None:
    board = brought_into_force(SETTINGS, ANI, BUDI)
    events = list(differences(board.state, SETTINGS, [ANI], NOBODY_PLANNED, AT))
    assert events == [OperatorChanged(at=AT, profile=BUDI, active=False)]
    board.handle(events[0])
    assert list(differences(board.state, SETTINGS, [ANI], NOBODY_PLANNED, AT)) == []


def test_operator_is_taken_back_when_the_document_names_the_person_again() -> None:
    board = brought_into_force(SETTINGS, ANI, BUDI)
    board.handle(OperatorChanged(at=AT, profile=BUDI, active=False))
    assert list(differences(board.state, SETTINGS, [ANI, BUDI], NOBODY_PLANNED, AT)) == [
        OperatorChanged(at=AT, profile=BUDI)
    ]


def test_settings_are_brought_in_when_one_figure_differs() -> None:
    board = brought_into_force(SETTINGS, ANI)
    patient = replace(SETTINGS, ring_seconds=20.0)
    assert list(differences(board.state, patient, [ANI], NOBODY_PLANNED, AT)) == [
        SettingsChanged(at=AT, settings=patient)
    ]


def test_published_flow_stays_when_it_is_not_the_default_one() -> None:
    board = brought_into_force(SETTINGS, ANI)
    board.handle(FlowPublished(at=AT, version=2, document="{}", published_by="admin"))
    assert list(differences(board.state, SETTINGS, [ANI], NOBODY_PLANNED, AT)) == []


def test_roster_is_brought_in_once_when_it_differs() -> None:
    board = brought_into_force(SETTINGS, ANI)
    events = list(differences(board.state, SETTINGS, [ANI], ROSTER, AT))
    assert events == [RosterChanged(at=AT, roster=ROSTER)]
    board.handle(events[0])
    assert list(differences(board.state, SETTINGS, [ANI], ROSTER, AT)) == []


def test_roster_is_taken_back_when_the_document_has_none_any_more() -> None:
    board = brought_into_force(SETTINGS, ANI, roster=ROSTER)
    assert list(differences(board.state, SETTINGS, [ANI], NOBODY_PLANNED, AT)) == [
        RosterChanged(at=AT, roster=NOBODY_PLANNED)
    ]


def test_flow_that_was_in_force_is_brought_in_when_only_that_is_known() -> None:
    published = FlowPublished(at=AT, version=7, document="{}", published_by="admin")
    later = AT.replace(hour=2)
    *_, last = differences(Switchboard().state, SETTINGS, [], NOBODY_PLANNED, later, published)
    assert last == replace(published, at=later)
    board = brought_into_force(SETTINGS)
    assert list(differences(board.state, SETTINGS, [], NOBODY_PLANNED, later, published)) == []
