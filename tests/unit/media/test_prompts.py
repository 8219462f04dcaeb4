"""Prompts are built from recordings or drafts; whatever is wrong is named and no prompt goes missing."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import soundfile

from callflow.media import tools
from callflow.media.available import available_prompts
from callflow.media.built_index import PromptSource, read_index
from callflow.media.errors import MissingToolError
from callflow.media.manifest import PromptManifest
from callflow.media.prompts import BuildReport, build_prompts

Write = Callable[..., Path]
ALL = {"id/greeting", "id/menu", "en/greeting", "en/menu", "moh/callflow-waiting"}


def build(manifest: PromptManifest, tmp_path: Path) -> BuildReport:
    return build_prompts(manifest, tmp_path / "out", recorded_dir=tmp_path / "recorded")


def changed_text(manifest: PromptManifest, text: str) -> PromptManifest:
    menu = manifest.prompts["menu"]
    menu = menu.model_copy(update={"texts": {**menu.texts, "en": text}})
    return manifest.model_copy(update={"prompts": {**manifest.prompts, "menu": menu}})


def without_tools(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *kept: str) -> None:
    """Leave only the programs `kept` on the path."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for tool in kept:
        program = shutil.which(tool)
        assert program is not None
        (programs / tool).symlink_to(program)
    monkeypatch.setenv("PATH", str(programs))


def test_every_prompt_is_what_asterisk_plays_when_built(manifest: PromptManifest, tmp_path: Path) -> None:
    told: list[str] = []
    report = build_prompts(manifest, tmp_path / "out", recorded_dir=tmp_path / "none", progress=told.append)
    assert report.problems == ()
    assert set(report.files) == set(report.changed) == ALL
    assert set(told) == ALL
    for path, built in report.files.items():
        about = soundfile.info(tmp_path / "out" / f"{path}.wav")
        assert (about.samplerate, about.channels, about.subtype) == (8000, 1, "PCM_16")
        assert about.duration == pytest.approx(built.seconds, abs=0.001)
        assert -24 < built.speech_dbfs < -17


def test_problem_is_named_in_every_language_when_a_needed_prompt_has_no_text(
    manifest: PromptManifest, tmp_path: Path
) -> None:
    report = build_prompts(
        manifest, tmp_path / "out", recorded_dir=tmp_path / "none", needed=("menu", "stay_on_line", "goodbye")
    )
    assert [problem.prompt for problem in report.problems] == [
        *("id/goodbye", "id/stay_on_line", "en/goodbye", "en/stay_on_line")
    ]
    assert "callflow itself plays it" in str(report.problems[0])


def test_index_says_draft_and_digests_when_built(manifest: PromptManifest, tmp_path: Path) -> None:
    report = build(manifest, tmp_path)
    written = json.loads((tmp_path / "out" / "built.json").read_text())
    assert written["files"]["id/greeting"]["source"] == "draft"
    assert written["files"]["moh/callflow-waiting"]["source"] == "generated"
    assert read_index(tmp_path / "out").files == report.files
    assert len({built.sha256 for built in report.files.values()}) == len(ALL)


def test_silence_at_both_ends_is_cut_when_built(manifest: PromptManifest, tmp_path: Path) -> None:
    build(manifest, tmp_path)
    samples, rate = soundfile.read(tmp_path / "out" / "id" / "greeting.wav")
    heard = [i for i, sample in enumerate(samples) if abs(sample) > 0.01]
    assert heard[0] / rate < 0.15
    assert (len(samples) - heard[-1]) / rate < 0.25


def test_nothing_is_made_when_nothing_changed(
    manifest: PromptManifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(manifest, tmp_path)
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "out").rglob("*.*") if file.name != ".lock"}
    without_tools(monkeypatch, tmp_path)
    assert build(manifest, tmp_path).changed == ()
    assert {file: file.stat().st_mtime_ns for file in before} == before


def test_one_prompt_is_made_when_its_text_changed(manifest: PromptManifest, tmp_path: Path) -> None:
    build(manifest, tmp_path)
    report = build(changed_text(manifest, "Press 1 for medical help."), tmp_path)
    assert report.changed == ("en/menu",)


@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.write_bytes(b"")], ids=["deleted", "emptied"])
def test_one_prompt_is_made_when_its_file_was_harmed(
    harm: Callable[[Path], object], manifest: PromptManifest, tmp_path: Path
) -> None:
    first = build(manifest, tmp_path)
    harm(tmp_path / "out" / "id" / "menu.wav")
    second = build(manifest, tmp_path)
    assert second.changed == ("id/menu",)
    assert second.files == first.files


def test_everything_is_made_when_the_index_is_damaged(manifest: PromptManifest, tmp_path: Path) -> None:
    first = build(manifest, tmp_path)
    (tmp_path / "out" / "built.json").write_text("{")
    second = build(manifest, tmp_path)
    assert set(second.changed) == ALL
    assert second.files == first.files


def test_files_left_behind_are_removed_when_a_build_was_broken_off(manifest: PromptManifest, tmp_path: Path) -> None:
    (tmp_path / "out" / ".build-old").mkdir(parents=True)
    build(manifest, tmp_path)
    assert list((tmp_path / "out").glob(".build-*")) == []


def test_files_are_made_once_when_two_builds_run_together(manifest: PromptManifest, tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        reports = [*pool.map(lambda _: build(manifest, tmp_path), range(2))]
    assert sorted(len(report.changed) for report in reports) == [0, len(ALL)]


def test_recording_takes_the_place_of_the_draft_when_a_person_spoke_it(
    manifest: PromptManifest, tmp_path: Path, write_sound: Write
) -> None:
    build(manifest, tmp_path)
    write_sound("id/greeting.wav", seconds=2.0, amplitude=0.02, channels=2)
    report = build(manifest, tmp_path)
    assert report.problems == ()
    assert report.changed == ("id/greeting",)
    assert report.files["id/greeting"].source is PromptSource.RECORDED
    assert report.files["id/greeting"].speech_dbfs == pytest.approx(-19, abs=1.5)
    assert soundfile.info(tmp_path / "out" / "id" / "greeting.wav").samplerate == 8000
    assert build(manifest, tmp_path).changed == ()


def test_draft_comes_back_when_the_recording_is_taken_away(
    manifest: PromptManifest, tmp_path: Path, write_sound: Write
) -> None:
    recording = write_sound("id/greeting.wav", seconds=2.0)
    build(manifest, tmp_path)
    recording.unlink()
    assert build(manifest, tmp_path).files["id/greeting"].source is PromptSource.DRAFT


@pytest.mark.parametrize(
    ("sound", "reason"),
    [
        ({"amplitude": 0.0}, "is silent"),
        ({"amplitude": 4.0}, "is clipped"),
        ({"seconds": 9.0}, "lasts 9"),
    ],
)
def test_draft_stays_and_the_reason_is_named_when_a_recording_is_refused(
    sound: dict[str, object], reason: str, manifest: PromptManifest, tmp_path: Path, write_sound: Write
) -> None:
    recording = write_sound("id/greeting.wav", **sound)
    report = build(manifest, tmp_path)
    assert report.files["id/greeting"].source is PromptSource.DRAFT
    (problem,) = report.problems
    assert str(problem).startswith(f"id/greeting: the recording {recording} ")
    assert problem.reason.removeprefix(f"the recording {recording} ").startswith(reason)


def test_draft_is_there_and_named_when_it_is_too_long(manifest: PromptManifest, tmp_path: Path) -> None:
    greeting = manifest.prompts["greeting"].model_copy(update={"max_seconds": {"id": 0.5}})
    strict = manifest.model_copy(update={"prompts": {**manifest.prompts, "greeting": greeting}})
    for _ in range(2):  # the second time it is not built again, and still too long
        report = build(strict, tmp_path)
        assert [problem.prompt for problem in report.problems] == ["id/greeting"]
        assert "more than its 0.5 s; shorten its text" in report.problems[0].reason
        assert "id/greeting" in report.files


def test_other_prompts_are_built_when_a_voice_does_not_exist(manifest: PromptManifest, tmp_path: Path) -> None:
    voice = manifest.languages["en"].model_copy(update={"voice": "xx-none"})
    report = build(manifest.model_copy(update={"languages": {**manifest.languages, "en": voice}}), tmp_path)
    assert {problem.prompt for problem in report.problems} == {"en/greeting", "en/menu"}
    assert "espeak-ng failed" in report.problems[0].reason
    assert set(report.files) == {"id/greeting", "id/menu", "moh/callflow-waiting"}


def test_silent_draft_is_named_when_its_text_cannot_be_spoken(manifest: PromptManifest, tmp_path: Path) -> None:
    report = build(changed_text(manifest, "..."), tmp_path)
    assert [problem.prompt for problem in report.problems] == ["en/menu"]
    assert "is silent" in report.problems[0].reason


@pytest.mark.parametrize(("kept", "missing"), [((), "espeak-ng"), (("espeak-ng",), "sox")])
def test_missing_program_is_named_with_its_package_when_it_is_needed(
    kept: tuple[str, ...],
    missing: str,
    manifest: PromptManifest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without_tools(monkeypatch, tmp_path, *kept)
    with pytest.raises(MissingToolError, match=f"run: apt-get install {missing}") as caught:
        build(manifest, tmp_path)
    assert caught.value.tool == missing


def test_prompt_is_named_when_a_program_does_not_end(
    manifest: PromptManifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "_PATIENCE_SECONDS", 0.0)
    report = build(manifest, tmp_path)
    assert len(report.problems) == 4
    assert "did not end within" in report.problems[0].reason


def test_names_are_listed_by_language_when_files_can_be_played(manifest: PromptManifest, tmp_path: Path) -> None:
    build(manifest, tmp_path)
    os.truncate(tmp_path / "out" / "en" / "menu.wav", 0)
    assert available_prompts(tmp_path / "never built") == {}
    assert available_prompts(tmp_path / "out") == {"en": {"greeting"}, "id": {"greeting", "menu"}}
