"""Normalises caller numbers once, at the edge: E.164 where the trunk's text is a number, 'unknown' where it is not."""

from __future__ import annotations

import re
from typing import Final

import phonenumbers

from callflow.core.events import Caller

REGION: Final = "ID"
_RAW_CHARACTERS: Final = 128
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]")
_NUMBER = re.compile(r"\+?[0-9]{3,20}")
_DIALLED_ABROAD = re.compile(r"^00(?![89])")
"""Carriers write '+' as 00 too. 008 and 009 are Indonesia's own prefixes for abroad, which the metadata knows."""
_WITHHELD: Final = frozenset({"", "anonymous", "unavailable", "unknown", "restricted", "withheld", "private"})


def normalise(raw: str | None) -> Caller:
    """The caller as the core knows it.

    Indonesian national and local forms become E.164 (0812… → +62812…). Anything that is no plausible number is
    'unknown', with what the trunk sent kept (printable ASCII, at most 128 characters) for people to read.
    """
    text = _UNPRINTABLE.sub("?", (raw or "")[:_RAW_CHARACTERS])
    compact = re.sub(r"[\s().-]", "", text)
    if compact.lower() in _WITHHELD or not _NUMBER.fullmatch(compact):
        return Caller(number=None, raw=text)
    try:
        parsed = phonenumbers.parse(_DIALLED_ABROAD.sub("+", compact, count=1), REGION)
    except phonenumbers.NumberParseException:
        return Caller(number=None, raw=text)
    if phonenumbers.is_possible_number_with_reason(parsed) is not phonenumbers.ValidationResult.IS_POSSIBLE:
        return Caller(number=None, raw=text)
    return Caller(number=phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164), raw=text)
