from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from callflow.centre import load_centre, parse_centre
from callflow.core.city import CentreSettings, Destination, OperatorProfile, Roster
from callflow.core.ids import CentreId, EndpointName, OperatorId, TrunkRoute
from callflow.errors import ConfigurationError

WHOLE = """
[centre]
id = "ketapang"
name = "Pusat Panggilan 112 Ketapang"
zone = "Asia/Pontianak"
region_code = "61.04"
[[trunks]]
name = "carrier"
match = ["10.1.2.0/24", "10.9.9.9"]
[[trunks]]
name = "province"
host = "10.1.3.1"
[[operators]]
login = "ani"
name = "Ani"
skills = ["health"]
[[operators]]
login = "budi"
name = "Budi"
phone = "webrtc"
[[last_resort]]
name = "Provinsi"
number = "+62561112"
trunk = "province"
[queue]
ring_seconds = 12
"""


def problems_of(text: str) -> str:
    with pytest.raises(ConfigurationError) as refused:
        parse_centre(text, "centre.toml")
    return "\n".join(refused.value.problems)


def test_operators_and_settings_are_as_the_core_knows_them_when_the_document_is_right() -> None:
    centre = parse_centre(WHOLE, "centre.toml")
    assert centre.operator_profiles() == (
        OperatorProfile(
            operator=OperatorId("ani"), name="Ani", endpoint=EndpointName("op-ani"), skills=frozenset({"health"})
        ),
        OperatorProfile(operator=OperatorId("budi"), name="Budi", endpoint=EndpointName("op-budi")),
    )
    settings = centre.settings()
    assert (settings.centre, settings.zone, settings.ring_seconds) == ("ketapang", "Asia/Pontianak", 12.0)
    assert settings.wrap_up_seconds == 30.0
    assert settings.last_resort == (
        Destination(name="Provinsi", number="+62561112", trunk=TrunkRoute("trunk-province")),
    )


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ('zone = "Asia/Pontianak"', 'zone = "Pontianak"', "centre.zone: .*no IANA time zone"),
        ('id = "ketapang"', 'id = "Kota Ketapang"', "centre.id"),
        ('login = "budi"', 'login = "ani"', "operator 'ani' stands twice"),
        ('login = "ani"', 'login = "112"', r"operators\[0\].login: '112' is not a name .* a letter first"),
        ('match = ["10.1.2.0/24", "10.9.9.9"]', "", "no call could come in"),
        ('match = ["10.1.2.0/24", "10.9.9.9"]', 'match = ["10.1.2.1/24"]', r"trunks\[0\].match"),
        ('host = "10.1.3.1"', "", "trunk 'province', which has no host to dial"),
        ('number = "+62561112"', 'number = "112; System(id)"', r"last_resort\[0\].number"),
        ("ring_seconds = 12", "ring_seconds = 0", "queue.ring_seconds"),
        ("ring_seconds = 12", "ring_secs = 12", "queue.ring_secs: there is no such setting"),
        ('name = "Ani"', "", r"operators\[0\].name: is missing"),
        ('region_code = "61.04"', 'region_code = "6104"', "centre.region_code: '6104' is not a code of Kemendagri's"),
        ('phone = "webrtc"', 'phone = "fax"', r"operators\[1\].phone"),
        ("[centre]", "[centre", "not valid TOML"),
    ],
)
def test_problem_names_its_place_when_the_document_is_wrong(before: str, after: str, problem: str) -> None:
    assert before in WHOLE
    with pytest.raises(ConfigurationError, match=problem):
        parse_centre(WHOLE.replace(before, after, 1), "centre.toml")


def test_every_problem_is_told_at_once_when_there_are_several() -> None:
    told = problems_of(WHOLE.replace('zone = "Asia/Pontianak"', 'zone = "x"').replace("ring_seconds = 12", "x = 1"))
    assert "centre.zone" in told
    assert "queue.x" in told


def test_each_problem_has_its_own_line_when_several_parts_do_not_fit_together() -> None:
    wrong = WHOLE.replace('login = "budi"', 'login = "ani"').replace('host = "10.1.3.1"', "")
    assert problems_of(wrong).splitlines() == [
        "operator 'ani' stands twice",
        "last_resort: 'Provinsi' goes through trunk 'province', which has no host to dial",
    ]


def test_older_document_means_what_it_meant_when_it_says_nothing_new() -> None:
    centre = parse_centre(WHOLE, "centre.toml")
    usual = CentreSettings(centre=CentreId("ketapang"), zone="Asia/Pontianak")
    assert centre.settings() == replace(usual, ring_seconds=12.0, last_resort=centre.settings().last_resort)
    assert centre.roster() == Roster()


def test_reader_is_told_what_to_do_when_there_is_no_document(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"INSTALL\.md"):
        load_centre(tmp_path / "centre.toml")


def test_document_is_refused_when_it_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "centre.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_centre(path)


def test_document_is_parsed_when_it_is_there(tmp_path: Path) -> None:
    path = tmp_path / "centre.toml"
    path.write_text(WHOLE)
    assert load_centre(path) == parse_centre(WHOLE, "centre.toml")
