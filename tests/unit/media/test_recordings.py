from __future__ import annotations

import hashlib
import struct
from pathlib import Path

import pytest

from callflow.media.recordings import MeasuredTrack, measure

CALL = "node1-7.1"


def wav(seconds: float, *, told_bytes: int | None = None, extra: bytes = b"") -> bytes:
    """Mono, 16 bits, 8 kHz; its header tells `told_bytes` of audio, by default the truth."""
    audio = bytes(range(256)) * (int(seconds * 16000) // 256)
    told = len(audio) if told_bytes is None else told_bytes
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16)
    return b"RIFF" + struct.pack("<I", 36 + told) + b"WAVE" + form + extra + b"data" + struct.pack("<I", told) + audio


def write(directory: Path, **tracks: bytes) -> None:
    for name, content in tracks.items():
        suffix = "" if name == "mixed" else f"-{name}"
        (directory / f"{CALL}{suffix}.wav").write_bytes(content)


def test_each_track_is_measured_when_all_are_finished(tmp_path: Path) -> None:
    content = wav(2.048)
    write(tmp_path, mixed=content, **{"in": wav(1.024), "out": wav(0.0)})
    tracks = measure(tmp_path, CALL)
    assert tracks is not None
    assert [(track.name, track.path, track.seconds) for track in tracks] == [
        ("mixed", "node1-7.1.wav", 2.048),
        ("in", "node1-7.1-in.wav", 1.024),
        ("out", "node1-7.1-out.wav", 0.0),
    ]
    assert tracks[0].sha256 == hashlib.sha256(content).hexdigest()
    assert tracks[0].bytes == len(content)


def test_length_is_right_when_other_chunks_stand_before_the_audio(tmp_path: Path) -> None:
    write(tmp_path, mixed=wav(1.024, extra=b"LIST" + struct.pack("<I", 3) + b"abc\0"))
    tracks = measure(tmp_path, CALL)
    assert tracks is not None
    assert tracks[0].seconds == 1.024


@pytest.mark.parametrize(
    "growing",
    [b"", b"RIFF", wav(1.024, told_bytes=0), wav(1.024, told_bytes=99999), wav(0.0)[:40], b"no audio at all" * 9],
    ids=["empty", "begun", "grows", "cut", "half a header", "other"],
)
def test_nothing_is_measured_when_one_track_is_unfinished(tmp_path: Path, growing: bytes) -> None:
    write(tmp_path, mixed=wav(1.024), out=growing)
    assert measure(tmp_path, CALL) is None


def test_file_can_be_played_when_asterisk_died_before_it_could_close_it(tmp_path: Path) -> None:
    whole = wav(1.024)
    unclosed = whole[:4] + bytes(4) + whole[8:40] + bytes(4) + whole[44:]
    write(tmp_path, mixed=unclosed)
    tracks = measure(tmp_path, CALL, even_unfinished=True)
    assert tracks is not None
    assert (tmp_path / f"{CALL}.wav").read_bytes() == whole
    assert (tracks[0].seconds, tracks[0].sha256) == (1.024, hashlib.sha256(whole).hexdigest())


def test_files_are_taken_as_they_are_when_nobody_will_finish_them(tmp_path: Path) -> None:
    growing = wav(1.024, told_bytes=99999)
    write(tmp_path, mixed=growing)
    tracks = measure(tmp_path, CALL, even_unfinished=True)
    assert tracks is not None
    assert tracks[0].sha256 == hashlib.sha256(growing).hexdigest()
    assert tracks[0].seconds == pytest.approx(1.024, abs=0.01)


def test_there_are_no_tracks_when_there_are_no_files(tmp_path: Path) -> None:
    write(tmp_path, mixed=wav(1.024))
    assert measure(tmp_path, "node1-8.1") == ()


def names(tracks: tuple[MeasuredTrack, ...] | None) -> list[str] | None:
    return None if tracks is None else [track.name for track in tracks]


def test_consultations_come_by_number_when_there_were_several(tmp_path: Path) -> None:
    numbers = (10, 2, 1)
    write(tmp_path, mixed=wav(1.024), **{f"consult-{number}": wav(0.512) for number in numbers})
    write(tmp_path, **{"consult-x": wav(0.512), "consult-0": wav(0.512)})
    (tmp_path / "node1-7.10-consult-3.wav").write_bytes(wav(0.512))
    tracks = measure(tmp_path, CALL)
    assert names(tracks) == ["mixed", "consult-1", "consult-2", "consult-10"]
    assert tracks is not None
    assert (tracks[1].path, tracks[1].seconds) == (f"{CALL}-consult-1.wav", 0.512)


def test_consultation_is_measured_when_nobody_said_anything_in_it(tmp_path: Path) -> None:
    write(tmp_path, mixed=wav(1.024), **{"consult-1": wav(0.0)})
    tracks = measure(tmp_path, CALL)
    assert tracks is not None
    assert [(track.name, track.seconds) for track in tracks] == [("mixed", 1.024), ("consult-1", 0.0)]


def test_all_wait_when_a_consultation_is_unfinished_and_come_when_nobody_will_finish_it(tmp_path: Path) -> None:
    write(tmp_path, mixed=wav(1.024), **{"consult-1": b"", "consult-2": wav(0.512)})
    assert measure(tmp_path, CALL) is None
    assert names(measure(tmp_path, CALL, even_unfinished=True)) == ["mixed", "consult-1", "consult-2"]


def test_calls_own_tracks_are_awaited_when_only_a_consultation_is_there(tmp_path: Path) -> None:
    write(tmp_path, **{"consult-1": wav(0.512)})
    assert measure(tmp_path, CALL) == ()
    assert names(measure(tmp_path, CALL, even_unfinished=True)) == ["consult-1"]


def test_calls_own_tracks_come_when_a_consultation_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, mixed=wav(1.024), **{"consult-1": wav(0.512), "consult-2": wav(0.512)})
    really = Path.open

    def refuse(path: Path, *arguments: str) -> object:
        if path.name.endswith("consult-1.wav"):
            raise PermissionError(13, "Permission denied")
        return really(path, *arguments)

    monkeypatch.setattr(Path, "open", refuse)
    assert names(measure(tmp_path, CALL)) == ["mixed", "consult-2"]


def test_other_calls_files_are_not_looked_at_when_a_call_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The directory holds the files of months, and is looked into twice a second."""
    write(tmp_path, mixed=wav(1.024))

    def listed(*_: object) -> None:
        raise AssertionError("the directory was listed")

    monkeypatch.setattr("os.scandir", listed)
    monkeypatch.setattr("os.listdir", listed)
    assert names(measure(tmp_path, CALL)) == ["mixed"]
