"""Reads the fields of one object of a flow document and collects every problem with them.

Each reader returns a value of its type even when the field is wrong; the problem is in the list then, and whoever
reads a whole document keeps nothing of it that has problems, but can look at the rest.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

from callflow.flows.model import Text
from callflow.flows.problems import Problem, ProblemCode, problem
from callflow.flows.text import JsonObject

Choice = TypeVar("Choice", bound=StrEnum)

_ABSENT: Final = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a string must look like, and how to say so."""

    pattern: re.Pattern[str]
    expected: Text


def _shape(pattern: str, indonesian: str, english: str) -> Shape:
    return Shape(pattern=re.compile(pattern), expected=Text(id=indonesian, en=english))


NAME: Final = _shape(
    r"[a-z][a-z0-9_]{0,39}",
    "nama: a-z, 0-9 dan '_', mulai dengan huruf, paling panjang 40",
    "a name: a-z, 0-9 and '_', letter first, at most 40",
)
SLUG: Final = _shape(
    r"[a-z][a-z0-9-]{0,30}",
    "nama: a-z, 0-9 dan '-', mulai dengan huruf, paling panjang 31",
    "a name: a-z, 0-9 and '-', letter first, at most 31",
)
LANGUAGE: Final = _shape(r"[a-z]{2,3}", "kode bahasa, misalnya id", "a language code, such as id")
PROMPT: Final = _shape(
    r"([a-z]{2,3}/)?[a-z][a-z0-9_]{0,39}",
    "nama prompt, misalnya menu, atau en/menu untuk satu bahasa tertentu",
    "a prompt's name, such as menu, or en/menu for one language",
)
KEY: Final = _shape(r"[0-9*#]", "satu tombol: 0-9, * atau #", "one key: 0-9, * or #")
TERMINATOR: Final = _shape(r"[*#]", "* atau #", "* or #")
TIME: Final = _shape(r"([01][0-9]|2[0-3]):[0-5][0-9]", "jam, misalnya 07:30", "a time of day, such as 07:30")
NUMBER_PREFIX: Final = _shape(
    r"\+?[0-9]{1,15}", "awal nomor, misalnya +62370", "the beginning of a number, such as +62370"
)
# Any letter of any script, but no control characters and no lone surrogates, which no file or browser can show.
LABEL: Final = _shape(
    r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,200}",
    "teks satu baris, 1 sampai 200 huruf",
    "one line of text, 1 to 200 characters",
)

_A_STRING: Final = Text(id="teks dalam tanda kutip", en="text in quotes")
_A_LIST: Final = Text(id="daftar [...]", en="a list [...]")
_AN_OBJECT: Final = Text(id="objek {...}", en="an object {...}")


def shown(value: object) -> Text:
    """How a problem shows a value: short, never more than 40 characters of it, never a nested value."""
    match value:
        case str():
            text = value if len(value) <= 40 else value[:39] + "…"
            quoted = f"'{text}'" if text.isprintable() else ascii(text)
            described = (quoted, quoted)
        case None:
            described = ("null", "null")
        case bool():
            described = ("true atau false", "true or false")
        case int() | float():
            described = ("sebuah angka", "a number")
        case Mapping():
            described = ("sebuah objek", "an object")
        case list() | tuple():
            described = ("sebuah daftar", "a list")
        case _:
            described = ("bukan nilai JSON", "no JSON value")
    return Text(id=described[0], en=described[1])


class Fields:
    """The fields of one object; `finish` reports those that nobody asked for.

    Attributes:
        readable: false when there was no object, which is a problem already.
    """

    def __init__(
        self,
        source: Mapping[object, object],
        problems: list[Problem],
        *,
        node: str | None,
        path: str,
        readable: bool = True,
    ) -> None:
        self.readable = readable
        self._source = source
        self._problems = problems
        self._node = node
        self._path = path
        self._asked: dict[str, None] = {}

    def report(self, code: ProblemCode, at: str | None, /, **details: object) -> None:
        """Note a problem with the field `at`, or, when that is None, with the object itself."""
        self._problems.append(problem(code, node=self._node, at_exit=None, field=self._at(at), **details))

    def _at(self, name: str | None) -> str | None:
        return ".".join(part for part in (self._path, name) if part) or None

    def has(self, name: str) -> bool:
        """Whether the optional field is there."""
        self._asked[name] = None
        return name in self._source

    def take(self, name: str, expected: Text) -> object:
        """The raw value of a required field; `None` with a problem when it is missing or null."""
        self._asked[name] = None
        value = self._source.get(name, _ABSENT)
        if value is _ABSENT:
            self.report(ProblemCode.MISSING, name, name=name, expected=expected)
            return None
        if value is None:
            self.report(ProblemCode.WRONG_TYPE, name, found=shown(value), expected=expected)
        return value

    def string(self, name: str, shape: Shape) -> str:
        """A string of that shape; '' when it is wrong."""
        value = self.take(name, shape.expected)
        return "" if value is None else self._shaped(value, shape, name)

    def _shaped(self, value: object, shape: Shape, name: str) -> str:
        if not isinstance(value, str):
            self.report(ProblemCode.WRONG_TYPE, name, found=shown(value), expected=_A_STRING)
        elif not shape.pattern.fullmatch(value):
            self.report(ProblemCode.BAD_VALUE, name, found=shown(value), expected=shape.expected)
        else:
            return value
        return ""

    def choice(self, name: str, choices: type[Choice]) -> Choice:
        """One of an enum's values; its first member when it is wrong."""
        value = self.take(name, _one_of(choices))
        return next(iter(choices)) if value is None else self._chosen(value, choices, name)

    def _chosen(self, value: object, choices: type[Choice], name: str) -> Choice:
        for member in choices:
            if isinstance(value, str) and value == member.value:
                return member
        self.report(ProblemCode.BAD_VALUE, name, found=shown(value), expected=_one_of(choices))
        return next(iter(choices))

    def number(self, name: str, least: float, most: float) -> float:
        """A number of `least` to `most`; `most` when it is wrong."""
        return float(self._number(name, least, most, Text(id="sebuah angka", en="a number"), (int, float)))

    def whole(self, name: str, least: int, most: int) -> int:
        """A whole number of `least` to `most`; `most` when it is wrong."""
        return int(self._number(name, least, most, Text(id="angka bulat", en="a whole number"), (int,)))

    def _number(self, name: str, least: float, most: float, expected: Text, kinds: tuple[type, ...]) -> float:
        value = self.take(name, expected)
        if value is None:
            return most
        if isinstance(value, int | float) and not isinstance(value, bool):
            if not least <= value <= most:  # so neither is NaN
                self.report(ProblemCode.OUT_OF_RANGE, name, least=least, most=most)
                return most
            if isinstance(value, kinds):
                return value
        self.report(ProblemCode.WRONG_TYPE, name, found=shown(value), expected=expected)
        return most

    def strings(self, name: str, shape: Shape, least: int, most: int) -> tuple[str, ...]:
        """A list of strings of that shape; those that are right."""
        entries = self.entries(name, least, most)
        return tuple(filter(None, (self._shaped(entry, shape, f"{name}[{i}]") for i, entry in enumerate(entries, 1))))

    def choices(self, name: str, choices: type[Choice]) -> tuple[Choice, ...]:
        """A list of an enum's values, at least one, each once."""
        entries = self.entries(name, 1, len(choices))
        found = tuple(self._chosen(entry, choices, f"{name}[{i}]") for i, entry in enumerate(entries, 1))
        self.distinct(name, [entry for entry in entries if isinstance(entry, str)])
        return found

    def entries(self, name: str, least: int, most: int) -> Sequence[object]:
        """The raw entries of a list, no more than `most`."""
        value = self.take(name, _A_LIST)
        if value is None:
            return ()
        if not isinstance(value, list | tuple):
            self.report(ProblemCode.WRONG_TYPE, name, found=shown(value), expected=_A_LIST)
            return ()
        if not least <= len(value) <= most:
            self.report(ProblemCode.WRONG_LENGTH, name, found=len(value), least=least, most=most)
        return value[:most]

    def distinct(self, name: str, values: Sequence[str]) -> None:
        """Report values that stand more than once in the field `name`."""
        for value in dict.fromkeys(value for i, value in enumerate(values) if value in values[:i]):
            self.report(ProblemCode.REPEATED, name, found=shown(value))

    def inner(self, name: str) -> Fields:
        """The fields of the object `name`; an empty one when it is wrong."""
        value = self.take(name, _AN_OBJECT)
        return self.nested(value, name) if value is not None else self._empty()

    def nested(self, value: object, name: str) -> Fields:
        """The fields of `value`, an object that stands at `name`."""
        if isinstance(value, Mapping):
            return Fields(value, self._problems, node=self._node, path=self._at(name) or "")
        self.report(ProblemCode.WRONG_TYPE, name, found=shown(value), expected=_AN_OBJECT)
        return self._empty()

    def _empty(self) -> Fields:
        # Its own missing fields are not worth a line each: the object's absence is one already.
        return Fields({}, [], node=self._node, path="", readable=False)

    def text(self, name: str) -> Text:
        """A text in both languages."""
        fields = self.inner(name)
        text = Text(id=fields.string("id", LABEL), en=fields.string("en", LABEL))
        fields.finish()
        return text

    def items(self) -> list[tuple[str, object]]:
        """Every name and value, for objects whose names are the writer's own; names that are no text are reported."""
        self._duplicates()
        named: list[tuple[str, object]] = []
        for name, value in self._source.items():
            if isinstance(name, str):
                named.append((name, value))
            else:
                self.report(ProblemCode.WRONG_TYPE, None, found=shown(name), expected=_A_STRING)
        return named

    def finish(self) -> None:
        """Report the names that nobody asked for, and those written twice."""
        self._duplicates()
        allowed = ", ".join(self._asked)
        for name in self._source:
            if name not in self._asked:
                self.report(ProblemCode.UNKNOWN_KEY, None, name=bare(name), allowed=allowed)

    def _duplicates(self) -> None:
        if isinstance(self._source, JsonObject):
            for name in self._source.duplicates:
                self.report(ProblemCode.DUPLICATE_KEY, None, name=bare(name))


def bare(name: object) -> str:
    """How a problem shows a name: short and printable."""
    return shown(name).en.strip("'")


def _one_of(choices: type[StrEnum]) -> Text:
    names = ", ".join(member.value for member in choices)
    return Text(id=f"salah satu: {names}", en=f"one of: {names}")
