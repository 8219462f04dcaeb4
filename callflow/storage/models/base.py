"""What all tables share: names of constraints, times in UTC, enums by value, and the place of a fact in the journal."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Final, TypeVar

from sqlalchemy import BigInteger, DateTime, Dialect, Enum, Integer, MetaData, String, Text, text
from sqlalchemy.orm import DeclarativeBase, mapped_column
from sqlalchemy.types import TypeDecorator, TypeEngine

_E = TypeVar("_E", bound=StrEnum)

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
"""Every constraint has a name that a migration can speak of, on both databases."""


class UtcTime(TypeDecorator[datetime]):
    """An aware time, kept in UTC; a naive one is refused, since nobody knows what it means."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the database: UTC; SQLite has no zones and keeps it bare."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive time {value.isoformat()}: every time here is aware UTC")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """From the database: aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Line(TypeDecorator[str]):
    """Text of at most `length` characters; what is longer is cut and NUL is dropped.

    What a trunk sends must never keep a record from being written.
    """

    impl = String
    cache_ok = True

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self._length = length

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """To the database."""
        if value is None:
            return None
        return _storable(value)[: self._length]


class Prose(TypeDecorator[str]):
    """Text of any length, without NUL."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """To the database."""
        return None if value is None else _storable(value)


def _storable(value: str) -> str:
    return value.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def by_value(enum: type[_E]) -> TypeEngine[_E]:
    """A column that keeps an enum's value as text, so that a new member needs no migration."""
    kind: Any = Enum(
        enum,
        native_enum=False,
        length=32,
        create_constraint=False,
        values_callable=lambda members: [member.value for member in members],
    )
    return kind  # type: ignore[no-any-return]


class Base(DeclarativeBase):
    """Root of all models."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {datetime: UtcTime()}  # noqa: RUF012 - SQLAlchemy reads it as it stands


CentreKey = Annotated[str, mapped_column(Line(31), index=True)]
"""The centre that a row belongs to."""
EMPTY: Final = text("''")
"""The default of a text column that came later; written so because Alembic cannot compare a bare ''."""
CALL: Final = "calls.call_id"
"""What a row of a call points to."""
CallKey = Annotated[str, mapped_column(Line(160))]
Name = Annotated[str, mapped_column(Line(128))]
Seq = Annotated[int, mapped_column(BigInteger)]
"""The journal entry that a row came from."""
RowNumber = Annotated[
    int, mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)
]
