"""A call's record: who, from where, every step, wait and offer, how it ended, and its audio."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, ForeignKey, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from callflow.core.facts import HangupParty, QueueReason, Stage
from callflow.core.states import OfferState
from callflow.storage.models.base import Base, CallKey, CentreKey, Line, Name, Prose, Seq, by_value

_CALL = "calls.call_id"


class Call(Base):
    """One citizen's call.

    Attributes:
        stage: where it ended in the funnel; None while it goes on.
        answered_at: first moment with a person. operator_id, destination: who that person was, at last.
        fallback: the dialplan served it, at least for a while.
        handed_back_at: when we last gave it back to the dialplan; None = never.
    """

    __tablename__ = "calls"
    __table_args__ = (
        Index("ix_calls_arrived", "centre_id", "arrived_at", "call_id"),
        Index("ix_calls_caller", "caller_number", "arrived_at"),
        Index("ix_calls_stage", "centre_id", "stage", "arrived_at"),
        Index("ix_calls_operator", "operator_id", "arrived_at"),
    )

    call_id: Mapped[CallKey] = mapped_column(primary_key=True)
    centre_id: Mapped[str] = mapped_column(Line(31))
    arrived_at: Mapped[datetime]
    caller_number: Mapped[str | None] = mapped_column(Line(32))
    caller_raw: Mapped[Name]
    dialled: Mapped[Name]
    trunk: Mapped[Name]
    stage: Mapped[Stage | None] = mapped_column(by_value(Stage))
    tier: Mapped[str | None] = mapped_column(Line(64))
    skill: Mapped[str | None] = mapped_column(Line(64))
    flow_version: Mapped[int | None] = mapped_column(Integer)
    queued_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    operator_id: Mapped[str | None] = mapped_column(Line(64))
    destination: Mapped[str | None] = mapped_column(Line(128))
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[HangupParty | None] = mapped_column(by_value(HangupParty))
    cause: Mapped[int | None] = mapped_column(Integer)
    fallback: Mapped[bool] = mapped_column(Boolean, default=False)
    handed_back_at: Mapped[datetime | None]
    handed_back_reason: Mapped[str | None] = mapped_column(Prose())


class TrunkHeader(Base):
    """One header of the INVITE that is kept with the call."""

    __tablename__ = "trunk_headers"

    call_id: Mapped[CallKey] = mapped_column(ForeignKey(_CALL, ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    centre_id: Mapped[CentreKey]
    name: Mapped[Name]
    value: Mapped[str] = mapped_column(Prose())


class CallStep(Base):
    """One node of the flow that the caller went through, in the order of (seq, position)."""

    __tablename__ = "call_steps"

    call_id: Mapped[CallKey] = mapped_column(ForeignKey(_CALL, ondelete="CASCADE"), primary_key=True)
    seq: Mapped[Seq] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    centre_id: Mapped[CentreKey]
    flow_version: Mapped[int] = mapped_column(Integer)
    node: Mapped[Name]
    exit: Mapped[Name]
    keys: Mapped[str] = mapped_column(Line(64))
    entered_at: Mapped[datetime]
    left_at: Mapped[datetime]


class QueueEntry(Base):
    """One wait for a person. `left_reason` is `connected`, `ended`, `handed_back` or `queued_again`."""

    __tablename__ = "queue_entries"
    __table_args__ = (Index("ix_queue_entries_queued", "centre_id", "queued_at"),)

    call_id: Mapped[CallKey] = mapped_column(ForeignKey(_CALL, ondelete="CASCADE"), primary_key=True)
    seq: Mapped[Seq] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    centre_id: Mapped[str] = mapped_column(Line(31))
    queued_at: Mapped[datetime]
    reason: Mapped[QueueReason] = mapped_column(by_value(QueueReason))
    tier: Mapped[str] = mapped_column(Line(64))
    skill: Mapped[str | None] = mapped_column(Line(64))
    left_at: Mapped[datetime | None]
    left_reason: Mapped[str | None] = mapped_column(Line(32))


class Offer(Base):
    """One ringing of one phone; `outcome` None while it rings."""

    __tablename__ = "offers"
    __table_args__ = (
        Index("ix_offers_call", "call_id", "made_at"),
        Index("ix_offers_operator", "operator_id", "made_at"),
    )

    offer_id: Mapped[CallKey] = mapped_column(primary_key=True)
    call_id: Mapped[CallKey] = mapped_column(ForeignKey(_CALL, ondelete="CASCADE"))
    centre_id: Mapped[CentreKey]
    operator_id: Mapped[str | None] = mapped_column(Line(64))
    destination: Mapped[str | None] = mapped_column(Line(128))
    made_at: Mapped[datetime]
    connected_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    outcome: Mapped[OfferState | None] = mapped_column(by_value(OfferState))
    cause: Mapped[int | None] = mapped_column(Integer)
    lost_at: Mapped[datetime | None]
    lost_cause: Mapped[int | None] = mapped_column(Integer)


class Recording(Base):
    """One audio file of a call: `mixed`, `in` (from the caller) or `out` (to the caller)."""

    __tablename__ = "recordings"

    call_id: Mapped[CallKey] = mapped_column(ForeignKey(_CALL, ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(Line(16), primary_key=True)
    centre_id: Mapped[CentreKey]
    path: Mapped[str] = mapped_column(Prose())
    sha256: Mapped[str] = mapped_column(Line(64))
    bytes: Mapped[Seq]
    seconds: Mapped[float]
    stored_at: Mapped[datetime]
