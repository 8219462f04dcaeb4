from __future__ import annotations

import os
import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callflow.core.events import Event, FlowPublished
from callflow.core.state import State
from callflow.core.switchboard import Switchboard
from callflow.journal.alarms import JournalFault
from callflow.journal.append import Journal
from callflow.journal.chain import BEGINS_EMPTY
from callflow.journal.checkpoint import newest_checkpoint, write_checkpoint
from callflow.journal.errors import JournalBusy
from callflow.journal.files import chain_files, chain_path
from callflow.journal.poison import flow_in_force, recall
from callflow.journal.reader import entries_in_order, files_in_order, read_birth, read_entries
from callflow.journal.replay import replay_call
from callflow.journal.restore import restore
from callflow.journal.verify import Tampering, verify_chain, verify_journal

from .books import AT, CENTRE, PATIENCE_SECONDS, Alarms, busy_centre, key, open_journal, write_keys, write_turns


def begin_empty(directory: Path, count: int = 3, *, second: Path | None = None) -> Path:
    """A journal that forgets all before it, with so many keys."""
    journal = Journal(directory, writer="engine", centre=CENTRE, second=second, now=lambda: AT)
    journal.claim()
    journal.open(empty=True)
    try:
        for number in range(count):
            journal.append(key(number))
        journal.wait_committed(journal.last_seq, PATIENCE_SECONDS)
    finally:
        journal.close()
    return journal.path


def test_numbers_go_on_in_a_chain_that_names_the_one_before_when_the_engine_begins_empty(tmp_path: Path) -> None:
    write_keys(tmp_path, 5)
    path = begin_empty(tmp_path)
    birth = read_birth(path)
    assert (birth.first, birth.reason) == (6, BEGINS_EMPTY)
    assert birth.continues.split("/")[1] == "5"
    assert [entry.envelope.seq for entry in read_entries(path)] == [6, 7, 8]
    paths = files_in_order([tmp_path], "engine")
    assert len(paths) == 2
    assert [entry.envelope.seq for entry in entries_in_order(paths, 0)] == list(range(1, 9))
    assert verify_journal([tmp_path], tmp_path / "heads", None).findings == ()


def test_both_directories_are_set_aside_when_the_engine_begins_empty(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    write_keys(two, 9)
    write_keys(one, 5)
    path = begin_empty(one, second=two)
    assert read_birth(path).first == 10
    assert not chain_path(two, "engine").exists()
    assert len(chain_files("engine", one, two)) == 3


def test_engine_begins_empty_when_there_is_no_journal_at_all(tmp_path: Path) -> None:
    assert read_birth(begin_empty(tmp_path)).reason == BEGINS_EMPTY


def test_chain_is_nobody_elses_once_it_is_claimed(tmp_path: Path) -> None:
    ours = Journal(tmp_path, writer="engine", centre=CENTRE)
    ours.claim()
    with pytest.raises(JournalBusy):
        Journal(tmp_path, writer="engine", centre=CENTRE).claim()
    ours.open()
    ours.close()


def test_claim_is_no_fault_when_the_directory_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("in the way")
    Journal(tmp_path / "journal", writer="engine", centre=CENTRE).claim()


def test_restart_goes_back_no_further_than_to_where_the_engine_began_empty(tmp_path: Path) -> None:
    world = busy_centre()
    checkpoints = tmp_path / "checkpoints"
    write_checkpoint(checkpoints, len(world.turns), world.checkpoint(), AT)
    write_turns(tmp_path, world.turns)
    begin_empty(tmp_path, 2)
    restored = restore([tmp_path], checkpoints)
    assert (restored.from_seq, restored.seq, restored.state) == (0, len(world.turns) + 2, State())
    later = len(world.turns) + 1
    write_checkpoint(checkpoints, later, State(), AT)
    assert restore([tmp_path], checkpoints).from_seq == later


def test_nothing_but_the_flow_is_recalled_when_the_engine_begins_empty(tmp_path: Path) -> None:
    world = busy_centre()
    world.publish(world.flows[0], version=7)
    checkpoints = tmp_path / "checkpoints"
    newest = write_checkpoint(checkpoints, len(world.turns), world.checkpoint(), AT)
    write_checkpoint(checkpoints, 3, State(), AT)
    write_turns(tmp_path, world.turns)

    def recalled(*, empty: bool, with_flow: bool) -> tuple[bool, int | None, Path | None]:
        known = recall([tmp_path], checkpoints, empty=empty, with_flow=with_flow)
        assert (known.state == State()) is empty
        return known.empty, None if known.flow is None else known.flow.version, known.aside

    assert recalled(empty=False, with_flow=True) == (False, None, None)
    assert recalled(empty=True, with_flow=True) == (True, 7, newest.with_name(f"{newest.name}.aside"))
    left = newest_checkpoint(checkpoints)
    assert left is not None
    assert left.seq == 3
    assert recalled(empty=True, with_flow=False)[:2] == (True, None)
    assert recalled(empty=True, with_flow=False) == (True, None, None)


def test_flow_in_force_is_the_checkpoints_when_the_journal_cannot_say(tmp_path: Path) -> None:
    world = busy_centre()
    world.publish(world.flows[0], version=4)
    assert flow_in_force([tmp_path], tmp_path) is None
    path = write_checkpoint(tmp_path, 9, world.checkpoint(), AT)
    chain_path(tmp_path, "engine").write_text("no journal")
    flow = flow_in_force([tmp_path], tmp_path)
    assert isinstance(flow, FlowPublished)
    assert (flow.version, flow.document) == (4, world.flows[0])
    path.write_text("no checkpoint")
    assert flow_in_force([tmp_path], tmp_path) is None
    write_checkpoint(tmp_path, 10, replace(world.checkpoint(), flow_version=None), AT)
    assert flow_in_force([tmp_path], tmp_path) is None


def test_call_is_replayed_to_its_end_when_the_engine_began_empty_meanwhile(tmp_path: Path) -> None:
    world = busy_centre()
    write_turns(tmp_path, world.turns)
    call = str(next(iter({turn.event.call for turn in world.turns if getattr(turn.event, "call", None)})))  # type: ignore[attr-defined]
    whole = replay_call([tmp_path], tmp_path / "checkpoints", call)
    board = Switchboard()
    later = [replace(event, at=world.schedule.now) for event in (world.turns[0].event, key(0, call))]
    journal = Journal(tmp_path, writer="engine", centre=CENTRE, now=lambda: AT)
    journal.open(empty=True)
    for event in later:
        journal.append(event, board.handle(event))
    journal.close()
    replayed = replay_call([tmp_path], tmp_path / "checkpoints", call)
    assert replayed.outcome is None
    assert (replayed.first_seq, replayed.last_seq) == (whole.first_seq, len(world.turns) + 2)
    assert replayed.events == whole.events + 2


# --- a torn journal ---------------------------------------------------------------------------------------------------


COMMITTED = 400


@pytest.fixture(scope="module")
def killed_journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal as a kill leaves it: its last entries stand in SQLite's write-ahead log alone."""
    made, left = tmp_path_factory.mktemp("made"), tmp_path_factory.mktemp("left")
    with open_journal(made) as journal:
        for number in range(COMMITTED):
            journal.append(key(number))
            if number % 50 == 0:
                journal.wait_committed(journal.last_seq, PATIENCE_SECONDS)
        journal.wait_committed(journal.last_seq, PATIENCE_SECONDS)
        for path in made.iterdir():
            shutil.copy(path, left)
    return left


@given(seed=st.integers(0, 10_000))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_numbers_never_come_twice_and_the_damage_is_named_when_the_journal_is_torn(
    killed_journal: Path, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    rng = random.Random(seed)  # noqa: S311 - where it tears, not a secret
    directory = tmp_path_factory.mktemp("torn")
    for path in killed_journal.iterdir():
        shutil.copy(path, directory)
    torn = directory / rng.choice(("engine.sqlite", "engine.sqlite-wal"))
    size = torn.stat().st_size
    if rng.random() < 0.5:
        os.truncate(torn, rng.randrange(size))
    else:
        with torn.open("r+b") as file:
            file.seek(rng.randrange(size))
            file.write(rng.randbytes(rng.choice((1, 64, 4096))))
    restore([directory], directory / "checkpoints")
    alarms = Alarms()
    with open_journal(directory, alarms=alarms) as journal:
        first = journal.append(key())
        journal.wait_committed(first, PATIENCE_SECONDS)
        written = journal.path
    assert first > COMMITTED
    assert verify_chain(written).finding is None or first == COMMITTED + 1
    report = verify_journal([directory], directory / "heads", None)
    if JournalFault.DAMAGED in alarms.faults:
        assert report.findings
        assert Tampering.GAP not in {finding.kind for finding in report.findings}
    else:
        assert first == COMMITTED + 1


def test_lost_end_is_named_and_its_numbers_are_not_given_again_when_the_file_is_older_than_its_mark(
    tmp_path: Path,
) -> None:
    path = write_keys(tmp_path, 3)
    older = path.read_bytes()
    write_keys(tmp_path, 3)
    path.write_bytes(older)
    alarms = Alarms()
    with open_journal(tmp_path, alarms=alarms) as journal:
        assert journal.append(key()) == 7
    assert alarms.faults == [JournalFault.DAMAGED]
    assert "entries 4 to 6" in alarms.heard[0].detail
    (finding,) = verify_journal([tmp_path], tmp_path / "heads", None).findings
    assert (finding.kind, finding.seq) == (Tampering.TRUNCATED, 4)


@pytest.mark.parametrize("rest", ["write-ahead log left", "all gone"])
def test_numbers_go_on_and_the_loss_is_named_when_the_file_is_gone_at_the_start(
    killed_journal: Path, tmp_path: Path, rest: str
) -> None:
    for path in killed_journal.iterdir():
        shutil.copy(path, tmp_path)
    for path in tmp_path.glob("engine.sqlite" if rest == "write-ahead log left" else "engine.sqlite*"):
        path.unlink()
    alarms = Alarms()
    with open_journal(tmp_path, alarms=alarms) as journal:
        assert journal.append(key()) == COMMITTED + 1
        journal.wait_committed(COMMITTED + 1, PATIENCE_SECONDS)
    assert alarms.faults == [JournalFault.DAMAGED]
    assert f"entries up to {COMMITTED}" in alarms.heard[0].detail
    path = chain_path(tmp_path, "engine")
    assert read_birth(path).continues.split("/")[1] == str(COMMITTED)
    assert [entry.envelope.seq for entry in read_entries(path)] == [COMMITTED + 1]


def test_no_loss_is_told_when_the_file_is_not_there_because_it_was_set_aside(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    write_keys(two, 9)
    begin_empty(one, second=two)
    alarms = Alarms()
    with open_journal(one, second=two, alarms=alarms) as journal:
        assert journal.append(key()) == 13
    assert alarms.faults == []


def test_new_life_is_restored_when_the_whole_journal_was_lost_and_a_checkpoint_was_not(tmp_path: Path) -> None:
    world = busy_centre()
    journals, checkpoints = tmp_path / "journal", tmp_path / "checkpoints"
    write_checkpoint(checkpoints, 100, State(), AT)
    known = recall([journals], checkpoints, empty=False, with_flow=False)
    alarms = Alarms()
    journal = Journal(journals, writer="engine", centre=CENTRE, on_alarm=alarms, now=lambda: AT)
    journal.open(known=known.came_to)
    for turn in world.turns:
        journal.append(turn.event, turn.commands)
    journal.close()
    assert alarms.faults == [JournalFault.DAMAGED]
    restored = restore([journals], checkpoints)
    assert (restored.from_seq, restored.events, restored.seq) == (100, len(world.turns), journal.last_seq)
    assert restored.state == world.checkpoint()


@pytest.mark.parametrize("mark", [None, b"", b"half a ma", b"0" * 32 + b" 00000000000000000099 " + b"0" * 64 + b"\n"])
def test_journal_goes_on_when_the_mark_cannot_be_read_or_is_another_chains(tmp_path: Path, mark: bytes | None) -> None:
    path = write_keys(tmp_path, 3)
    place = path.with_suffix(".tip")
    place.unlink()
    if mark is not None:
        place.write_bytes(mark)
    with open_journal(tmp_path) as journal:
        assert journal.append(key()) == 4
    assert verify_journal([tmp_path], tmp_path / "heads", None).findings == ()


def test_engine_does_not_start_on_half_of_what_was_known_when_memory_is_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_memory(_: Switchboard, event: Event) -> None:
        raise MemoryError

    write_keys(tmp_path, 3)
    monkeypatch.setattr(Switchboard, "handle", no_memory)
    with pytest.raises(MemoryError):
        restore([tmp_path], tmp_path / "checkpoints")
