"""What was asked of a call's caller, and what people said the call was."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from callflow.core.city import Classification
from callflow.core.facts import ChallengeKind
from callflow.storage.models.base import CALL, Base, CallKey, CentreKey, Line, Name, Seq, by_value


class Challenge(Base):
    """The caller was asked to press a key, in the order of (seq, position); `answered_at` None = no key came."""

    __tablename__ = "challenges"

    call_id: Mapped[CallKey] = mapped_column(ForeignKey(CALL, ondelete="CASCADE"), primary_key=True)
    seq: Mapped[Seq] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    centre_id: Mapped[CentreKey]
    kind: Mapped[ChallengeKind] = mapped_column(by_value(ChallengeKind))
    at: Mapped[datetime]
    answered_at: Mapped[datetime | None]


class ClassificationChange(Base):
    """Somebody's word on what a call was, in the order of (seq, position); the latest stands with the call.

    Attributes:
        by: the login of who said it. operator_id: the operator whom it was said for, or None: a supervisor's word.
    """

    __tablename__ = "classifications"
    __table_args__ = (Index("ix_classifications_at", "centre_id", "at"),)

    call_id: Mapped[CallKey] = mapped_column(ForeignKey(CALL, ondelete="CASCADE"), primary_key=True)
    seq: Mapped[Seq] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    centre_id: Mapped[str] = mapped_column(Line(31))
    at: Mapped[datetime]
    classification: Mapped[Classification] = mapped_column(by_value(Classification))
    by: Mapped[Name]
    operator_id: Mapped[str | None] = mapped_column(Line(64))
