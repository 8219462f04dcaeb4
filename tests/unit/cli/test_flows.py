"""`callflow flows` prints every problem and says by its exit code whether there is one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from callflow.cli import flows
from callflow.flows.default import default_flow_text
from callflow.media.built_index import BuiltFile, BuiltIndex, PromptSource, write_index

RUN = CliRunner()


@pytest.fixture
def broken(tmp_path: Path) -> str:
    document = json.loads(default_flow_text())
    del document["nodes"]["welcome"]["exits"]["no_input"]
    document["nodes"]["fire"]["tier"] = "hot"
    file = tmp_path / "flow.json"
    file.write_text(json.dumps(document))
    return str(file)


def test_default_flow_is_ok_when_checked_without_a_file() -> None:
    result = RUN.invoke(flows.app, ["check"])
    assert result.exit_code == 0
    assert result.stdout.startswith("default flow: ok, 10 nodes, version ")


def test_version_is_printed_as_json_when_asked() -> None:
    result = RUN.invoke(flows.app, ["check", "--json"])
    printed = json.loads(result.stdout)
    assert (printed["ok"], printed["flow"], printed["problems"]) == (True, "darurat-112", [])
    assert len(printed["version"]) == 64


def test_every_problem_is_printed_in_both_languages_when_a_flow_is_broken(broken: str) -> None:
    result = RUN.invoke(flows.app, ["check", broken])
    assert result.exit_code == 1
    assert "node 'welcome', exit 'no_input': exit 'no_input' is missing" in result.stdout
    assert "jalan keluar 'no_input' belum ada" in result.stdout
    assert "node 'fire', tier: 'hot' is not allowed" in result.stdout
    assert "2 problems" in result.stderr


def test_problems_are_printed_as_json_when_asked(broken: str) -> None:
    result = RUN.invoke(flows.app, ["check", broken, "--json"])
    printed = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (printed["ok"], printed["version"]) == (False, None)
    assert [(p["node"], p["exit"]) for p in printed["problems"]] == [("welcome", "no_input"), ("fire", None)]


def test_missing_prompts_are_named_when_a_directory_is_given(tmp_path: Path) -> None:
    (tmp_path / "id").mkdir()
    result = RUN.invoke(flows.app, ["check", "--prompts", str(tmp_path)])
    assert result.exit_code == 1
    assert "prompt 'greeting' does not exist in language 'en'" in result.stdout


def test_wait_without_a_key_is_printed_when_the_lengths_of_prompts_are_known(tmp_path: Path) -> None:
    names = ("greeting", "menu", "wrong_key", "information", "information_offer")
    files = {}
    for path in (f"{language}/{name}" for language in ("id", "en") for name in names):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / f"{path}.wav").write_bytes(b"sound")
        files[path] = BuiltFile(
            source=PromptSource.DRAFT, made_of="", text_digest="", seconds=2.5, speech_dbfs=-19.0, sha256=""
        )
    assert "presses nothing" not in RUN.invoke(flows.app, ["check", "--prompts", str(tmp_path)]).stdout
    write_index(tmp_path, BuiltIndex(files=files))
    result = RUN.invoke(flows.app, ["check", "--prompts", str(tmp_path)])
    assert "a caller who presses nothing is in a queue after at most 13.0 s" in result.stdout


def test_too_large_is_named_when_the_file_is_huge(tmp_path: Path) -> None:
    (tmp_path / "flow.json").write_bytes(b" " * 2_000_000)
    result = RUN.invoke(flows.app, ["check", str(tmp_path / "flow.json")])
    assert result.exit_code == 1
    assert "the document is larger than" in result.stdout


def test_way_out_is_told_when_there_is_no_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flows, "DEFAULT_MANIFEST", tmp_path / "none.toml")
    result = RUN.invoke(flows.app, ["check"])
    assert result.exit_code == 1
    assert "or name built prompts with --prompts" in result.stderr


def test_drawing_is_printed_when_a_flow_is_clean() -> None:
    result = RUN.invoke(flows.app, ["draw"])
    assert result.exit_code == 0
    assert 'n_welcome -->|"1"| n_medical' in result.stdout


def test_problems_are_printed_and_nothing_is_drawn_when_a_flow_is_broken(broken: str) -> None:
    result = RUN.invoke(flows.app, ["draw", broken])
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "exit 'no_input' is missing" in result.stderr
