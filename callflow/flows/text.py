"""Reads JSON text that anybody may have written, and says what is wrong with it instead of failing.

Numbers that JSON's grammar refuses (NaN, Infinity) or no machine needs (4,000 digits) become floats that are not
finite, so that the field which holds one is named by the reader of that field.
"""

from __future__ import annotations

import json
import math
from typing import Final

from callflow.flows.problems import Problem, ProblemCode, problem

MAX_DOCUMENT_BYTES: Final = 256 * 1024
"""The default flow has 4 kB; a flow of 200 nodes stays under 100 kB."""

_LONGEST_NUMBER: Final = 20


class JsonObject(dict[str, object]):
    """A JSON object that remembers which of its keys were written more than once; the first value is kept."""

    __slots__ = ("duplicates",)

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        super().__init__()
        seen_again: dict[str, None] = {}
        for key, value in pairs:
            if key in self:
                seen_again[key] = None
            else:
                self[key] = value
        self.duplicates: tuple[str, ...] = tuple(seen_again)


def _whole_number(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_NUMBER else math.inf


def read_json(source: str | bytes) -> tuple[object, Problem | None]:
    """Read `source` as one JSON value: the value, and the problem when there is none. It never raises."""
    size = len(source)
    if size > MAX_DOCUMENT_BYTES:
        return None, problem(ProblemCode.TOO_LARGE, limit=MAX_DOCUMENT_BYTES)
    if isinstance(source, bytes):
        try:
            # A byte order mark is what Windows editors put first; it is harmless.
            source = source.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            return None, problem(ProblemCode.NOT_UTF8, position=error.start + 1)
    try:
        return json.loads(source, object_pairs_hook=JsonObject, parse_int=_whole_number), None
    except json.JSONDecodeError as error:
        return None, problem(ProblemCode.NOT_JSON, line=error.lineno, column=error.colno, reason=error.msg)
    except RecursionError:
        return None, problem(ProblemCode.TOO_DEEP)
