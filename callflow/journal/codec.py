"""Turns events, commands, facts and the core's state into JSON documents and back, tagged with their type.

`{"type": "KeyPressed", "at": "2026-01-01T00:00:00+00:00", "call": …, "key": "1"}`. Sets are sorted and times are UTC,
so that equal values give equal documents. A Note's fact is a tagged document inside it.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from enum import Enum
from types import ModuleType
from typing import Any, Final, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from callflow.core import centre_facts, commands, events, facts, faults, reports, requests
from callflow.core.commands import Command, Note
from callflow.core.events import Event
from callflow.core.facts import Fact
from callflow.core.state import State
from callflow.journal import witnessed
from callflow.journal.errors import MalformedDocument, UnknownType
from callflow.journal.upcasters import Document, lift, tag_of

_T = TypeVar("_T")


def _types(root: type[_T], *modules: ModuleType) -> dict[str, type[_T]]:
    return {
        name: cls
        for module in modules
        for name, cls in inspect.getmembers(module, inspect.isclass)
        if issubclass(cls, root) and cls.__module__ == module.__name__ and not cls.__subclasses__()
    }


EVENTS: Final[Mapping[str, type[Event]]] = _types(Event, events, requests, reports, faults, witnessed)
COMMANDS: Final[Mapping[str, type[Command]]] = _types(Command, commands)
FACTS: Final[Mapping[str, type[Fact]]] = _types(Fact, facts, centre_facts)

_ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {}
_FIELD_NAMES: dict[type[Any], tuple[str, ...]] = {}


def encode_event(event: Event) -> Document:
    """The event as a tagged document."""
    return _tagged(event)


def decode_event(document: Mapping[str, Any]) -> Event:
    """The event of a document of this or an older version.

    Raises:
        UnknownType, MalformedDocument.
    """
    return _untagged(EVENTS, document)


def encode_fact(fact: Fact) -> Document:
    """The fact as a tagged document."""
    return _tagged(fact)


def decode_fact(document: Mapping[str, Any]) -> Fact:
    """The fact of a document of this or an older version.

    Raises:
        UnknownType, MalformedDocument.
    """
    return _untagged(FACTS, document)


def encode_command(command: Command) -> Document:
    """The command as a tagged document; the fact in a Note is tagged too."""
    if isinstance(command, Note):
        return {"type": tag_of("Note"), "centre": command.centre, "fact": encode_fact(command.fact)}
    return _tagged(command)


def decode_command(document: Mapping[str, Any]) -> Command:
    """The command of a document of this or an older version.

    Raises:
        UnknownType, MalformedDocument.
    """
    name, fields = lift(document)
    if name == "Note":
        if not isinstance(fields.get("fact"), Mapping) or not isinstance(fields.get("centre"), str):
            raise MalformedDocument("Note", "needs a centre and a fact")
        return Note(centre=fields["centre"], fact=decode_fact(fields["fact"]))
    return _untagged(COMMANDS, document)


def encode_state(state: State) -> Document:
    """The core's state as a document, for a checkpoint. The order of its dicts is kept."""
    return cast("Document", _plain(state))


def decode_state(document: Mapping[str, Any]) -> State:
    """The state of a checkpoint.

    Raises:
        MalformedDocument: when this version's State has other fields: start at an older checkpoint or at none.
    """
    return _validated(State, "State", dict(document))


def _tagged(value: Any) -> Document:
    return {"type": tag_of(type(value).__name__), **_plain(value)}


def _untagged(types: Mapping[str, type[_T]], document: Mapping[str, Any]) -> _T:
    name, fields = lift(document)
    cls = types.get(name)
    if cls is None:
        raise UnknownType(name)
    return _validated(cls, name, fields)


def _validated(cls: type[_T], name: str, fields: Document) -> _T:
    unknown = fields.keys() - set(_field_names(cls))
    if unknown:
        raise MalformedDocument(name, f"has no field {', '.join(sorted(unknown))}")
    try:
        return _adapter(cls).validate_python(fields)
    except ValidationError as error:
        # The values may be personal data, so that only the places and kinds of the faults are named.
        faults = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['type']}" for item in error.errors())
        raise MalformedDocument(name, faults) from None


def _adapter(cls: type[_T]) -> TypeAdapter[_T]:
    adapter = _ADAPTERS.get(cls)
    if adapter is None:
        adapter = _ADAPTERS[cls] = TypeAdapter(cls)
    return adapter


def _field_names(cls: type[Any]) -> tuple[str, ...]:
    names = _FIELD_NAMES.get(cls)
    if names is None:
        names = _FIELD_NAMES[cls] = tuple(field.name for field in dataclasses.fields(cls))
    return names


def _plain(value: Any) -> Any:
    match value:
        case Enum():
            plain = value.value
        case None | bool() | int() | float() | str():
            plain = value
        case datetime():
            plain = _utc(value)
        case date():
            plain = value.isoformat()
        case frozenset() | set():
            plain = sorted(_plain_each(value))
        case list() | tuple():
            plain = _plain_each(value)
        case dict():
            plain = {str(_plain(key)): _plain(item) for key, item in value.items()}
        case _ if dataclasses.is_dataclass(value):
            plain = {name: _plain(getattr(value, name)) for name in _field_names(type(value))}
        case _:
            raise MalformedDocument(type(value).__name__, "has no form in JSON")
    return plain


def _plain_each(values: Iterable[Any]) -> list[Any]:
    return [_plain(value) for value in values]


def _utc(value: datetime) -> str:
    if value.tzinfo is None:
        raise MalformedDocument("datetime", "has no zone; every time here is aware UTC")
    return value.astimezone(UTC).isoformat()
