"""The one table of feature codes: what an operator dials on an idle phone, or presses while a call goes on.

A code is a star and two digits, some with an argument. While a call goes on, keys are collected from the star on; a
code without an argument acts at its last digit, one with an argument at `#`, or once no further key comes. Keys that
are no code change nothing, and nobody but the centre hears them. docs/OPERATE.md shows this table; a test compares.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, assert_never

from callflow.core.city import Classification
from callflow.core.requests import CallbackAction, TalkAction
from callflow.flows.model import Text

DIGITS_LIMIT_SECONDS: Final = 4.0
"""A code with an argument acts, and an unfinished one is forgotten, this long after its last key."""
LONGEST_CODE: Final = 24


class DeskAction(StrEnum):
    """What an operator may ask for about being at work."""

    SIGN_IN = "sign_in"
    SIGN_OUT = "sign_out"
    PAUSE = "pause"
    RESUME = "resume"


Action = DeskAction | TalkAction | CallbackAction | Classification


class Argument(StrEnum):
    """What may follow the two digits."""

    NONE = "none"
    OPTIONAL = "optional"
    NEEDED = "needed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One feature code.

    Attributes:
        digits: the star and two digits.
        target: what the action is about where the code itself says it (`medical`).
        label: for the docs and the screens.
    """

    digits: str
    action: Action
    argument: Argument = Argument.NONE
    target: str = ""
    label: Text


def _code(  # noqa: PLR0917 - a table's columns
    digits: str, action: Action, id_: str, en: str, argument: Argument = Argument.NONE, target: str = ""
) -> Code:
    return Code(digits=digits, action=action, argument=argument, target=target, label=Text(id=id_, en=en))


CODES: Final[Mapping[str, Code]] = MappingProxyType(
    {
        code.digits: code
        for code in (
            _code("*11", DeskAction.SIGN_IN, "Mulai bertugas", "Sign in"),
            _code("*12", DeskAction.SIGN_OUT, "Selesai bertugas", "Sign out"),
            _code("*13", DeskAction.PAUSE, "Jeda (+ angka alasan)", "Pause (+ the reason's digit)", Argument.OPTIONAL),
            _code("*14", DeskAction.RESUME, "Siap lagi", "Ready again: ends a pause or the wrap-up"),
            _code("*21", Classification.NORMAL, "Panggilan benar", "The call was genuine"),
            _code("*22", Classification.GHOST, "Panggilan hening", "The call was silent (ghost)"),
            _code("*23", Classification.PRANK, "Panggilan iseng", "The call was a prank"),
            _code("*24", Classification.INFORMASI, "Permintaan informasi", "The call asked for information"),
            _code("*31", TalkAction.JOIN, "Sambungkan ambulans", "Join the ambulance service", target="medical"),
            _code(
                "*32",
                TalkAction.JOIN,
                "Sambungkan instansi/nomor/rekan + #",
                "Join an agency, number or colleague + #",
                Argument.NEEDED,
            ),
            _code(
                "*33",
                TalkAction.CONSULT,
                "Konsultasi instansi/nomor/rekan + #",
                "Consult an agency, number or colleague + #",
                Argument.NEEDED,
            ),
            _code("*34", TalkAction.MERGE, "Gabungkan bertiga", "After a consultation: all three together"),
            _code("*35", TalkAction.RETURN, "Kembali ke penelepon", "After a consultation: back to the caller"),
            _code(
                "*36", TalkAction.LEAVE, "Serahkan, saya keluar", "Leave, caller and party talk on (the confirming key)"
            ),
            _code(
                "*37",
                TalkAction.TRANSFER,
                "Alihkan langsung + #",
                "Blind transfer to a colleague or number + #",
                Argument.NEEDED,
            ),
            _code("*38", TalkAction.DROP, "Lepaskan pihak ketiga", "Let the party go"),
            _code("*39", TalkAction.CHALLENGE, "Minta penelepon menekan tombol", "Ask a silent caller to press a key"),
            _code("*41", CallbackAction.DIAL, "Telepon balik", "Call back: my next abandoned call"),
        )
    }
)


@dataclass(frozen=True, slots=True)
class Pressed:
    """A code with its argument."""

    code: Code
    argument: str

    @property
    def target(self) -> str:
        """Who is meant."""
        return self.argument or self.code.target


def read_dialled(dialled: str) -> Pressed | None:
    """The code that an idle phone dialled, its argument behind it, with or without a final `#`; None = no code."""
    code = CODES.get(dialled[:3])
    argument = dialled[3:].removesuffix("#")
    return Pressed(code, argument) if code is not None and _fits(code, argument) else None


def press(keys: str, key: str) -> tuple[str, Pressed | None]:
    """One more key during a call.

    Returns:
        What is collected from now on ('' = nothing), and the code that is complete with this key.
    """
    if key == "*" or not keys:
        return ("*" if key == "*" else ""), None
    if key == "#":
        return "", read_dialled(keys)
    keys += key
    code = CODES.get(keys[:3])
    if len(keys) < 3:
        return keys, None
    if code is None or len(keys) > LONGEST_CODE:
        return "", None
    if code.argument is Argument.NONE:
        return "", Pressed(code, "")
    return keys, None


def _fits(code: Code, argument: str) -> bool:
    if argument and not argument.isdecimal():
        return False
    match code.argument:
        case Argument.NONE:
            return not argument
        case Argument.NEEDED:
            return bool(argument)
        case Argument.OPTIONAL:
            return len(argument) <= 1
        case _:
            assert_never(code.argument)
