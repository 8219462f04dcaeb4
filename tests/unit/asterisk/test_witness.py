from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from callflow.asterisk.witness import FallbackCall, callers_gone, ended_unserved, fallback_calls
from callflow.core.events import Caller

from .cel_rows import COLUMNS, SERVED, changed, cut_off, write_cel

CALL = "banyuwangi-1795409246.0"
PLACE = next(place for place, row in enumerate(SERVED, 1) if row[0] == "CHAN_END")


@pytest.fixture
def cel(tmp_path: Path) -> Path:
    return tmp_path / "cel.db"


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def without(*events: str, channel: str = "") -> list[tuple[str, ...]]:
    """The rows but for these events, of this channel alone when it is named."""
    return [row for row in SERVED if row[0] not in events or channel not in row[4]]


def test_call_is_told_whole_when_the_fallback_served_it(cel: Path) -> None:
    write_cel(cel, SERVED)
    assert fallback_calls(cel, 0) == [
        FallbackCall(
            place=PLACE,
            call=CALL,
            caller=Caller(number="+6281234000001", raw="081234000001"),
            dialled="112",
            trunk="trunk-telco",
            arrived_at=at(1795409246.168573),
            answered_at=at(1795409260.095808),
            answered_by="op-siti",
            ended_at=at(1795409262.290624),
            hung_up_by="trunk-telco",
            cause=16,
        )
    ]


def test_call_is_told_once_when_reading_goes_on_after_its_place(cel: Path) -> None:
    write_cel(cel, SERVED)
    assert fallback_calls(cel, PLACE) == []
    assert len(fallback_calls(cel, PLACE - 1)) == 1


def test_call_is_told_when_cel_was_begun_anew(cel: Path) -> None:
    write_cel(cel, SERVED)
    assert len(fallback_calls(cel, 5000)) == 1


def test_call_is_not_told_when_it_goes_on(cel: Path) -> None:
    write_cel(cel, SERVED[:8])
    assert fallback_calls(cel, 0) == []


def test_call_is_not_told_when_an_engine_served_it(cel: Path) -> None:
    write_cel(cel, without("USER_DEFINED"))
    assert fallback_calls(cel, 0) == []


def test_citizen_whom_we_called_is_no_call_that_came_in(cel: Path) -> None:
    mark = next(row for row in SERVED if row[0] == "USER_DEFINED")
    outbound = tuple("CALLFLOW_OUTBOUND" if value == "CALLFLOW_FALLBACK" else value for value in mark)
    write_cel(cel, [SERVED[0], outbound, *SERVED[1:]])
    assert fallback_calls(cel, 0) == []


def test_person_is_told_when_the_caller_was_in_the_bridge_first(cel: Path) -> None:
    rows = [
        tuple(
            "PJSIP/trunk-telco-00000000" if name == "peer" else value for name, value in zip(COLUMNS, row, strict=True)
        )
        if row[0] == "BRIDGE_ENTER" and "op-siti" in row[4]
        else row
        for row in without("BRIDGE_ENTER", channel="trunk-telco")
    ]
    write_cel(cel, rows)
    (call,) = fallback_calls(cel, 0)
    assert (call.answered_by, call.answered_at) == ("op-siti", at(1795409260.095281))


def test_nobody_is_told_when_the_caller_met_nobody(cel: Path) -> None:
    write_cel(cel, without("BRIDGE_ENTER"))
    (call,) = fallback_calls(cel, 0)
    assert (call.answered_by, call.answered_at) == (None, None)


def test_talk_before_the_fallback_is_not_its_answer_when_an_engine_handed_the_call_back(cel: Path) -> None:
    talked = [row for row in SERVED if row[0].startswith("BRIDGE")]
    write_cel(cel, [SERVED[0], *talked, *without("BRIDGE_ENTER", "BRIDGE_EXIT")[1:]])
    (call,) = fallback_calls(cel, 0)
    assert call.answered_by is None


@pytest.mark.parametrize("extra", ["", "no json", "[]", '{"hangupcause":"x"}'])
def test_cause_is_unknown_when_cel_does_not_tell_it(cel: Path, extra: str) -> None:
    told = {row[13]: extra for row in SERVED if row[0] == "HANGUP"}
    write_cel(cel, changed(SERVED, extra=told))
    (call,) = fallback_calls(cel, 0)
    assert (call.cause, call.hung_up_by) == (0, None)


def test_call_is_told_when_its_caller_id_is_no_text(cel: Path) -> None:
    write_cel(cel, SERVED)
    with sqlite3.connect(cel) as database:
        database.execute("UPDATE cel SET cid_num = CAST(x'fffe31' AS TEXT) WHERE AcctId = 1")
    database.close()
    (call,) = fallback_calls(cel, 0)
    assert call.caller == Caller(number=None, raw="??1")


def test_calls_are_told_in_the_order_of_their_ends_and_no_more_than_asked_for(cel: Path) -> None:
    other = "banyuwangi-1795409300.7"
    ids = {CALL: other, "banyuwangi-1795409259.1": "banyuwangi-1795409300.8"}
    write_cel(cel, SERVED)
    write_cel(cel, changed(SERVED, uniqueid=ids, linkedid=ids, userfield=ids))
    assert [call.call for call in fallback_calls(cel, 0)] == [CALL, other]
    assert [call.call for call in fallback_calls(cel, 0, limit=1)] == [CALL]
    assert [call.call for call in fallback_calls(cel, PLACE)] == [other]


def test_mark_of_another_channel_of_the_call_hides_nothing(cel: Path) -> None:
    foreign = {"banyuwangi-1795409246.0": "banyuwangi-1795409259.1"}
    marks = changed([row for row in SERVED if row[0] == "USER_DEFINED"], uniqueid=foreign)
    write_cel(cel, without("USER_DEFINED") + marks)
    assert fallback_calls(cel, 0) == []


def test_there_are_no_calls_when_there_is_no_cel(cel: Path) -> None:
    assert fallback_calls(cel, 0) == []


def test_reader_is_told_to_try_again_when_the_database_cannot_be_read(cel: Path) -> None:
    cel.write_bytes(b"no database" * 100)
    with pytest.raises(sqlite3.Error):
        fallback_calls(cel, 0)


def test_end_is_told_of_a_call_that_never_was_in_the_fallback(cel: Path) -> None:
    write_cel(cel, without("USER_DEFINED"))
    [told] = ended_unserved(cel, ["unknown-1.0", CALL])  # type: ignore[list-item]
    assert (told.call, told.answered_at, told.answered_by) == (CALL, None, None)
    assert (told.arrived_at, told.ended_at) == (at(1795409246.168573), at(1795409262.290624))
    assert (told.caller.number, told.hung_up_by, told.cause) == ("+6281234000001", "trunk-telco", 16)


def test_end_is_not_told_twice_of_a_call_of_the_fallback_nor_of_one_that_goes_on(cel: Path) -> None:
    write_cel(cel, SERVED)
    assert ended_unserved(cel, [CALL]) == []  # type: ignore[list-item]
    cel.unlink()
    assert ended_unserved(cel, [CALL]) == []  # type: ignore[list-item]
    write_cel(cel, [row for row in without("USER_DEFINED") if row[0] != "CHAN_END"])
    assert ended_unserved(cel, [CALL]) == []  # type: ignore[list-item]


LATER = at(1795409400.0)


def test_callers_are_gone_with_what_is_known_when_asterisk_died(cel: Path) -> None:
    rows = cut_off()
    write_cel(cel, rows)
    [told], place = callers_gone(cel, 0, LATER)
    assert (told.call, told.answered_by, told.hung_up_by, told.cause) == (CALL, "op-siti", None, 0)
    assert told.ended_at == max(at(float(row[1])) for row in rows if row[2] == CALL)
    assert place == len(rows)
    assert callers_gone(cel, place, LATER) == ([], place)


def test_nobody_is_gone_when_asterisk_lives_on_or_it_is_too_early_to_tell(cel: Path) -> None:
    write_cel(cel, cut_off()[:-1])
    own_start = 1  # the caller's channel was the first of its Asterisk's life
    assert callers_gone(cel, 0, LATER) == ([], own_start)
    cel.unlink()
    write_cel(cel, cut_off())
    assert callers_gone(cel, 0, at(1795409299.0)) == ([], own_start)
    assert callers_gone(cel.with_name("none"), 7, LATER) == ([], 7)


def test_citizen_whom_we_called_is_no_caller_who_is_gone(cel: Path) -> None:
    outbound = [tuple("CALLFLOW_OUTBOUND" if cell == "CALLFLOW_FALLBACK" else cell for cell in row) for row in SERVED]
    write_cel(cel, outbound)
    assert callers_gone(cel, 0, LATER) == ([], PLACE)


def test_callers_who_are_gone_are_read_from_the_beginning_when_cel_was_begun_anew(cel: Path) -> None:
    write_cel(cel, SERVED)
    [told], place = callers_gone(cel, 10_000, LATER)
    assert (told.call, place) == (CALL, PLACE)


def test_caller_who_is_gone_keeps_who_answered_when_an_engine_had_the_call(cel: Path) -> None:
    write_cel(cel, [row for row in cut_off() if "CALLFLOW_FALLBACK" not in row])
    [told], _ = callers_gone(cel, 0, LATER)
    assert told.answered_by == "op-siti"
    assert told.answered_at is not None
    assert not told.in_fallback
