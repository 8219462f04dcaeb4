"""Who may sign in to callflow, and who looked at what."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, Boolean, Index, Integer, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from callflow.storage.models.base import Base, CentreKey, Line, Name, RowNumber, Seq


class User(Base):
    """A person who signs in on the web.

    Attributes:
        password_hash: argon2id, with its parameters.
        roles: of operator, supervisor, admin, auditor, service.
        operator_id: the operator this person is; None when none.
        session_version: counts up to end every session that is open.
    """

    __tablename__ = "users"
    __table_args__ = (UniqueConstraint("centre_id", "login"),)

    id: Mapped[RowNumber]
    centre_id: Mapped[CentreKey]
    login: Mapped[str] = mapped_column(Line(64))
    password_hash: Mapped[str] = mapped_column(Line(255))
    roles: Mapped[list[str]] = mapped_column(JSON)
    active: Mapped[bool] = mapped_column(Boolean, default=True)
    operator_id: Mapped[str | None] = mapped_column(Line(64))
    session_version: Mapped[int] = mapped_column(Integer, default=1)
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class Access(Base):
    """One look at a recording or at a person's data.

    The proof stands in the journal (`AccessRecorded`); this is its copy to search in.

    Attributes:
        call_id: without a foreign key: a look outlives what was looked at.
        writer, seq: the journal's entry.
    """

    __tablename__ = "access_log"
    __table_args__ = (
        UniqueConstraint("writer", "seq"),
        Index("ix_access_log_at", "centre_id", "at"),
        Index("ix_access_log_call", "call_id", "at"),
    )

    id: Mapped[RowNumber]
    centre_id: Mapped[str] = mapped_column(Line(31))
    at: Mapped[datetime]
    who: Mapped[Name]
    what: Mapped[Name]
    call_id: Mapped[str | None] = mapped_column(Line(160))
    purpose: Mapped[str] = mapped_column(Line(500))
    writer: Mapped[str | None] = mapped_column(Line(31))
    seq: Mapped[Seq | None]
