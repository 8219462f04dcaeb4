from __future__ import annotations

import asyncio
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from callflow.core.city import Classification
from callflow.core.commands import Command, Note
from callflow.core.events import Caller, CallerHistory
from callflow.core.facts import CallClassified, CallOpened, CallServedInFallback, Direction, Fact, HangupParty
from callflow.core.ids import CallId
from callflow.journal import caller_pages
from callflow.journal.append import Journal
from callflow.journal.caller_file import KEPT_DAYS, CallerFile, CallerReader
from callflow.journal.callers import CallerIndex, CallerLookups
from callflow.journal.erase import erase_payloads
from callflow.journal.errors import MalformedDocument
from callflow.journal.files import chain_path

from .books import AT, CENTRE, PATIENCE_SECONDS, key, open_journal, tampering

NUMBER = "+6281234567890"
OTHER = "+6281200000001"
DAY = timedelta(days=1)


class Centre:
    """A journal, the callers' file made from it, and who looks into it."""

    def __init__(self, folder: Path) -> None:
        self.directory = folder / "journal"
        self.path = folder / "callers.sqlite"
        self.index = self.new_index()

    def new_index(self, *directories: Path) -> CallerIndex:
        return CallerIndex(self.path, directories or (self.directory,), now=lambda: AT)

    def restart_index(self, *directories: Path) -> None:
        self.index.close()
        self.index = self.new_index(*directories)

    def journal(self, *facts: Fact, directory: Path | None = None) -> None:
        with open_journal(directory or self.directory) as journal:
            write(journal, *facts)

    def known(self, number: str = NUMBER, *, call: str | None = None, at: datetime = AT) -> CallerHistory:
        reader = CallerReader(self.path)
        try:
            return reader.look_up(number, at=at, call=None if call is None else CallId(call))
        finally:
            reader.close()

    def caught_up(self, number: str = NUMBER) -> CallerHistory:
        self.index.catch_up()
        return self.known(number)


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    centre = Centre(tmp_path)
    yield centre
    centre.index.close()


def write(journal: Journal, *facts: Fact) -> list[int]:
    notes: list[Command] = [Note(fact=fact, centre=CENTRE) for fact in facts]
    numbers = [journal.append(key(call=getattr(note.fact, "call", "-")), [note]) for note in notes]  # type: ignore[attr-defined]
    journal.wait_committed(journal.last_seq, PATIENCE_SECONDS)
    return numbers


def opened(call: str, number: str | None = NUMBER, *, days: float = 1.0, **more: Direction) -> CallOpened:
    at = AT - days * DAY
    return CallOpened(
        at=at,
        call=CallId(call),
        arrived_at=at,
        caller=Caller(number=number, raw=number or "anonymous"),
        dialled="112",
        trunk="carrier",
        **more,
    )


def said(call: str, what: Classification) -> CallClassified:
    return CallClassified(at=AT, call=CallId(call), classification=what, by="ani", operator=None)


def served_alone(call: str, number: str = NUMBER, *, days: float = 1.0) -> CallServedInFallback:
    at = AT - days * DAY
    return CallServedInFallback(
        at=AT,
        call=CallId(call),
        arrived_at=at,
        caller=Caller(number=number, raw=number),
        dialled="112",
        trunk="carrier",
        answered_at=at,
        answered_by="op-ani",
        ended_at=at,
        ended_by=HangupParty.CALLER,
        cause=16,
    )


def words(history: CallerHistory) -> list[str]:
    return [str(each.classification) for each in history.dispositions]


PRANK, NORMAL, GHOST, INFORMASI = (
    Classification.PRANK,
    Classification.NORMAL,
    Classification.GHOST,
    Classification.INFORMASI,
)


def test_history_holds_calls_and_latest_words_when_the_journal_was_taken_in(centre: Centre) -> None:
    centre.journal(
        opened("a", days=3.0),
        said("a", NORMAL),
        opened("b", days=2.0),
        served_alone("c", days=1.0),
        opened("d", OTHER, days=1.0),
        said("d", PRANK),
        said("b", GHOST),
        said("a", PRANK),  # the latest word counts, however late it comes
    )
    history = centre.caught_up()
    assert (history.calls, history.last_call_at) == (3, AT - 1.0 * DAY)
    assert [(each.at, str(each.classification)) for each in history.dispositions] == [
        (AT - 2.0 * DAY, "ghost"),
        (AT - 3.0 * DAY, "prank"),
    ]
    assert (history.centre_pranks, history.centre_calls) == (2, 2)
    assert centre.known("+62811") == CallerHistory(centre_pranks=2, centre_calls=2)


def test_call_itself_is_left_out_when_it_is_the_one_asked_for(centre: Centre) -> None:
    centre.journal(opened("a", days=2.0), said("a", PRANK), opened("now", days=0.0), said("now", NORMAL))
    centre.index.catch_up()
    history = centre.known(call="now")
    assert (history.calls, words(history)) == (1, ["prank"])


def test_unknown_callers_count_for_the_base_rate_alone_when_they_were_classified(centre: Centre) -> None:
    centre.journal(opened("a", None), said("a", PRANK), opened("b", None), said("b", INFORMASI))
    history = centre.caught_up()
    assert (history.calls, history.centre_pranks, history.centre_calls) == (0, 1, 2)
    assert centre.known("").calls == 0


def test_outbound_calls_are_no_calls_of_the_citizen_when_they_are_classified(centre: Centre) -> None:
    centre.journal(opened("a.b1", direction=Direction.OUTBOUND), said("a.b1", PRANK))
    assert centre.caught_up() == CallerHistory()


def test_base_rate_forgets_days_when_they_are_long_past(centre: Centre) -> None:
    centre.journal(opened("a", days=170.0), said("a", PRANK), opened("b", days=190.0), said("b", NORMAL))
    history = centre.caught_up()
    assert (history.centre_pranks, history.centre_calls) == (1, 1)
    assert centre.known(at=AT + 20 * DAY).centre_calls == 0


def test_base_rate_follows_when_a_word_is_changed_and_a_call_is_forgotten(centre: Centre) -> None:
    centre.journal(opened("a"), said("a", PRANK), said("a", PRANK), said("a", GHOST), said("a", NORMAL))
    assert (centre.caught_up().centre_pranks, centre.known().centre_calls) == (0, 1)
    file = CallerFile(centre.path)
    with file.transaction():
        file.drop_older(AT + (KEPT_DAYS + 1) * DAY)
    file.close()
    assert centre.known() == CallerHistory()


def test_only_the_latest_fifty_are_told_when_there_are_more(centre: Centre) -> None:
    facts: list[Fact] = []
    for number in range(60):
        facts += [opened(f"c{number}", days=number + 1.0), said(f"c{number}", PRANK)]
    centre.journal(*facts)
    history = centre.caught_up()
    assert (history.calls, len(history.dispositions)) == (60, 50)
    assert history.dispositions[0].at == AT - 1.0 * DAY


def test_nothing_is_taken_in_twice_when_the_index_starts_again(centre: Centre) -> None:
    centre.journal(opened("a"), said("a", PRANK))
    first = centre.caught_up()
    centre.restart_index()
    assert centre.caught_up() == first
    centre.journal(said("a", NORMAL), opened("b", days=0.5))
    history = centre.caught_up()
    assert (history.calls, words(history)) == (2, ["normal"])


def test_file_is_nobody_elses_when_it_was_made(centre: Centre) -> None:
    centre.journal(opened("a"))
    centre.index.catch_up()
    assert stat.S_IMODE(centre.path.stat().st_mode) == 0o600


@pytest.mark.parametrize("trouble", ["garbage", "deleted", "other form", "no table"])
def test_file_is_made_anew_when_it_is_lost_between_two_starts(centre: Centre, trouble: str) -> None:
    centre.journal(opened("a"), said("a", PRANK))
    first = centre.caught_up()
    centre.index.close()
    match trouble:
        case "garbage":
            centre.path.write_bytes(b"no database at all" * 400)
        case "deleted":
            centre.path.unlink()
        case "other form":
            with sqlite3.connect(centre.path) as connection:
                connection.execute("PRAGMA user_version = 99")
            connection.close()
        case _:
            with sqlite3.connect(centre.path) as connection:
                connection.execute("DROP TABLE calls")
            connection.close()
    centre.restart_index()
    assert centre.caught_up() == first


def test_file_is_made_anew_when_somebody_deletes_it_under_the_index(centre: Centre) -> None:
    centre.journal(opened("a"), said("a", PRANK))
    first = centre.caught_up()
    centre.path.unlink()
    assert centre.caught_up() == first


def test_file_is_made_anew_when_pages_of_it_rot_under_the_index(centre: Centre) -> None:
    centre.journal(opened("a"), said("a", PRANK))
    centre.index.catch_up()
    with sqlite3.connect(centre.path) as connection:
        connection.execute("DROP TABLE chains")
    connection.close()
    centre.journal(opened("b"))
    with pytest.raises(sqlite3.Error):
        centre.index.catch_up()
    assert centre.caught_up().calls == 2


def test_lost_tail_is_forgotten_when_its_numbers_are_given_again(centre: Centre, tmp_path: Path) -> None:
    centre.journal(opened("kept"), said("kept", NORMAL))
    backup = tmp_path / "backup.sqlite"
    shutil.copy(chain_path(centre.directory, "engine"), backup)
    centre.journal(opened("lost"), said("lost", PRANK), opened("lost too"))
    assert centre.caught_up().calls == 3
    centre.index.close()
    shutil.copy(backup, chain_path(centre.directory, "engine"))
    centre.journal(opened("after"), opened("after too"), opened("third"), opened("fourth"))
    centre.restart_index()
    history = centre.caught_up()
    assert (history.calls, words(history)) == (5, ["normal"])
    assert (history.centre_pranks, history.centre_calls) == (0, 1)


def test_lost_tail_is_forgotten_when_nothing_came_after_it(centre: Centre, tmp_path: Path) -> None:
    centre.journal(opened("kept"))
    backup = tmp_path / "backup.sqlite"
    shutil.copy(chain_path(centre.directory, "engine"), backup)
    centre.journal(opened("lost"))
    assert centre.caught_up().calls == 2
    centre.index.close()
    shutil.copy(backup, chain_path(centre.directory, "engine"))
    centre.restart_index()
    assert centre.caught_up().calls == 1


def test_calls_and_words_meet_when_the_journal_moved_to_the_second_directory(centre: Centre, tmp_path: Path) -> None:
    second = tmp_path / "second"
    centre.restart_index(centre.directory, second)
    centre.journal(opened("a", days=3.0), opened("b", days=2.0))
    with open_journal(centre.directory, second=second) as journal:
        shutil.rmtree(centre.directory)
        centre.directory.write_text("in the way")
        write(journal, said("a", PRANK), opened("c", days=1.0))
        assert journal.path.parent == second
    centre.index.catch_up()
    assert centre.known().calls == 1  # the first directory is gone, and what was in it
    centre.directory.unlink()
    with open_journal(centre.directory, second=second) as journal:
        write(journal, said("c", PRANK))
    history = centre.caught_up()
    assert (history.calls, words(history)) == (1, ["prank"])


def test_the_rest_is_taken_in_when_one_journal_file_is_damaged(centre: Centre) -> None:
    centre.journal(opened("a"))
    (centre.directory / "engine.aside-20260101T000000.000000Z.sqlite").write_bytes(b"rot")
    assert centre.caught_up().calls == 1
    assert centre.caught_up().calls == 1


def test_fact_is_passed_over_when_nobody_can_read_it(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    centre.journal(opened("a"), opened("b"))
    real = caller_pages.decode_fact
    refused: list[str] = []

    def refuse_first(document: dict[str, object]) -> Fact:
        if not refused:
            refused.append(str(document["type"]))
            raise MalformedDocument("CallOpened", "is not what it was")
        return real(document)

    monkeypatch.setattr(caller_pages, "decode_fact", refuse_first)
    assert centre.caught_up().calls == 1
    assert refused == ["CallOpened"]


def test_file_says_so_and_others_go_on_when_an_entry_is_not_in_the_journals_form(centre: Centre) -> None:
    centre.journal(opened("a"))
    with tampering(chain_path(centre.directory, "engine")) as connection:
        connection.execute('UPDATE payloads SET payload = \'["type":"CallOpened"\'')
    assert centre.caught_up().calls == 0


def test_long_journal_is_taken_in_whole_when_it_has_many_pages(centre: Centre) -> None:
    with open_journal(centre.directory) as journal:
        for number in range(2 * caller_pages.PAGE):
            journal.append(key(number))
        write(journal, opened("a"), said("a", PRANK))
    assert words(centre.caught_up()) == ["prank"]


# --- erasure by law -------------------------------------------------------------------------------------------------


def erase(centre: Centre, *facts: Fact) -> None:
    with open_journal(centre.directory) as journal:
        numbers = write(journal, *facts)
        centre.index.catch_up()
        erase_payloads(journal, journal.path, numbers, who="adi", reason="law", at=AT, callers=centre.path)


def test_no_byte_of_the_number_stays_when_its_call_was_erased(centre: Centre) -> None:
    centre.journal(opened("b", OTHER))
    erase(centre, opened("a"), said("a", PRANK))
    assert centre.known() == CallerHistory()
    assert centre.known(OTHER).calls == 1
    centre.index.close()
    left = b"".join(path.read_bytes() for path in centre.path.parent.glob("callers.sqlite*"))
    assert NUMBER.encode() not in left
    assert OTHER.encode() in left
    centre.path.unlink()
    centre.restart_index()
    assert centre.caught_up() == CallerHistory()


def test_erasure_deletes_the_file_when_it_cannot_be_written(centre: Centre) -> None:
    centre.path.write_bytes(b"no database at all" * 400)
    index, centre.index = centre.index, CallerIndex(centre.path.with_name("another.sqlite"), (centre.directory,))
    erase(centre, opened("a"))
    assert not centre.path.exists()
    centre.index.close()
    centre.index = index
    assert centre.caught_up() == CallerHistory()


def test_erasure_is_done_when_there_is_no_callers_file(centre: Centre) -> None:
    with open_journal(centre.directory) as journal:
        erase_payloads(
            journal, journal.path, write(journal, opened("a")), who="adi", reason="law", at=AT, callers=centre.path
        )
    assert centre.caught_up() == CallerHistory()


# --- the thread, and look-ups ---------------------------------------------------------------------------------------


async def answered(lookups: CallerLookups, enough: Callable[[CallerHistory], bool]) -> CallerHistory:
    """Ask until the thread has taken in enough; each answer is waited for, so that this never spins."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            history = await lookups.look_up(NUMBER)
            if history is not None and enough(history):
                return history


async def test_look_up_finds_what_the_thread_took_in_when_calls_go_on(centre: Centre) -> None:
    lookups = CallerLookups(centre.path, now=lambda: AT)
    assert await lookups.look_up(NUMBER) is None  # no file yet
    centre.index.start()
    with open_journal(centre.directory) as journal:
        write(journal, opened("a"), said("a", PRANK))
        history = await answered(lookups, lambda found: bool(found.dispositions))
        assert (history.calls, words(history)) == (1, ["prank"])
        own = await lookups.look_up(NUMBER, CallId("a"))
        assert own is not None
        assert own.calls == 0
    centre.index.close()
    assert await lookups.look_up(NUMBER) == history  # the engine may be gone
    lookups.close()
    lookups.close()


async def test_thread_goes_on_when_the_file_cannot_be_made_at_first(centre: Centre) -> None:
    centre.path.mkdir()
    centre.index.start()
    centre.journal(opened("a"))
    lookups = CallerLookups(centre.path, now=lambda: AT)
    assert await lookups.look_up(NUMBER) is None
    centre.path.rmdir()
    assert (await answered(lookups, lambda found: bool(found.calls))).calls == 1
    lookups.close()


async def test_look_up_has_no_answer_when_the_file_is_no_database(centre: Centre) -> None:
    centre.path.write_bytes(b"no database at all" * 400)
    lookups = CallerLookups(centre.path, now=lambda: AT)
    assert await lookups.look_up(NUMBER) is None
    assert await lookups.look_up(NUMBER) is None
    lookups.close()
