from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.numbers import normalise

MOBILE = "+6281234567890"


@pytest.mark.parametrize(
    "raw",
    [
        "081234567890",
        "81234567890",
        "6281234567890",
        "+6281234567890",
        "006281234567890",
        "0086281234567890",
        "+62 812-3456-7890",
        "(0812) 3456.7890",
    ],
)
def test_mobile_is_e164_in_every_form_that_carriers_send(raw: str) -> None:
    assert normalise(raw).number == MOBILE
    assert normalise(raw).raw == raw


@pytest.mark.parametrize(
    ("raw", "number"),
    [
        ("0333421000", "+62333421000"),
        ("(0333) 421-000", "+62333421000"),
        ("021-555 1234", "+62215551234"),
        ("+14155552671", "+14155552671"),
        ("0014155552671", "+14155552671"),
        ("+6591234567", "+6591234567"),
    ],
)
def test_landline_and_foreign_numbers_are_e164(raw: str, number: str) -> None:
    assert normalise(raw).number == number


@pytest.mark.parametrize(
    "raw",
    [
        *("", "anonymous", "Anonymous", "UNKNOWN", "restricted", "withheld", "private", "unavailable"),
        *("112", "+112", "421000", "62112", "000", "+", "++628", "0" * 20, "9" * 21),
        *("op-ani", "sip:081234567890", "081234567890;x", "0812345678a", "$(reboot)", "../../etc/passwd"),
    ],
)
def test_caller_is_unknown_and_kept_as_sent_when_it_is_no_number(raw: str) -> None:
    assert (normalise(raw).number, normalise(raw).raw) == (None, raw)


def test_caller_is_unknown_when_the_trunk_says_nothing() -> None:
    assert (normalise(None).number, normalise(None).raw) == (None, "")


def test_four_kilobytes_are_cut_and_no_number() -> None:
    caller = normalise("0812" * 1024)
    assert (caller.number, len(caller.raw)) == (None, 128)


@pytest.mark.parametrize(
    "raw", ["٠٨١٢٣٤٥٦٧٨٩٠", "\uff10\uff18\uff11\uff12", "0812\x003456789", "08\n1234567890", "\ud800812", "0812é4567"]
)
def test_text_beyond_printable_ascii_is_replaced_and_no_number(raw: str) -> None:
    caller = normalise(raw)
    assert caller.number is None
    assert re.fullmatch(r"[ -~]*\?[ -~]*", caller.raw)


@given(st.text() | st.from_regex(r"\+?[0-9 ()./-]{0,30}", fullmatch=True) | st.none())
def test_normalising_never_raises_and_gives_e164_or_unknown(raw: str | None) -> None:
    caller = normalise(raw)
    assert re.fullmatch(r"[\x20-\x7e]{0,128}", caller.raw)
    assert caller.number is None or re.fullmatch(r"\+[1-9][0-9]{4,16}", caller.number)


@given(st.from_regex(r"(\+62|0|62)8[1-9][0-9]{7,9}", fullmatch=True))
def test_number_stays_as_it_is_when_it_was_normalised_before(raw: str) -> None:
    once = normalise(raw).number
    assert once is not None
    assert normalise(once).number == once
