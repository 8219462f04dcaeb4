from __future__ import annotations

from pathlib import Path

import pytest

from callflow.engine.starts import Starts, begins_empty, takes_flow


def test_starts_are_counted_until_one_succeeds(tmp_path: Path) -> None:
    path = tmp_path / "run" / "engine_starts"
    assert [Starts(path).begin() for _ in range(4)] == [0, 1, 2, 3]
    succeeding = Starts(path)
    succeeding.begin()
    succeeding.succeed()
    assert path.read_text() == "0000\n"
    assert Starts(path).begin() == 0


def test_start_counts_neither_way_when_it_was_ended(tmp_path: Path) -> None:
    path = tmp_path / "engine_starts"
    Starts(path).begin()
    for _ in range(3):
        ended = Starts(path)
        assert ended.begin() == 1
        ended.forgive()


def test_start_counts_once_and_only_while_what_is_known_may_end_it(tmp_path: Path) -> None:
    path = tmp_path / "engine_starts"
    for _ in range(3):
        waiting = Starts(path)
        assert waiting.begin() == 0
        waiting.forgive()  # and is killed while it waits for Asterisk
    for failed in range(2):
        dying = Starts(path)
        assert dying.begin() == failed
        dying.forgive()
        dying.count()
        dying.count()
    good = Starts(path)
    assert good.begin() == 2
    good.succeed()
    good.count()  # a snapshot of a later connection
    assert path.read_text() == "0000\n"


def test_start_stays_a_good_one_when_it_is_ended_after_it_succeeded(tmp_path: Path) -> None:
    path = tmp_path / "engine_starts"
    Starts(path).begin()
    good = Starts(path)
    good.begin()
    good.succeed()
    good.forgive()
    assert Starts(path).begin() == 0


@pytest.mark.parametrize("content", [b"", b"2", b"no number", b"\xff\xfe\x00\x00"])
def test_no_start_failed_when_the_number_cannot_be_read(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "engine_starts"
    path.write_bytes(content)
    assert Starts(path).begin() == 0
    assert path.read_bytes()[:4] == b"0001"


def test_engine_starts_all_the_same_when_its_start_cannot_be_counted(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("in the way")
    starts = Starts(tmp_path / "run" / "engine_starts")
    assert starts.begin() == 0
    starts.succeed()


def test_engine_begins_empty_after_two_failed_starts_and_then_ever_more_rarely() -> None:
    assert [failed for failed in range(20) if begins_empty(failed)] == [2, 4, 8, 16]
    assert [failed for failed in range(20) if begins_empty(failed) and takes_flow(failed)] == [2]
