"""Writes plain data as TOML, as far as a demonstration's documents need it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def toml_text(document: Mapping[str, Any]) -> str:
    """A document whose values are tables, or lists of tables; a table's own tables are written in one line."""
    lines: list[str] = []
    for name, value in document.items():
        many = isinstance(value, list | tuple)
        for table in value if many else (value,):
            lines += ["", f"[[{name}]]" if many else f"[{name}]"]
            lines += [f"{key} = {_value(each)}" for key, each in table.items()]
    return "\n".join(lines).lstrip("\n") + "\n"


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_value(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(each) for each in value) + "]"
    return json.dumps(value, ensure_ascii=False)  # strings, numbers and booleans are written as JSON writes them
