"""The operators: who they are, what each does now, what each did when, and the shifts that began."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, Boolean, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from callflow.core.states import OperatorState
from callflow.storage.models.base import EMPTY, Base, Line, Name, Seq, by_value


class Operator(Base):
    """A call taker, and what this person does now.

    Attributes:
        number: the digits by which colleagues reach this person; '' = none.
        agency: the agency (OPD) whose person this is; '' = the centre's own.
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
    number: Mapped[str] = mapped_column(Line(32), default="", server_default=EMPTY)
    agency: Mapped[str] = mapped_column(Line(64), default="", server_default=EMPTY)


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


class ShiftStart(Base):
    """A shift of the roster that began: who was expected, and who of them was there; in the order of (seq, position).

    Attributes:
        until: when it ends. expected, present: operators' ids.
    """

    __tablename__ = "shift_starts"
    __table_args__ = (Index("ix_shift_starts_began", "centre_id", "began_at"),)

    centre_id: Mapped[str] = mapped_column(Line(31), primary_key=True)
    seq: Mapped[Seq] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    shift: Mapped[Name]
    began_at: Mapped[datetime]
    until: Mapped[datetime]
    expected: Mapped[list[str]] = mapped_column(JSON)
    present: Mapped[list[str]] = mapped_column(JSON)
