"""Citizens who gave up before a person answered: who calls back by when, how often it was tried, the outcome."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from callflow.core.requests import CallbackOutcome
from callflow.storage.models.base import CALL, Base, CallKey, CentreKey, Line, Name, by_value


class Callback(Base):
    """The call-back of an abandoned call, which `call_id` is; `closed_at` None while it is open.

    Attributes:
        number: E.164. deadline: the owner's, or the first one as long as nobody has it.
        assigned_at: since when it is the owner's. attempts: outbound calls begun.
        closed_by: who said so, or the call that settled it.
    """

    __tablename__ = "callbacks"
    __table_args__ = (
        Index("ix_callbacks_open", "centre_id", "closed_at", "deadline", "call_id"),
        Index("ix_callbacks_opened", "centre_id", "opened_at", "call_id"),
        Index("ix_callbacks_owner", "owner_id", "opened_at"),
    )

    call_id: Mapped[CallKey] = mapped_column(ForeignKey(CALL, ondelete="CASCADE"), primary_key=True)
    centre_id: Mapped[str] = mapped_column(Line(31))
    number: Mapped[str] = mapped_column(Line(32))
    opened_at: Mapped[datetime]
    deadline: Mapped[datetime]
    owner_id: Mapped[str | None] = mapped_column(Line(64))
    assigned_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(Integer)
    closed_at: Mapped[datetime | None]
    outcome: Mapped[CallbackOutcome | None] = mapped_column(by_value(CallbackOutcome))
    closed_by: Mapped[str | None] = mapped_column(Line(160))


class CallbackAttempt(Base):
    """One outbound call of a call-back, `attempt_id`; how it went is told by that call's own record."""

    __tablename__ = "callback_attempts"

    call_id: Mapped[CallKey] = mapped_column(ForeignKey("callbacks.call_id", ondelete="CASCADE"), primary_key=True)
    attempt_id: Mapped[CallKey] = mapped_column(primary_key=True)
    centre_id: Mapped[CentreKey]
    operator_id: Mapped[Name]
    begun_at: Mapped[datetime]
