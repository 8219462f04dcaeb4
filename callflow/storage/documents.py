"""Turns a value of the core's into a document for a JSON column: the same value always gives the same text."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import date, datetime
from typing import Any


def document_of(value: Any) -> Any:
    """The value in JSON's own types: dataclasses by field, sets in order, dates and times in ISO form.

    Raises:
        TypeError: for a type that has no form here.
    """
    match value:
        case None | bool() | int() | float():
            return value
        case str():  # an enum too, by its value
            return str(value)
        case date() | datetime():
            return value.isoformat()
        case frozenset():
            return sorted(document_of(item) for item in value)
        case tuple() | list():
            return [document_of(item) for item in value]
        case _ if is_dataclass(value):
            return {field.name: document_of(getattr(value, field.name)) for field in fields(value)}
        case _:
            raise TypeError(f"{type(value).__name__} has no form in a JSON column")
