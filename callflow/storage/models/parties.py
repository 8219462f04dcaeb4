"""Who was brought into a call beside the operator, or instead of one, and what operator and party said alone."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from callflow.core.facts import PartyEnd, PartyKind, PartyMode
from callflow.storage.models.base import CALL, Base, CallKey, CentreKey, Line, Name, Seq, by_value


class Party(Base):
    """One bringing-in of a party, in the order of (seq, position); the phones that were tried for it are offers.

    Attributes:
        name: `medical`, an agency's name, a colleague's id, or the number.
        kind, mode: None only where the journal's entry about its beginning was lost.
        operator_id: who asked; None = the flow's medical branch.
        offer_id, destination: the leg that was joined last, and whose it was where it is outside.
        joined_at: first moment in one bridge with the caller. three_way: an operator was beside them then.
        spoke_at: first speech; None = nobody there was heard.
        gone_at: when it was there, or sought, no more. reason: why; None = it goes on, or was sought anew.
    """

    __tablename__ = "parties"
    __table_args__ = (Index("ix_parties_sought", "centre_id", "kind", "sought_at"),)

    call_id: Mapped[CallKey] = mapped_column(ForeignKey(CALL, ondelete="CASCADE"), primary_key=True)
    seq: Mapped[Seq] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    centre_id: Mapped[str] = mapped_column(Line(31))
    name: Mapped[Name]
    kind: Mapped[PartyKind | None] = mapped_column(by_value(PartyKind))
    mode: Mapped[PartyMode | None] = mapped_column(by_value(PartyMode))
    operator_id: Mapped[str | None] = mapped_column(Line(64))
    sought_at: Mapped[datetime]
    offer_id: Mapped[str | None] = mapped_column(Line(160))
    destination: Mapped[str | None] = mapped_column(Line(128))
    joined_at: Mapped[datetime | None]
    three_way: Mapped[bool | None]
    spoke_at: Mapped[datetime | None]
    gone_at: Mapped[datetime | None]
    reason: Mapped[PartyEnd | None] = mapped_column(by_value(PartyEnd))


class Consultation(Base):
    """Operator and party alone, the caller with music; the audio is the recording's track `consult-<number>`."""

    __tablename__ = "consultations"

    call_id: Mapped[CallKey] = mapped_column(ForeignKey(CALL, ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    centre_id: Mapped[CentreKey]
    offer_id: Mapped[str | None] = mapped_column(Line(160))
    operator_id: Mapped[str | None] = mapped_column(Line(64))
    name: Mapped[Name]
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
