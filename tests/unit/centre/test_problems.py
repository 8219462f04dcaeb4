"""What does not fit together in a document whose parts are right, told by name."""

from __future__ import annotations

import pytest

from .documents import KETAPANG, problems, with_change


def test_nothing_is_told_when_all_fits_together() -> None:
    assert problems(KETAPANG) == []


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        (
            'outside_trunk = "telco"',
            'outside_trunk = "old"',
            "centre.outside_trunk goes through trunk 'old', which has no host to dial",
        ),
        (
            'outside_trunk = "telco"',
            'outside_trunk = "satelit"',
            "centre.outside_trunk goes through trunk 'satelit', which there is not",
        ),
        (
            'number = "+62561110", trunk = "province"',
            'number = "+62561110", trunk = "old"',
            "agency 'polisi': 'Polda' goes through trunk 'old', which has no host to dial",
        ),
        (
            'number = "119"\ntrunk = "province"',
            'number = "119"\ntrunk = "satelit"',
            "medical: 'PSC 119 lewat provinsi' goes through trunk 'satelit', which there is not",
        ),
        (
            'name = "old"\n',
            'name = "old"\nqualify = true\n',
            "trunk 'old': 'qualify' asks its host whether it is there, and it has no host",
        ),
        (
            'name = "province"\n',
            'name = "province"\nverified = true\n',
            "trunk 'province': 'verified' is about callers' numbers, and without 'match' it brings no calls",
        ),
        ('name = "province"\n', 'name = "telco"\n', "trunk 'telco' stands twice"),
        (
            'code = "301"',
            'code = "110"',
            "110 is dialled for agency 'polisi' and for agency 'dinkes': each needs a code of its own",
        ),
        (
            'number = "202"',
            'number = "110"',
            "110 is dialled for agency 'polisi' and for operator 'budi': each needs a code of its own",
        ),
        (
            'number = "202"',
            'number = "201"',
            "201 is dialled for operator 'ani' and for operator 'budi': each needs a code of its own",
        ),
        (
            'code = "301"',
            'code = "119"',
            "119 is dialled for the medical list and for agency 'dinkes': each needs a code of its own",
        ),
        (
            'name = "polisi"',
            'name = "medical"',
            "agency 'medical': that name is the ambulance list's; write [[medical]] entries",
        ),
        (
            'name = "polisi"',
            'name = "citra"',
            "agency 'citra' has the name of an operator's login: each needs a name of its own",
        ),
        (
            'agency = "dinkes"',
            'agency = "damkar"',
            "operator 'ani' is of agency 'damkar', which there is not",
        ),
        ('key = "2"', 'key = "1"', "pause_reasons: key '1' stands twice"),
        ('name = "ibadah"', 'name = "makan"', "pause_reasons: name 'makan' stands twice"),
        (
            'name = "ibadah"',
            'name = "pause"',
            "pause_reasons: 'pause' is a pause of callflow's own; choose another name",
        ),
        ('key = "2"', 'key = "12"', "pause_reasons[1].key: '12' is not one digit"),
        ('key = "2"', 'key = "*"', "pause_reasons[1].key: '*' is not one digit"),
        (
            'number = "202"',
            'number = "+202"',
            "operators[1].number: '+202' is not what a person can dial: 2 to 20 digits",
        ),
        ('code = "301"', 'code = "3"', "agencies[1].code: '3' is not what a person can dial: 2 to 20 digits"),
    ],
)
def test_problem_names_what_is_wrong_when_parts_do_not_fit(before: str, after: str, problem: str) -> None:
    assert problem in problems(with_change(before, after))


def test_agency_needs_a_destination_when_it_is_written_down() -> None:
    told = problems(
        with_change('destinations = [{ name = "Piket", number = "+62534301", trunk = "telco" }]', "destinations = []")
    )
    assert len(told) == 1
    assert told[0].startswith("agencies[1].destinations: ")
