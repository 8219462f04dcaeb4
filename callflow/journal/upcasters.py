"""Lifts documents of older versions to today's: an old journal always replays.

A type whose fields change gets a higher number in `VERSIONS` and one function here from each older version to the
next. `tests/histories/` holds journals of every version that was ever released.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from callflow.journal.errors import UnknownType

Document = dict[str, Any]
Upcaster = Callable[[Document], Document]

VERSIONS: Final[Mapping[str, int]] = {}
"""Types whose version is not 1."""

UPCASTERS: Final[Mapping[tuple[str, int], Upcaster]] = {}
"""(type, version) → what makes a document of the next version from one without its tag."""


def tag_of(name: str, versions: Mapping[str, int] = VERSIONS) -> str:
    """The tag of today's version: `Name`, or `Name@2` from the second version on."""
    version = versions.get(name, 1)
    return name if version == 1 else f"{name}@{version}"


def split_tag(tag: str) -> tuple[str, int]:
    """Name and version of a tag.

    Raises:
        UnknownType: when the version is no number.
    """
    name, at, version = tag.partition("@")
    if not at:
        return name, 1
    if not version.isdecimal():
        raise UnknownType(tag)
    return name, int(version)


def lift(
    document: Mapping[str, Any],
    versions: Mapping[str, int] = VERSIONS,
    upcasters: Mapping[tuple[str, int], Upcaster] = UPCASTERS,
) -> tuple[str, Document]:
    """The name and today's fields of a tagged document; the document itself is not changed.

    Raises:
        UnknownType: when it has no tag, is newer than this version, or no upcaster leads on.
    """
    fields = dict(document)
    tag = str(fields.pop("type", ""))
    name, version = split_tag(tag)
    while version < versions.get(name, 1):
        upcaster = upcasters.get((name, version))
        if upcaster is None:
            raise UnknownType(tag)
        fields = upcaster(fields)
        version += 1
    if version != versions.get(name, 1):
        raise UnknownType(tag)
    return name, fields
