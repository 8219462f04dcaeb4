from __future__ import annotations

import pytest

from callflow.journal.errors import UnknownType
from callflow.journal.upcasters import UPCASTERS, VERSIONS, Document, lift, split_tag, tag_of


def test_document_is_lifted_step_by_step_when_its_type_has_newer_versions() -> None:
    def split_name(fields: Document) -> Document:
        first, _, last = fields.pop("name").partition(" ")
        return {**fields, "first": first, "last": last}

    def add_title(fields: Document) -> Document:
        return {**fields, "title": ""}

    document = {"type": "PersonNamed", "name": "Siti Aminah"}
    name, fields = lift(document, {"PersonNamed": 3}, {("PersonNamed", 1): split_name, ("PersonNamed", 2): add_title})
    assert (name, fields) == ("PersonNamed", {"first": "Siti", "last": "Aminah", "title": ""})
    assert document == {"type": "PersonNamed", "name": "Siti Aminah"}


def test_document_is_left_as_it_is_when_its_version_is_todays() -> None:
    assert lift({"type": "PersonNamed@3", "first": "Siti"}, {"PersonNamed": 3}, {}) == (
        "PersonNamed",
        {"first": "Siti"},
    )


@pytest.mark.parametrize("tag", ["PersonNamed@2", "PersonNamed@4", "PersonNamed@"])
def test_document_is_refused_when_no_upcaster_leads_to_today(tag: str) -> None:
    with pytest.raises(UnknownType):
        lift({"type": tag}, {"PersonNamed": 3}, {})


def test_tag_carries_the_version_when_it_is_not_the_first() -> None:
    assert tag_of("A", {}) == "A"
    assert tag_of("A", {"A": 2}) == "A@2"
    assert split_tag("A@2") == ("A", 2)


def test_every_old_version_has_an_upcaster_when_versions_are_listed() -> None:
    wanted = {(name, version) for name, today in VERSIONS.items() for version in range(1, today)}
    assert set(UPCASTERS) == wanted
