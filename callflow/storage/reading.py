"""Turns rows into records, whose fields carry the same names."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement

_R = TypeVar("_R")
_COLUMNS: Final = {"operator": "operator_id", "owner": "owner_id"}
Condition = tuple[object, Callable[[Any], ColumnElement[bool]]]
"""A filter's value, None = any, and what it demands."""


def record_of(cls: type[_R], row: object, **given: Any) -> _R:
    """A record whose fields carry the row's names, but for those given; `operator` and `owner` are ids there."""
    names = [field.name for field in fields(cls) if field.name not in given]  # type: ignore[arg-type]
    return cls(**given, **{name: getattr(row, _COLUMNS.get(name, name)) for name in names})


def demanded(conditions: Iterable[Condition]) -> list[ColumnElement[bool]]:
    """The conditions that are asked for. What is not asked is not said: the planner then uses the right index."""
    return [condition(value) for value, condition in conditions if value is not None]
