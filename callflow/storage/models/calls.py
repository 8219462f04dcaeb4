"""A call's record: who, from where, every step, wait and offer, how it ended, and its audio."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, ForeignKey, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from callflow.core.city import Classification
from callflow.core.facts import Direction, HangupParty, LegPurpose, QueueReason, Stage
from callflow.core.states import OfferState
from callflow.storage.models.base import CALL, EMPTY, Base, CallKey, CentreKey, Line, Name, Prose, Seq, by_value


class Call(Base):
    """One citizen's call, or a call of ours to a citizen.

    Attributes:
        callback_of: the abandoned call that an outbound one answers.
        stage: where it ended in the funnel, or of an outbound call how; None while it goes on.
        answered_at: first moment with a person. operator_id, destination: who that person was, at last.
        fallback: the dialplan served it, at least for a while.
        handed_back_at: when we last gave it back to the dialplan; None = never.
        classification: the latest word on what the call was; all of them are in `classifications`.
        prank_score: 0 … 1, as the caller's number was assessed on arrival; None = it was not.
        prank_warned: the warning prompt was due. prank_later_seconds: how much later it stood among equals.
        caller_calls, caller_pranks, caller_confirmed: what the score was made of.
        caller_spoke_at: first speech of the caller's.
        no_recording: why there is no audio of it; None = there is, or it is still to come.
    """

    __tablename__ = "calls"
    __table_args__ = (
        Index("ix_calls_arrived", "centre_id", "arrived_at", "call_id"),
        Index("ix_calls_caller", "caller_number", "arrived_at"),
        Index("ix_calls_stage", "centre_id", "stage", "arrived_at"),
        Index("ix_calls_operator", "operator_id", "arrived_at"),
        Index("ix_calls_classification", "centre_id", "classification", "arrived_at"),
        Index("ix_calls_direction", "centre_id", "direction", "arrived_at"),
        Index("ix_calls_callback_of", "callback_of"),
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
    direction: Mapped[Direction] = mapped_column(
        by_value(Direction), default=Direction.INBOUND, server_default=Direction.INBOUND.value
    )
    callback_of: Mapped[str | None] = mapped_column(Line(160))
    classification: Mapped[Classification | None] = mapped_column(by_value(Classification))
    classified_at: Mapped[datetime | None]
    classified_by: Mapped[str | None] = mapped_column(Line(128))
    prank_score: Mapped[float | None]
    prank_flagged: Mapped[bool | None]
    prank_warned: Mapped[bool | None]
    prank_later_seconds: Mapped[float | None]
    prank_reason_id: Mapped[str | None] = mapped_column(Prose())
    prank_reason_en: Mapped[str | None] = mapped_column(Prose())
    caller_calls: Mapped[int | None] = mapped_column(Integer)
    caller_pranks: Mapped[int | None] = mapped_column(Integer)
    caller_confirmed: Mapped[int | None] = mapped_column(Integer)
    caller_spoke_at: Mapped[datetime | None]
    no_recording: Mapped[str | None] = mapped_column(Prose())


class TrunkHeader(Base):
    """One header of the INVITE that is kept with the call."""

    __tablename__ = "trunk_headers"

    call_id: Mapped[CallKey] = mapped_column(ForeignKey(CALL, ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    centre_id: Mapped[CentreKey]
    name: Mapped[Name]
    value: Mapped[str] = mapped_column(Prose())


class CallStep(Base):
    """One node of the flow that the caller went through, in the order of (seq, position)."""

    __tablename__ = "call_steps"

    call_id: Mapped[CallKey] = mapped_column(ForeignKey(CALL, ondelete="CASCADE"), primary_key=True)
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

    call_id: Mapped[CallKey] = mapped_column(ForeignKey(CALL, ondelete="CASCADE"), primary_key=True)
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
    """One ringing of one phone; `outcome` None while it rings.

    Attributes:
        purpose: for the person who serves the caller, or for a party beside. reason: why this phone, in words.
        connected_at: first moment in one bridge with the caller. lost_at: the leg broke off.
        spoke_at: first speech heard from a party's leg.
        left_at: when an answered leg went while the call goes on, or a party's with the call. `left_reason` is a
            `PartyEnd` of a party's, of an operator's `confirmed` (by key, the party having spoken) or `unconfirmed`.
    """

    __tablename__ = "offers"
    __table_args__ = (
        Index("ix_offers_call", "call_id", "made_at"),
        Index("ix_offers_operator", "operator_id", "made_at"),
    )

    offer_id: Mapped[CallKey] = mapped_column(primary_key=True)
    call_id: Mapped[CallKey] = mapped_column(ForeignKey(CALL, ondelete="CASCADE"))
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
    purpose: Mapped[LegPurpose] = mapped_column(
        by_value(LegPurpose), default=LegPurpose.PERSON, server_default=LegPurpose.PERSON.value
    )
    reason: Mapped[str] = mapped_column(Line(200), default="", server_default=EMPTY)
    spoke_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]
    left_reason: Mapped[str | None] = mapped_column(Line(32))


class Recording(Base):
    """One audio file of a call: `mixed`, `in` (from the caller), `out` (to the caller), or `consult-<n>`."""

    __tablename__ = "recordings"

    call_id: Mapped[CallKey] = mapped_column(ForeignKey(CALL, ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(Line(16), primary_key=True)
    centre_id: Mapped[CentreKey]
    path: Mapped[str] = mapped_column(Prose())
    sha256: Mapped[str] = mapped_column(Line(64))
    bytes: Mapped[Seq]
    seconds: Mapped[float]
    stored_at: Mapped[datetime]
