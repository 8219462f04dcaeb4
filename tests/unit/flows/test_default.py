"""The default flow keeps every promise of the 112 menu."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from callflow.errors import ConfigurationError
from callflow.flows import default
from callflow.flows.default import default_flow, default_flow_text
from callflow.flows.model import FALLBACK_QUEUE, Info, Medical, Menu, NodeName, Queue, Tier
from callflow.flows.validate import check_flow
from callflow.media.manifest import DEFAULT_MANIFEST, load_manifest


def welcome() -> Menu:
    node = default_flow().nodes[default_flow().start]
    assert isinstance(node, Menu)
    return node


def queue(name: NodeName) -> Queue:
    node = default_flow().nodes[name]
    assert isinstance(node, Queue)
    return node


def test_default_flow_is_clean_when_checked_with_the_manifest() -> None:
    assert check_flow(default_flow_text(), load_manifest(DEFAULT_MANIFEST).names()).problems == ()


@pytest.mark.parametrize(
    ("key", "tier", "label"),
    [
        ("2", Tier.GAWAT_DARURAT, "Kebakaran/penyelamatan"),
        ("3", Tier.GAWAT_DARURAT, "Keamanan"),
        ("4", Tier.GAWAT_DARURAT, "Bencana"),
        ("5", Tier.GAWAT_TIDAK_DARURAT, "Tidak darurat"),
        ("0", Tier.GAWAT_DARURAT, "Operator (tanpa pilihan)"),
        ("no_input", Tier.GAWAT_DARURAT, "Operator (tanpa pilihan)"),
        ("wrong_key", Tier.GAWAT_DARURAT, "Operator (tanpa pilihan)"),
    ],
)
def test_caller_is_queued_at_once_when_a_key_or_none_is_pressed(key: str, tier: Tier, label: str) -> None:
    node = queue(welcome().exits[key])
    assert (node.tier, node.label.id) == (tier, label)


def test_caller_gets_a_health_officer_first_when_the_need_is_medical() -> None:
    node = default_flow().nodes[welcome().on_key["1"]]
    assert isinstance(node, Medical)
    assert (node.tier, node.skill, node.label.id) == (Tier.GAWAT_DARURAT, "health", "Medis")


def test_second_wrong_key_leads_to_an_operator_when_pressed() -> None:
    assert welcome().attempts == 2


def test_greeting_can_be_cut_short_when_a_key_is_pressed_in_it() -> None:
    assert [str(prompt) for prompt in welcome().prompts[:2]] == ["id/greeting", "en/greeting"]


def test_greeting_stays_under_six_seconds_when_its_limits_are_kept() -> None:
    limits = load_manifest(DEFAULT_MANIFEST).prompts["greeting"]
    assert limits.limit_seconds("id") + limits.limit_seconds("en") < 6


def test_information_offers_an_operator_when_key_6_is_pressed() -> None:
    node = default_flow().nodes[welcome().on_key["6"]]
    assert isinstance(node, Info)
    assert node.end_key == "9"
    assert queue(node.operator).tier is Tier.INFORMASI


def test_fallback_counts_as_urgent_when_nothing_is_known_of_the_need() -> None:
    assert FALLBACK_QUEUE.tier is Tier.GAWAT_DARURAT
    assert FALLBACK_QUEUE.exits == {}


def test_problems_are_named_when_the_packaged_file_is_damaged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "default_flow.json").write_text('{"format": 1}')
    monkeypatch.setattr(resources, "files", lambda _package: tmp_path)
    default.default_flow.cache_clear()
    with pytest.raises(ConfigurationError) as caught:
        default_flow()
    default.default_flow.cache_clear()
    assert "document, nodes: 'nodes' is missing; add it: an object {...}" in caught.value.problems
