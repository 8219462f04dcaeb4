"""A whole centre document with every part, for the tests beside it, and how to say it otherwise."""

from __future__ import annotations

from callflow.centre import CentreDocument, parse_centre
from callflow.errors import ConfigurationError

KETAPANG = """
[centre]
id = "ketapang"
name = "Pusat Panggilan 112 Ketapang"
zone = "Asia/Pontianak"
outside_trunk = "telco"

[[trunks]]
name = "telco"
match = ["192.0.2.10"]
host = "192.0.2.10"
verified = true
qualify = true
[[trunks]]
name = "province"
host = "192.0.2.20"
[[trunks]]
name = "old"
match = ["192.0.2.30"]

[[operators]]
login = "ani"
name = "Ani"
skills = ["health"]
number = "201"
agency = "dinkes"
[[operators]]
login = "budi"
name = "Budi"
number = "202"
[[operators]]
login = "citra"
name = "Citra"

[[agencies]]
name = "polisi"
label = "Polres Ketapang"
code = "110"
destinations = [
    { name = "Polres", number = "110", trunk = "telco" },
    { name = "Polda", number = "+62561110", trunk = "province" },
]
[[agencies]]
name = "dinkes"
label = "Dinas Kesehatan"
code = "301"
destinations = [{ name = "Piket", number = "+62534301", trunk = "telco" }]

[[medical]]
name = "PSC 119"
number = "119"
trunk = "telco"
[[medical]]
name = "PSC 119 lewat provinsi"
number = "119"
trunk = "province"

[[last_resort]]
name = "Provinsi"
number = "+62561112"
trunk = "province"

[queue]
ring_seconds = 12
medical_after_seconds = 6
agency_ring_seconds = 25
seat_grace_seconds = 240

[[queue.tiers]]
name = "informasi"
priority = 4
everyone_after_seconds = 20

[prank]
half_life_days = 14
later_place_seconds = 30

[[pause_reasons]]
key = "1"
name = "makan"
label_id = "Makan siang"
label_en = "Lunch"
limit_seconds = 2400
[[pause_reasons]]
key = "2"
name = "ibadah"
label_id = "Ibadah"
label_en = "Prayer"
limit_seconds = 900

[[shifts]]
name = "pagi"
days = "daily"
from = "07:00"
to = "14:00"
operators = ["ani", "budi"]
seats = 1
[[shifts]]
name = "siang"
days = ["mon", "tue", "wed", "thu", "fri"]
from = 14:00:00
to = "21:00"
operators = ["budi"]
on_holidays = false
[[shifts]]
name = "malam"
days = "daily"
from = "21:00"
to = "07:00"
operators = ["citra"]

[[holidays]]
date = 2026-08-17
name = "Hari Kemerdekaan"

[[roster_exceptions]]
date = 2026-08-17
shift = "pagi"
operators = ["citra"]
[[roster_exceptions]]
date = "2026-08-18"
shift = "siang"
operators = []
"""


def with_change(before: str, after: str) -> str:
    """The document with one place said otherwise."""
    assert before in KETAPANG
    return KETAPANG.replace(before, after, 1)


def ketapang() -> CentreDocument:
    return parse_centre(KETAPANG, "centre.toml")


def problems(text: str) -> list[str]:
    """What is wrong with a document; empty = nothing."""
    try:
        parse_centre(text, "centre.toml")
    except ConfigurationError as error:
        return error.problems
    return []
