"""Reads fields of ARI's JSON: the few types that Asterisk's description knows. Used by the generated protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from callflow.ari.errors import MalformedMessage

Json = Mapping[str, Any]
_T = TypeVar("_T")


def required(read: Callable[[Any], _T], raw: Json, kind: str, name: str) -> _T:
    """Read a field that must be there.

    Raises:
        MalformedMessage: naming the field.
    """
    try:
        return read(raw[name])
    except MalformedMessage:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise MalformedMessage(kind, name) from None


def optional(read: Callable[[Any], _T], raw: Json, kind: str, name: str) -> _T | None:
    """Read a field that may be missing or null."""
    return None if raw.get(name) is None else required(read, raw, kind, name)


def text(value: Any) -> str:
    """A string."""
    if not isinstance(value, str):
        raise TypeError
    return value


def whole(value: Any) -> int:
    """An integer; Asterisk writes some as text."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError
    return int(value)


def real(value: Any) -> float:
    """A number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    return float(value)


def flag(value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise TypeError
    return value


def moment(value: Any) -> datetime:
    """A time with its offset, as aware UTC."""
    parsed = datetime.fromisoformat(text(value))
    if parsed.tzinfo is None:
        raise ValueError
    return parsed.astimezone(UTC)


def anything(value: Any) -> Any:
    """A value that Asterisk does not describe."""
    return value


def mapping(value: Any) -> Json:
    """An object that Asterisk does not describe: variables by name."""
    if not isinstance(value, Mapping):
        raise TypeError
    return value


def each(read: Callable[[Any], _T]) -> Callable[[Any], tuple[_T, ...]]:
    """A list of what `read` reads."""

    def read_list(value: Any) -> tuple[_T, ...]:
        if not isinstance(value, list):
            raise TypeError
        return tuple(read(item) for item in value)

    return read_list
