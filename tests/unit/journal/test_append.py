from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from callflow.core.events import Event
from callflow.journal import sink
from callflow.journal.alarms import JournalFault
from callflow.journal.append import Journal
from callflow.journal.errors import EntryLost, JournalBusy
from callflow.journal.files import chain_files, chain_path
from callflow.journal.reader import entries_in_order, files_in_order, read_birth, read_entries
from callflow.journal.verify import verify_chain

from .books import AT, CENTRE, PATIENCE_SECONDS, Alarms, key, open_journal, tampering, write_keys


def seqs(path: Path) -> list[int]:
    return [entry.envelope.seq for entry in read_entries(path)]


def no_finding(path: Path) -> bool:
    return verify_chain(path).finding is None


def in_the_way(directory: Path) -> None:
    """Make a directory unusable, for root too: a file stands in its place."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.write_text("in the way")


async def test_numbers_count_up_and_are_on_disk_when_committed_returns(tmp_path: Path) -> None:
    with open_journal(tmp_path) as journal:
        numbers = [journal.append(key(n)) for n in range(1, 6)]
        await asyncio.wait_for(journal.committed(5), PATIENCE_SECONDS)
        assert numbers == [1, 2, 3, 4, 5]
        assert seqs(journal.path) == numbers
        assert (journal.committed_seq, journal.pending) == (5, 0)


def test_chain_goes_on_when_the_journal_is_opened_again(tmp_path: Path) -> None:
    write_keys(tmp_path, 3)
    path = write_keys(tmp_path, 3)
    assert seqs(path) == [1, 2, 3, 4, 5, 6]
    assert no_finding(path)


def test_all_is_written_when_the_journal_is_closed_at_once(tmp_path: Path) -> None:
    with open_journal(tmp_path) as journal:
        for number in range(2_500):
            journal.append(key(number))
    assert len(list(entries_in_order([chain_path(tmp_path, "engine")], 0))) == 2_500


def test_second_writer_is_refused_when_the_first_is_at_work(tmp_path: Path) -> None:
    with open_journal(tmp_path):
        with pytest.raises(JournalBusy):
            Journal(tmp_path, writer="engine", centre=CENTRE).open()
        with open_journal(tmp_path, writer="web") as other:
            other.wait_committed(other.append(key()), PATIENCE_SECONDS)


def test_files_are_the_owners_alone_when_they_are_made(tmp_path: Path) -> None:
    path = write_keys(tmp_path / "journal", 1)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET envelope = '{}'",
        "DELETE FROM entries",
        "UPDATE payloads SET payload = '{}'",
        "DELETE FROM payloads",
        "UPDATE birth SET text = ''",
        "DELETE FROM birth",
        "INSERT INTO entries VALUES (1, '{}', x'00', x'00')",
        "INSERT INTO payloads VALUES (2, x'00', '{}')",
    ],
)
def test_statement_is_refused_when_it_would_change_what_was_written(tmp_path: Path, statement: str) -> None:
    path = write_keys(tmp_path, 3)
    connection = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError):
        connection.execute(statement)
    connection.close()
    assert no_finding(path)


def test_second_directory_takes_over_when_the_first_is_unusable_at_start(tmp_path: Path) -> None:
    alarms = Alarms()
    in_the_way(tmp_path / "first")
    with open_journal(tmp_path / "first", second=tmp_path / "second", alarms=alarms) as journal:
        journal.wait_committed(journal.append(key()), PATIENCE_SECONDS)
        assert journal.path.parent == tmp_path / "second"
        # It is made known once it serves, which is just after the commit.
        alarms.wait_for(JournalFault.WRITABLE_AGAIN)
    assert alarms.faults[0] is JournalFault.UNWRITABLE
    assert JournalFault.ON_SECOND_DIRECTORY in alarms.faults


def test_chain_returns_to_the_first_directory_when_it_serves_again_at_the_next_start(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    write_keys(first, 2)
    shutil.move(first, tmp_path / "away")
    in_the_way(first)
    with open_journal(first, second=second) as journal:
        unread = journal.append(key())
        journal.wait_committed(unread, PATIENCE_SECONDS)
    first.unlink()
    shutil.move(tmp_path / "away", first)
    with open_journal(first, second=second) as journal:
        assert journal.path.parent == first
        number = journal.append(key())
        journal.wait_committed(number, PATIENCE_SECONDS)
    assert number > unread
    paths = files_in_order([first, second], "engine")
    assert len(list(entries_in_order(paths, 0))) == 4
    assert all(no_finding(path) for path in paths)


def test_nothing_is_lost_when_the_first_directory_breaks_while_writing(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    alarms = Alarms()
    with open_journal(first, second=second, alarms=alarms) as journal:
        journal.wait_committed(journal.append(key(1)), PATIENCE_SECONDS)
        in_the_way(first)
        journal.wait_committed(journal.append(key(2)), PATIENCE_SECONDS)
        alarms.wait_for(JournalFault.ON_SECOND_DIRECTORY)
    assert read_birth(chain_path(second, "engine")).continues.split("/")[1] == "1"
    assert seqs(chain_path(second, "engine")) == [2]


def test_entries_come_back_when_the_file_is_deleted_while_writing(tmp_path: Path) -> None:
    alarms = Alarms()
    with open_journal(tmp_path, alarms=alarms) as journal:
        journal.wait_committed(journal.append(key(1)), PATIENCE_SECONDS)
        for path in tmp_path.glob("engine.sqlite*"):
            path.unlink()
        journal.wait_committed(journal.append(key(2)), PATIENCE_SECONDS)
    assert alarms.faults == [JournalFault.FILE_GONE]
    assert seqs(chain_path(tmp_path, "engine")) == [1, 2]
    assert no_finding(chain_path(tmp_path, "engine"))


@pytest.mark.parametrize("damage", ["cut short", "emptied"])
def test_nothing_acknowledged_vanishes_when_the_file_is_torn_while_writing(tmp_path: Path, damage: str) -> None:
    path = chain_path(tmp_path, "engine")
    alarms = Alarms()
    with open_journal(tmp_path, alarms=alarms) as journal:
        for number in range(1, 301):
            seq = journal.append(key(number))
        journal.wait_committed(seq, PATIENCE_SECONDS)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        seq = journal.append(key(301))
        journal.wait_committed(seq, PATIENCE_SECONDS)
        match damage:
            case "cut short":
                os.truncate(path, path.stat().st_size // 2 + 100)
            case _:
                os.truncate(path, 0)
        seq = journal.append(key(302))
        journal.wait_committed(seq, PATIENCE_SECONDS)
    assert alarms.faults == [JournalFault.DAMAGED]
    assert seqs(path) == list(range(1, 303))
    assert no_finding(path)
    with open_journal(tmp_path, alarms=alarms) as journal:
        assert journal.last_seq == 302


def test_journal_goes_back_to_the_first_directory_when_it_serves_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sink, "RETURN_AFTER_SECONDS", 0.0)
    first, second = tmp_path / "first", tmp_path / "second"
    alarms = Alarms()
    with open_journal(first, second=second, alarms=alarms) as journal:
        journal.wait_committed(journal.append(key(1)), PATIENCE_SECONDS)
        in_the_way(first)
        journal.wait_committed(journal.append(key(2)), PATIENCE_SECONDS)
        journal.wait_committed(journal.append(key(3)), PATIENCE_SECONDS)
        assert seqs(chain_path(second, "engine")) == [2, 3]
        first.unlink()
        journal.wait_committed(journal.append(key(4)), PATIENCE_SECONDS)
    assert seqs(chain_path(first, "engine")) == [4]
    assert alarms.faults[-1] is JournalFault.BACK_IN_FIRST_DIRECTORY
    assert [no_finding(path) for path in chain_files("engine", first, second)] == [True, True]


def test_another_writer_is_kept_out_when_the_directory_was_deleted_and_brought_back(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    with open_journal(folder) as journal:
        journal.wait_committed(journal.append(key(1)), PATIENCE_SECONDS)
        shutil.rmtree(folder)
        journal.wait_committed(journal.append(key(2)), PATIENCE_SECONDS)
        with pytest.raises(JournalBusy), open_journal(folder):
            pass
    assert seqs(chain_path(folder, "engine")) == [1, 2]


def test_stranger_is_set_aside_when_the_file_is_replaced_while_writing(tmp_path: Path) -> None:
    alarms = Alarms()
    with open_journal(tmp_path, alarms=alarms) as journal:
        journal.wait_committed(journal.append(key(1)), PATIENCE_SECONDS)
        (tmp_path / "other").write_text("not ours")
        (tmp_path / "other").replace(chain_path(tmp_path, "engine"))
        journal.wait_committed(journal.append(key(2)), PATIENCE_SECONDS)
    assert alarms.faults == [JournalFault.FILE_GONE]
    assert seqs(chain_path(tmp_path, "engine")) == [1, 2]
    assert len(chain_files("engine", tmp_path)) == 2


@pytest.mark.parametrize("damage", ["header", "tail", "empty"])
def test_damaged_file_is_kept_aside_and_numbers_are_not_given_again_when_opened(tmp_path: Path, damage: str) -> None:
    path = write_keys(tmp_path, 3)
    match damage:
        case "header":
            with path.open("r+b") as file:
                file.write(b"garbage!" * 64)
        case "tail":
            with tampering(path) as connection:
                connection.execute("UPDATE entries SET envelope = '{}' WHERE seq = 3")
        case _:
            path.write_bytes(b"")
    alarms = Alarms()
    with open_journal(tmp_path, alarms=alarms) as journal:
        number = journal.append(key())
        journal.wait_committed(number, PATIENCE_SECONDS)
    assert number > 3
    assert alarms.faults == [JournalFault.DAMAGED]
    (aside,) = set(chain_files("engine", tmp_path)) - {path}
    assert "aside" in aside.name
    assert no_finding(path)


async def test_loss_is_declared_and_nobody_relies_on_it_when_memory_is_full(tmp_path: Path) -> None:
    in_the_way(tmp_path / "first")
    alarms = Alarms()
    with open_journal(tmp_path / "first", alarms=alarms, max_pending=3) as journal:
        kept = [journal.append(key(n)) for n in range(3)]
        lost = [journal.append(key(n)) for n in range(2)]
        with pytest.raises(EntryLost):
            await journal.committed(lost[0])
        (tmp_path / "first").unlink()
        await asyncio.wait_for(journal.committed(kept[-1]), PATIENCE_SECONDS)
        after = journal.append(key())
        await asyncio.wait_for(journal.committed(after), PATIENCE_SECONDS)
        assert after == lost[-1] + 2
        declared = read_entries(journal.path, lost[-1])[0].event
        assert declared is not None
        assert (declared["type"], declared["first"], declared["last"]) == ("EntriesLost", lost[0], lost[-1])
        report = verify_chain(journal.path)
        assert (report.finding, report.lost) == (None, 2)
    assert alarms.faults.count(JournalFault.ENTRIES_LOST) == 1


def test_waiter_is_told_when_the_journal_closes_without_a_disk(tmp_path: Path) -> None:
    in_the_way(tmp_path / "first")
    with open_journal(tmp_path / "first") as journal:
        number = journal.append(key())
        with pytest.raises(TimeoutError):
            journal.wait_committed(number, 0.01)
        waiting = journal._commitment(number)
    with pytest.raises(EntryLost):
        waiting.result(PATIENCE_SECONDS)
    with pytest.raises(EntryLost):
        journal.wait_committed(number, PATIENCE_SECONDS)


def test_place_is_kept_when_an_event_cannot_be_put_into_words(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Odd(Event):
        thing: object

    alarms = Alarms()
    with open_journal(tmp_path, alarms=alarms) as journal:
        journal.append(Odd(at=AT, thing=object()))
        journal.wait_committed(journal.append(key()), PATIENCE_SECONDS)
        first = read_entries(journal.path)[0].event
    assert first is not None
    assert (first["type"], first["name"], first["fault"]) == ("UnwritableEvent", "Odd", "MalformedDocument")
    assert alarms.faults == [JournalFault.UNWRITABLE_EVENT]


def test_journal_goes_on_when_its_listener_fails(tmp_path: Path) -> None:
    def broken(_: object) -> None:
        raise RuntimeError("loop is closed")

    journal = Journal(tmp_path, writer="engine", centre=CENTRE, on_alarm=broken)
    journal.open()
    journal.wait_committed(journal.append(key()), PATIENCE_SECONDS)
    chain_path(tmp_path, "engine").unlink()
    journal.wait_committed(journal.append(key()), PATIENCE_SECONDS)
    journal.close()


_WRITER = """
import sys
from pathlib import Path
from callflow.core.events import KeyPressed
from callflow.journal.append import Journal
from datetime import UTC, datetime
journal = Journal(Path(sys.argv[1]), writer="engine", centre="pekalongan")
journal.open()
while True:
    for _ in range(7):
        seq = journal.append(KeyPressed(at=datetime.now(UTC), call="pbx-1.1", key="1"))
    journal.wait_committed(seq, 10)
    print(seq, flush=True)
"""


def test_everything_acknowledged_is_there_when_the_writer_is_killed(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", _WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    acknowledged = [int(process.stdout.readline()) for _ in range(20)]
    process.send_signal(signal.SIGKILL)
    acknowledged += [int(line) for line in process.stdout.read().splitlines()]
    process.stdout.close()
    process.wait()
    path = chain_path(tmp_path, "engine")
    written = seqs(path)
    assert written == list(range(1, len(written) + 1))
    assert written[-1] >= acknowledged[-1]
    assert no_finding(path)
    with open_journal(tmp_path) as journal:
        journal.wait_committed(journal.append(key()), PATIENCE_SECONDS)
    assert no_finding(path)
