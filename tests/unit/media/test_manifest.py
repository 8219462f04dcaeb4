"""The manifest names every text in every language, and its problems name their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from callflow.core.queueing import SYSTEM_PROMPTS
from callflow.core.whispering import OPERATOR_PROMPTS
from callflow.errors import ConfigurationError
from callflow.media.manifest import DEFAULT_MANIFEST, LONGEST_PROMPT_SECONDS, PromptManifest, load_manifest

GOOD = """
format = 1
[languages.id]
voice = "id"
words_per_minute = 130
[prompts.menu]
purpose = "The keys."
id = "Tekan 1."
"""


def problems(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "manifest.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load_manifest(file)
    return caught.value.problems


def test_manifest_of_the_project_is_read_with_every_prompt_that_the_system_plays() -> None:
    manifest = load_manifest(DEFAULT_MANIFEST)
    assert list(manifest.languages) == ["id", "en"]
    dialplan = {"fallback_greeting"}
    flow = {"greeting", "menu", "wrong_key", "information", "information_offer"}
    for language in manifest.languages:
        assert manifest.names()[language] >= {*SYSTEM_PROMPTS, *OPERATOR_PROMPTS, *dialplan, *flow}


@pytest.mark.parametrize("word", ["tutup", "putus", "akhiri", "blokir", "polisi", "hang up", "end", "block", "police"])
def test_warning_threatens_nobody_and_asks_for_a_key(word: str) -> None:
    texts = load_manifest(DEFAULT_MANIFEST).prompts["prank_warning"].texts
    assert word not in texts["id"].lower().split() + texts["en"].lower().split()
    assert ("tekan 1" in texts["id"], "press 1" in texts["en"]) == (True, True)


@pytest.mark.parametrize("name", ["code_done", "code_refused", "party_not_spoken", "party_left", "code_unknown"])
def test_word_to_an_operator_is_short_when_a_call_goes_on(name: str) -> None:
    assert sum(load_manifest(DEFAULT_MANIFEST).prompts[name].max_seconds.values()) <= 8


def test_limit_is_the_general_one_when_the_manifest_gives_none(manifest: PromptManifest) -> None:
    assert manifest.prompts["greeting"].limit_seconds("id") == 4.0
    assert manifest.prompts["greeting"].limit_seconds("en") == LONGEST_PROMPT_SECONDS


def test_names_are_given_by_language_when_asked(manifest: PromptManifest) -> None:
    assert manifest.names() == {"id": {"greeting", "menu"}, "en": {"greeting", "menu"}}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ((" = 1\n", " = 2\n"), "format: Input should be 1"),
        (("[prompts.menu]", "[prompts.Menu]"), "prompts.Menu.[key]: String should match pattern"),
        (('purpose = "The keys."', ""), "prompts.menu.purpose: Field required"),
        (('id = "Tekan 1."', 'id = ""'), "prompts.menu.texts.id: String should have at least 2 characters"),
        (('id = "Tekan 1."', ""), "document: Value error, prompt 'menu' has no text in 'id'"),
        (('id = "Tekan 1."', 'id = "Tekan 1."\nen = "Press 1."'), "prompt 'menu': language 'en' is not among"),
        (('voice = "id"', 'voice = "--help"'), "languages.id.voice: String should match pattern"),
        (('id = "Tekan 1."', 'id = "Tekan 1."\nmax_seconds = { id = 900 }'), "less than or equal to 60"),
        (("[prompts.menu]", "[prompts]\nmenu = 5\n[other]"), "prompts.menu: Input should be"),
        (("format", "format ="), "cannot be read:"),
    ],
)
def test_place_is_named_when_the_manifest_is_wrong(change: tuple[str, str], problem: str, tmp_path: Path) -> None:
    assert problem in "\n".join(problems(tmp_path, GOOD.replace(*change)))


def test_file_is_named_when_it_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no such file"):
        load_manifest(tmp_path / "manifest.toml")


def test_problem_is_named_when_the_file_is_not_utf8(tmp_path: Path) -> None:
    file = tmp_path / "manifest.toml"
    file.write_bytes(b"\xff")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_manifest(file)
