"""Holes in the coming week's roster: hours with nobody, and hours with nobody for the medical branch."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from callflow.asterisk.render import places
from callflow.centre import parse_centre
from callflow.doctor.finding import Finding, Patient, State
from callflow.doctor.shifts import examine_roster, roster
from callflow.settings import Settings

MONDAY_MORNING = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
"""Nine in Kupang."""
CENTRE = """
[centre]
id = "kupang"
name = "Kota Kupang"
zone = "Asia/Makassar"
[[trunks]]
name = "carrier"
match = ["10.0.0.1"]
[[operators]]
login = "ani"
name = "Ani"
skills = ["health"]
[[operators]]
login = "budi"
name = "Budi"
"""
ROUND_THE_CLOCK = """
[[shifts]]
name = "pagi"
days = "daily"
from = "07:00"
to = "21:00"
operators = ["ani", "budi"]
[[shifts]]
name = "malam"
days = "daily"
from = "21:00"
to = "07:00"
operators = ["ani"]
"""


def findings(shifts: str) -> list[Finding]:
    return examine_roster(parse_centre(CENTRE + shifts, "test"), MONDAY_MORNING)


def test_ok_when_somebody_skilled_is_expected_at_every_hour() -> None:
    (finding,) = findings(ROUND_THE_CLOCK)
    assert (finding.state, finding.what) == (State.OK, "2 shifts, without a hole in the next 7 days")


def test_warns_when_there_is_no_roster() -> None:
    (finding,) = findings("")
    assert finding.state is State.WARN
    assert "no shifts" in finding.what


def test_hole_is_told_in_the_centres_own_time_when_nobody_is_expected() -> None:
    (finding,) = findings(ROUND_THE_CLOCK.replace('to = "07:00"', 'to = "06:30"'))
    assert finding.state is State.WARN
    assert finding.what == (
        "nobody is expected from 2026-01-06 06:30 to 2026-01-06 07:00, and 6 more times in the next 7 days"
    )


def test_hole_is_one_when_a_holiday_and_an_exception_make_it_together() -> None:
    holes = ROUND_THE_CLOCK.replace('operators = ["ani", "budi"]', 'operators = ["ani", "budi"]\non_holidays = false')
    holes += """
[[holidays]]
date = 2026-01-07
name = "Libur"
[[roster_exceptions]]
date = 2026-01-07
shift = "malam"
operators = []
"""
    (finding,) = findings(holes)
    assert finding.what == "nobody is expected from 2026-01-07 07:00 to 2026-01-08 07:00"


def test_everything_is_a_hole_when_the_only_shift_lies_beyond_the_week() -> None:
    (finding,) = findings(
        """
[[shifts]]
name = "acara"
days = ["mon"]
from = "07:00"
to = "08:00"
operators = ["ani"]
on_holidays = false
[[holidays]]
date = 2026-01-12
name = "Libur"
"""
    )
    assert finding.what == "nobody is expected from 2026-01-05 09:00 to 2026-01-12 09:00"


def test_warns_when_nobody_for_the_medical_branch_is_expected_at_some_hour() -> None:
    (finding,) = findings(ROUND_THE_CLOCK.replace('operators = ["ani"]', 'operators = ["budi"]'))
    assert finding.state is State.WARN
    assert finding.what.startswith("nobody with the skill 'health' is expected from 2026-01-05 21:00 to ")


@pytest.mark.parametrize(("text", "states"), [(CENTRE + ROUND_THE_CLOCK, [State.OK]), ("[centre", [])])
async def test_check_is_silent_when_the_document_is_wrong(tmp_path: Path, text: str, states: list[State]) -> None:
    settings = Settings(data_dir=tmp_path)
    settings.centre_path.write_text(text)
    patient = Patient(settings=settings, centre=None, installation=None, rendered=places(settings), running=False)
    assert [finding.state for finding in await roster(patient)] == states
