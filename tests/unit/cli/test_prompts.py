"""`callflow prompts build` prints what was built on standard output and its progress on standard error."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from callflow.cli.prompts import app

RUN = CliRunner()
MANIFEST = """
format = 1
[languages.id]
voice = "id"
words_per_minute = 130
[prompts.menu]
purpose = "The keys."
id = "Tekan 1."
max_seconds = { id = 3.0 }
"""


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    file = tmp_path / "manifest.toml"
    file.write_text(MANIFEST)
    return file


@pytest.fixture(autouse=True)
def played_by_callflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let callflow itself play one prompt, so that the manifest above is whole."""
    monkeypatch.setattr("callflow.cli.prompts.SYSTEM_PROMPTS", ("menu",))
    monkeypatch.setattr("callflow.cli.prompts.OPERATOR_PROMPTS", ())


def test_problem_is_printed_when_the_manifest_lacks_what_callflow_plays(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callflow.cli.prompts.SYSTEM_PROMPTS", ("menu", "stay_on_line"))
    result = RUN.invoke(app, ["build", "--manifest", str(manifest), "--out", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert "PROBLEM id/stay_on_line: callflow itself plays it" in result.stdout


def test_files_are_listed_when_built(manifest: Path, tmp_path: Path) -> None:
    result = RUN.invoke(app, ["build", "--manifest", str(manifest), "--out", str(tmp_path / "out")])
    assert result.exit_code == 0
    assert [line.split()[:2] for line in result.stdout.splitlines()] == [
        ["id/menu", "draft"],
        ["moh/callflow-waiting", "generated"],
    ]
    assert "built id/menu" in result.stderr
    assert (tmp_path / "out" / "id" / "menu.wav").stat().st_size > 1000


def test_data_directory_is_used_when_no_other_is_named(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLFLOW_DATA_DIR", str(tmp_path / "data"))
    result = RUN.invoke(app, ["build", "--manifest", str(manifest), "--json"])
    printed = json.loads(result.stdout)
    assert printed["directory"] == str(tmp_path / "data" / "prompts")
    assert printed["changed"] == ["id/menu", "moh/callflow-waiting"]
    assert printed["files"]["id/menu"]["source"] == "draft"


def test_problem_is_printed_and_the_rest_is_built_when_a_recording_is_no_audio(manifest: Path, tmp_path: Path) -> None:
    (tmp_path / "recorded" / "id").mkdir(parents=True)
    (tmp_path / "recorded" / "id" / "menu.wav").write_text("hello")
    result = RUN.invoke(app, ["build", "--manifest", str(manifest), "--out", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert "PROBLEM id/menu: the recording" in result.stdout
    assert (tmp_path / "out" / "id" / "menu.wav").exists()


def test_way_out_is_told_when_the_manifest_is_not_there(tmp_path: Path) -> None:
    result = RUN.invoke(app, ["build", "--manifest", str(tmp_path / "none.toml"), "--out", str(tmp_path)])
    assert result.exit_code == 1
    assert "no such file" in result.stderr
