from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest

from callflow.core.events import KeyPressed
from callflow.core.ids import CallId
from callflow.core.switchboard import Switchboard
from callflow.journal.append import Journal
from callflow.journal.checkpoint import newest_checkpoint, read_checkpoint, write_checkpoint
from callflow.journal.erase import erase_payloads
from callflow.journal.errors import CallNotFound, CheckpointDamaged
from callflow.journal.reader import Follower, read_entries, seqs_of_call
from callflow.journal.replay import Difference, Unreplayable, as_document, replay, replay_call
from callflow.journal.restore import restore

from .books import AT, PATIENCE_SECONDS, busy_centre, key, open_journal, write_keys, write_turns


def test_every_decision_is_the_same_when_a_busy_centre_is_replayed(tmp_path: Path) -> None:
    world = busy_centre()
    path = write_turns(tmp_path, world.turns)
    switchboard = Switchboard()
    assert list(replay(read_entries(path, limit=10_000), switchboard)) == []
    assert switchboard.state == world.switchboard.state


def test_call_is_replayed_from_the_checkpoint_before_it_when_there_is_one(tmp_path: Path) -> None:
    world = busy_centre()
    between = len(world.turns)
    write_checkpoint(tmp_path / "checkpoints", between, world.checkpoint(), AT)
    call = world.arrive("d")
    world.run(60.0)
    write_checkpoint(tmp_path / "checkpoints", len(world.turns), world.checkpoint(), AT)
    write_turns(tmp_path, world.turns)
    replayed = replay_call([tmp_path], tmp_path / "checkpoints", call)
    assert replayed.outcome is None
    assert (replayed.from_seq, replayed.first_seq) == (between, between + 1)
    assert replayed.events == replayed.last_seq - between > 5


def test_first_difference_is_shown_when_a_decision_is_another_today(tmp_path: Path) -> None:
    world = busy_centre()
    index = next(i for i, turn in enumerate(world.turns) if isinstance(turn.event, KeyPressed))
    world.turns[index] = replace(world.turns[index], commands=world.turns[index].commands[:1])
    write_turns(tmp_path, world.turns)
    call = str(getattr(world.turns[index].event, "call"))  # noqa: B009 - a KeyPressed has one
    outcome = replay_call([tmp_path], tmp_path / "none", call).outcome
    assert isinstance(outcome, Difference)
    assert (outcome.seq, outcome.event, outcome.position, outcome.expected) == (index + 1, "KeyPressed", 1, None)
    assert outcome.actual is not None
    assert outcome.same_core
    assert as_document(outcome)["kind"] == "difference"


def test_hole_is_named_when_a_payload_was_erased(tmp_path: Path) -> None:
    world = busy_centre()
    path = write_turns(tmp_path, world.turns)
    with open_journal(tmp_path) as journal:
        erase_payloads(journal, path, [6], who="adi", reason="law", at=AT)
    (hole, *_) = list(replay(read_entries(path, limit=10_000), Switchboard()))
    assert hole == Unreplayable(seq=6, reason="the payload was erased")
    assert as_document(hole)["kind"] == "unreplayable"


def test_hole_is_named_when_entries_were_lost(tmp_path: Path) -> None:
    path = write_turns(tmp_path, busy_centre().turns)
    entries = read_entries(path, limit=10_000)
    (hole, *_) = list(replay(entries[:3] + entries[5:], Switchboard()))
    assert hole == Unreplayable(seq=6, reason="entries 4 to 5 were lost")


def test_replay_is_refused_when_no_entry_names_the_call(tmp_path: Path) -> None:
    write_keys(tmp_path, 1, writer="engine")
    with pytest.raises(CallNotFound):
        replay_call([tmp_path], tmp_path, "pbx-9.9")


def test_knowledge_is_the_same_when_it_is_restored_from_checkpoint_and_tail(tmp_path: Path) -> None:
    world = busy_centre()
    seq = len(world.turns)
    write_checkpoint(tmp_path / "checkpoints", seq, world.checkpoint(), AT)
    world.arrive("d")
    world.run(3.0)
    write_turns(tmp_path, world.turns)
    restored = restore([tmp_path, tmp_path / "absent"], tmp_path / "checkpoints")
    assert restored.state == world.switchboard.state
    assert (restored.from_seq, restored.seq) == (seq, len(world.turns))
    assert restored.events == len(world.turns) - seq


def test_restart_begins_empty_when_there_is_nothing(tmp_path: Path) -> None:
    restored = restore([tmp_path], tmp_path / "checkpoints")
    assert (restored.seq, restored.events, restored.state.calls) == (0, 0, {})


def test_restart_goes_on_when_a_journal_file_is_unreadable(tmp_path: Path) -> None:
    world = busy_centre()
    write_turns(tmp_path, world.turns)
    (tmp_path / "engine.aside-20260101T000000.000000Z.sqlite").write_text("no journal")
    assert restore([tmp_path], tmp_path / "checkpoints").state == world.switchboard.state


def test_older_checkpoint_is_taken_when_the_newest_is_damaged(tmp_path: Path) -> None:
    state = busy_centre().checkpoint()
    for seq in (10, 20, 30):
        path = write_checkpoint(tmp_path, seq, state, AT)
    path.write_bytes(path.read_bytes().replace(b'"seq":30', b'"seq":31'))
    with pytest.raises(CheckpointDamaged):
        read_checkpoint(path)
    newest = newest_checkpoint(tmp_path)
    assert newest is not None
    assert (newest.seq, newest.at, newest.state) == (20, AT, state)
    before = newest_checkpoint(tmp_path, 19)
    assert before is not None
    assert before.seq == 10
    assert newest_checkpoint(tmp_path, 9) is None


@pytest.mark.parametrize(
    "body", ["[]", "null", '{"seq":9}', "[" * 100_000, '{"seq":9,"at":1,"core_version":"","state":{}}']
)
def test_older_checkpoint_is_taken_when_the_newest_is_whole_and_says_nothing(tmp_path: Path, body: str) -> None:
    write_checkpoint(tmp_path, 8, busy_centre().checkpoint(), AT)
    digest = hashlib.sha256(body.encode()).hexdigest()
    (tmp_path / "checkpoint-0000000000000009.json").write_text(f"callflow checkpoint 1 sha256={digest}\n{body}\n")
    newest = newest_checkpoint(tmp_path)
    assert newest is not None
    assert newest.seq == 8


def test_only_the_newest_are_kept_when_checkpoints_pile_up(tmp_path: Path) -> None:
    state = busy_centre().checkpoint()
    for seq in range(1, 6):
        write_checkpoint(tmp_path, seq, state, AT, keep=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "checkpoint-0000000000000004.json",
        "checkpoint-0000000000000005.json",
    ]


def test_one_checkpoint_of_each_hour_stays_when_a_crowd_makes_many(tmp_path: Path) -> None:
    state = busy_centre().checkpoint()
    hour = 3600
    for seq in range(1, 31):
        path = write_checkpoint(tmp_path, seq, state, AT, keep=12)
        written_at = seq * hour // 10  # ten an hour, for three hours
        os.utime(path, (written_at, written_at))
    write_checkpoint(tmp_path, 31, state, AT, keep=12)
    kept = sorted(int(path.stem.removeprefix("checkpoint-")) for path in tmp_path.iterdir())
    assert kept == [9, 19, *range(24, 32)]


def test_call_is_found_when_entries_name_it(tmp_path: Path) -> None:
    with open_journal(tmp_path) as journal:
        for call in ("a.1", "b.1", "a.1", "c.1"):
            journal.append(key(call=call))
        journal.wait_committed(4, PATIENCE_SECONDS)
        assert seqs_of_call(journal.path, CallId("a.1")) == (1, 3)
        assert seqs_of_call(journal.path, CallId("z.1")) is None


def append_and_wait(journal: Journal) -> None:
    journal.wait_committed(journal.append(key()), PATIENCE_SECONDS)


def test_follower_sees_each_commit_once_when_it_looks_again(tmp_path: Path) -> None:
    follower = Follower(tmp_path / "engine.sqlite")
    assert not follower.refresh()
    with open_journal(tmp_path) as journal:
        append_and_wait(journal)
        assert follower.refresh()
        assert [entry.envelope.seq for entry in follower.read(0)] == [1]
        assert not follower.refresh()
        append_and_wait(journal)
        assert follower.refresh()
        assert [entry.envelope.seq for entry in follower.read(1)] == [2]
        assert [follower.count_after(0), follower.count_after(1)] == [2, 1]
    follower.close()


def test_follower_goes_over_to_the_new_chain_when_the_file_was_replaced(tmp_path: Path) -> None:
    path = write_keys(tmp_path, 2)
    follower = Follower(path)
    assert follower.refresh()
    old = follower.birth
    path.rename(tmp_path / "engine.aside-x.sqlite")
    write_keys(tmp_path, 1)
    assert follower.refresh()
    assert follower.birth is not None
    assert follower.birth != old
    assert len(follower.read(0)) == 1
    follower.close()
