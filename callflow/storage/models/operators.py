"""The operators: who they are, what each does now, and what each did when."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, Boolean, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from callflow.core.states import OperatorState
from callflow.storage.models.base import Base, Line, Name, Seq, by_value


class Operator(Base):
    """A call taker, and what this person does now.

    Attributes:
        since: when `state` began. call_id: the call in hand.
    """

    __tablename__ = "operators"

    centre_id: Mapped[str] = mapped_column(Line(31), primary_key=True)
    operator_id: Mapped[str] = mapped_column(Line(64), primary_key=True)
    name: Mapped[Name]
    endpoint: Mapped[Name]
    skills: Mapped[list[str]] = mapped_column(JSON)
    active: Mapped[bool] = mapped_column(Boolean)
    state: Mapped[OperatorState] = mapped_column(by_value(OperatorState))
    reason: Mapped[Name]
    online: Mapped[bool] = mapped_column(Boolean)
    call_id: Mapped[str | None] = mapped_column(Line(160))
    since: Mapped[datetime]


class OperatorStateChange(Base):
    """One change of an operator's state or phone, in the order of (seq, position)."""

    __tablename__ = "operator_states"
    __table_args__ = (Index("ix_operator_states_at", "centre_id", "operator_id", "at"),)

    operator_id: Mapped[str] = mapped_column(Line(64), primary_key=True)
    seq: Mapped[Seq] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    centre_id: Mapped[str] = mapped_column(Line(31))
    at: Mapped[datetime]
    state: Mapped[OperatorState] = mapped_column(by_value(OperatorState))
    reason: Mapped[Name]
    online: Mapped[bool] = mapped_column(Boolean)
    call_id: Mapped[str | None] = mapped_column(Line(160))
