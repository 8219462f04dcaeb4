"""The settings, people and policies of a whole document, as the core knows them, and the ranges they keep."""

from __future__ import annotations

import re

import pytest

from callflow.centre import parse_centre
from callflow.core.city import (
    LONGEST_LATER_PLACE_SECONDS,
    USUAL_PAUSE_REASONS,
    Agency,
    CentreSettings,
    Destination,
    OperatorProfile,
    PauseReason,
    PrankPolicy,
    TierPolicy,
)
from callflow.core.ids import CentreId, EndpointName, OperatorId, TrunkRoute

from .documents import KETAPANG, ketapang, problems, with_change

TELCO, PROVINCE = TrunkRoute("trunk-telco"), TrunkRoute("trunk-province")


def test_settings_are_whole_when_the_document_says_everything() -> None:
    assert ketapang().settings() == CentreSettings(
        centre=CentreId("ketapang"),
        zone="Asia/Pontianak",
        last_resort=(Destination(name="Provinsi", number="+62561112", trunk=PROVINCE),),
        ring_seconds=12.0,
        tiers=(
            TierPolicy(name="gawat_darurat", priority=0),
            TierPolicy(name="gawat_tidak_darurat", priority=1),
            TierPolicy(name="informasi", priority=4, everyone_after_seconds=20.0),
        ),
        pause_reasons=(
            PauseReason(key="1", name="makan", label_id="Makan siang", label_en="Lunch", limit_seconds=2400.0),
            PauseReason(key="2", name="ibadah", label_id="Ibadah", label_en="Prayer", limit_seconds=900.0),
        ),
        prank=PrankPolicy(half_life_days=14.0, later_place_seconds=30.0),
        medical=(
            Destination(name="PSC 119", number="119", trunk=TELCO),
            Destination(name="PSC 119 lewat provinsi", number="119", trunk=PROVINCE),
        ),
        medical_after_seconds=6.0,
        agency_ring_seconds=25.0,
        agencies=(
            Agency(
                name="polisi",
                label="Polres Ketapang",
                code="110",
                destinations=(
                    Destination(name="Polres", number="110", trunk=TELCO),
                    Destination(name="Polda", number="+62561110", trunk=PROVINCE),
                ),
            ),
            Agency(
                name="dinkes",
                label="Dinas Kesehatan",
                code="301",
                destinations=(Destination(name="Piket", number="+62534301", trunk=TELCO),),
            ),
        ),
        outside_trunk=TELCO,
        verified_trunks=frozenset({TELCO}),
        seat_grace_seconds=240.0,
    )


def test_operators_have_number_and_agency_when_the_document_gives_them() -> None:
    ani, _, citra = ketapang().operator_profiles()
    assert ani == OperatorProfile(
        operator=OperatorId("ani"),
        name="Ani",
        endpoint=EndpointName("op-ani"),
        skills=frozenset({"health"}),
        number="201",
        agency="dinkes",
    )
    assert (citra.number, citra.agency) == ("", "")


def test_usual_pause_reasons_are_in_force_when_the_document_names_none() -> None:
    head, _, rest = KETAPANG.partition("[[pause_reasons]]")
    without = head + rest[rest.index("[[shifts]]") :]
    assert parse_centre(without, "centre.toml").settings().pause_reasons == USUAL_PAUSE_REASONS


@pytest.mark.parametrize(
    ("setting", "least", "most"),
    [
        ("medical_after_seconds", 0, 60),
        ("agency_ring_seconds", 5, 60),
        ("agency_speech_seconds", 3, 30),
        ("seat_grace_seconds", 30, 1800),
        ("recall_within_seconds", 0, 1800),
        ("callback_within_seconds", 30, 3600),
        ("callback_least_wait_seconds", 0, 60),
        ("ring_seconds", 3, 60),
        ("last_resort_after_seconds", 5, 300),
    ],
)
def test_figure_of_the_queue_is_refused_when_it_is_out_of_its_range(setting: str, least: int, most: int) -> None:
    bare = re.sub(rf"\n{setting} = .*", "", KETAPANG)
    for figure, right in ((least, True), (most, True), (least - 1, False), (most + 1, False)):
        told = problems(bare.replace("[queue]", f"[queue]\n{setting} = {figure}"))
        assert (told == []) is right
        assert right or told[0].startswith(f"queue.{setting}: ")


@pytest.mark.parametrize(
    ("line", "place"),
    [
        (f"later_place_seconds = {LONGEST_LATER_PLACE_SECONDS + 1}", "prank.later_place_seconds"),
        ("later_place_seconds = -1", "prank.later_place_seconds"),
        ("flag_score = 0.4", "prank.flag_score"),
        ("flag_least = 1", "prank.flag_least"),
        ("warn_least = 1", "prank.warn_least"),
        ("prior_weight = 0", "prank.prior_weight"),
        ("window_days = 0", "prank.window_days"),
        ("block = true", "prank.block"),
    ],
)
def test_prank_policy_is_refused_when_it_could_harm_a_caller(line: str, place: str) -> None:
    (problem,) = problems(with_change("later_place_seconds = 30", line))
    assert problem.startswith(f"{place}: ")


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("priority = 4", "priority = 10", "queue.tiers[0].priority: "),
        ("everyone_after_seconds = 20", "everyone_after_seconds = 31", "queue.tiers[0].everyone_after_seconds: "),
        ('name = "informasi"', 'name = "penting"', "queue.tiers[0].name: "),
        (
            "everyone_after_seconds = 20",
            "everyone_after_seconds = 20\nskill_relax_seconds = 21",
            "queue.tiers: 'informasi' waits for a skill longer than until everyone is rung",
        ),
        (
            "[prank]",
            '[[queue.tiers]]\nname = "gawat_darurat"\npriority = 2\n[prank]',
            "queue.tiers: 'gawat_tidak_darurat' goes before 'gawat_darurat'; emergencies go first",
        ),
        ("[prank]", '[[queue.tiers]]\nname = "informasi"\n[prank]', "queue.tiers: tier 'informasi' stands twice"),
    ],
)
def test_tier_is_refused_when_it_is_no_tier_or_puts_emergencies_behind(before: str, after: str, problem: str) -> None:
    (told,) = problems(with_change(before, after))
    assert told.startswith(problem)
