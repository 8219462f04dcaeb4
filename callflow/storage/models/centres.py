"""What a centre changed and when: flows, settings, rosters, and the alarms that stood."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from callflow.core.centre_facts import AlarmKind
from callflow.storage.models.base import Base, Line, Name, Prose, Seq, by_value


class FlowVersion(Base):
    """A flow as it was published; `document` is its JSON text."""

    __tablename__ = "flow_versions"

    centre_id: Mapped[str] = mapped_column(Line(31), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    document: Mapped[str] = mapped_column(Prose())
    published_by: Mapped[Name]
    published_at: Mapped[datetime]


class SettingsVersion(Base):
    """The centre's settings as they came into force."""

    __tablename__ = "settings_versions"

    centre_id: Mapped[str] = mapped_column(Line(31), primary_key=True)
    seq: Mapped[Seq] = mapped_column(primary_key=True, autoincrement=False)
    applied_at: Mapped[datetime]
    document: Mapped[dict[str, Any]] = mapped_column(JSON)


class RosterVersion(Base):
    """The centre's roster as it came into force."""

    __tablename__ = "roster_versions"

    centre_id: Mapped[str] = mapped_column(Line(31), primary_key=True)
    seq: Mapped[Seq] = mapped_column(primary_key=True, autoincrement=False)
    applied_at: Mapped[datetime]
    document: Mapped[dict[str, Any]] = mapped_column(JSON)


class Alarm(Base):
    """One alarm, from its rise to its end; `cleared_at` None while it stands."""

    __tablename__ = "alarms"
    __table_args__ = (Index("ix_alarms_standing", "centre_id", "cleared_at"),)

    centre_id: Mapped[str] = mapped_column(Line(31), primary_key=True)
    kind: Mapped[AlarmKind] = mapped_column(by_value(AlarmKind), primary_key=True)
    subject: Mapped[str] = mapped_column(Line(200), primary_key=True)
    raised_at: Mapped[datetime] = mapped_column(primary_key=True)
    detail: Mapped[str] = mapped_column(Prose())
    cleared_at: Mapped[datetime | None]
