"""The heartbeat between two processes' views of one file."""

from __future__ import annotations

import errno
import math
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from callflow.engine.heartbeat import Heartbeat, HeartbeatReader

BEAT_ONCE = """
import pathlib, sys
from callflow.engine.heartbeat import Heartbeat
with Heartbeat(pathlib.Path(sys.argv[1])) as heart:
    heart.beat()
"""


def test_age_is_told_since_the_last_beat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run" / "heartbeat"
    with Heartbeat(path) as heart:
        heart.beat()
        beaten_at = time.monotonic_ns()
        monkeypatch.setattr(time, "monotonic_ns", lambda: beaten_at + 2_500_000_000)
        assert HeartbeatReader(path).age_seconds() == pytest.approx(2.5, abs=0.1)
    assert HeartbeatReader(path).age_seconds() == pytest.approx(2.5, abs=0.1)
    assert path.stat().st_mode & 0o777 == 0o600


def test_there_is_no_beat_before_the_first_and_after_silence(tmp_path: Path) -> None:
    path = tmp_path / "heartbeat"
    reader = HeartbeatReader(path)
    assert reader.age_seconds() is None
    with Heartbeat(path) as heart:
        assert reader.age_seconds() is None
        heart.beat()
        assert reader.age_seconds() is not None
        heart.silence()
        assert reader.age_seconds() is None


def test_new_engine_silences_what_the_one_before_left(tmp_path: Path) -> None:
    path = tmp_path / "heartbeat"
    with Heartbeat(path) as dead:
        dead.beat()
    with Heartbeat(path):
        assert HeartbeatReader(path).age_seconds() is None


@pytest.mark.parametrize("content", [b"", b"\x01", (2**62).to_bytes(8, "little")])
def test_file_that_holds_no_beat_of_this_boot_is_no_beat(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "heartbeat"
    path.write_bytes(content)
    assert HeartbeatReader(path).age_seconds() is None


def test_beat_of_another_process_is_felt(tmp_path: Path) -> None:
    path = tmp_path / "heartbeat"
    with Heartbeat(path):
        subprocess.run([sys.executable, "-c", BEAT_ONCE, str(path)], check=True, timeout=30)
        age = HeartbeatReader(path).age_seconds()
        assert age is not None
        assert age < 30


def test_want_of_room_is_told_when_the_file_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match="No space left"):
        Heartbeat(tmp_path / "heartbeat")


@pytest.mark.parametrize("replaced", [False, True])
def test_beats_are_felt_again_when_the_file_was_taken_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, replaced: bool
) -> None:
    path = tmp_path / "run" / "heartbeat"
    with Heartbeat(path) as heart:
        heart.beat()
        path.unlink()
        path.parent.rmdir()
        if replaced:
            path.parent.mkdir()
            path.write_bytes(bytes(16))
        assert HeartbeatReader(path).age_seconds() is None
        now = time.monotonic_ns() + 2_000_000_000
        monkeypatch.setattr(time, "monotonic_ns", lambda: now)
        heart.beat()
        assert HeartbeatReader(path).age_seconds() == 0.0


def test_turn_is_told_apart_from_a_beat(tmp_path: Path) -> None:
    path = tmp_path / "heartbeat"
    with Heartbeat(path) as heart:
        heart.turn()
        reader = HeartbeatReader(path)
        assert reader.age_seconds() is None
        assert reader.turned_seconds() is not None
        heart.beat()
        heart.silence()
        assert reader.turned_seconds() is not None
    with Heartbeat(path):
        assert HeartbeatReader(path).turned_seconds() == math.inf
    assert HeartbeatReader(tmp_path / "none").turned_seconds() is None


def test_next_engine_knows_whether_the_one_before_was_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "heartbeat"
    cut_off = Heartbeat(path)
    seen = [cut_off.was_cut_off]
    cut_off.turn()
    with Heartbeat(path) as after:
        seen.append(after.was_cut_off)
        after.turn()
    with Heartbeat(path) as well:
        seen.append(well.was_cut_off)
    assert seen == [False, True, False]
