"""How far the projector has read each chain."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from callflow.storage.models.base import Base, CentreKey, Line, Seq


class ProjectorPosition(Base):
    """The last entry of a chain whose facts are in the database; written in the same transaction as they."""

    __tablename__ = "projector_positions"

    chain_id: Mapped[str] = mapped_column(Line(32), primary_key=True)
    centre_id: Mapped[CentreKey]
    writer: Mapped[str] = mapped_column(Line(31))
    seq: Mapped[Seq]
    moved_at: Mapped[datetime]


class ProjectionFault(Base):
    """An entry whose facts the database refused, a defect of ours: it is passed over, so that later ones go on.

    Attributes:
        fault: the error's class, without its text, which could hold personal data.
    """

    __tablename__ = "projection_faults"

    chain_id: Mapped[str] = mapped_column(Line(32), primary_key=True)
    seq: Mapped[Seq] = mapped_column(primary_key=True)
    centre_id: Mapped[CentreKey]
    at: Mapped[datetime]
    fault: Mapped[str] = mapped_column(Line(128))
