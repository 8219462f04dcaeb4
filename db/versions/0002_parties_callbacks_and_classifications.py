"""Parties, consultations, call-backs, classifications, what is known of a caller, shifts and rosters. Only adds."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

UTC_TIME = sa.DateTime(timezone=True)


def _added() -> dict[str, tuple[sa.Column[Any], ...]]:
    """The columns that tables get, made anew each time: a column belongs to one table only."""
    return {
        "calls": (
            sa.Column("direction", sa.String(32), server_default="inbound", nullable=False),
            sa.Column("callback_of", sa.String(160), nullable=True),
            sa.Column("classification", sa.String(32), nullable=True),
            sa.Column("classified_at", UTC_TIME, nullable=True),
            sa.Column("classified_by", sa.String(128), nullable=True),
            sa.Column("prank_score", sa.Double(), nullable=True),
            sa.Column("prank_flagged", sa.Boolean(), nullable=True),
            sa.Column("prank_warned", sa.Boolean(), nullable=True),
            sa.Column("prank_later_seconds", sa.Double(), nullable=True),
            sa.Column("prank_reason_id", sa.Text(), nullable=True),
            sa.Column("prank_reason_en", sa.Text(), nullable=True),
            sa.Column("caller_calls", sa.Integer(), nullable=True),
            sa.Column("caller_pranks", sa.Integer(), nullable=True),
            sa.Column("caller_confirmed", sa.Integer(), nullable=True),
            sa.Column("caller_spoke_at", UTC_TIME, nullable=True),
        ),
        "offers": (
            sa.Column("purpose", sa.String(32), server_default="person", nullable=False),
            sa.Column("reason", sa.String(200), server_default=sa.text("''"), nullable=False),
            sa.Column("spoke_at", UTC_TIME, nullable=True),
            sa.Column("left_at", UTC_TIME, nullable=True),
            sa.Column("left_reason", sa.String(32), nullable=True),
        ),
        "operators": (
            sa.Column("number", sa.String(32), server_default=sa.text("''"), nullable=False),
            sa.Column("agency", sa.String(64), server_default=sa.text("''"), nullable=False),
        ),
    }


def _of_call(table: str, key: str = "calls.call_id") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["call_id"], [key], name=f"fk_{table}_call_id", ondelete="CASCADE")


def upgrade() -> None:
    for table, columns in _added().items():
        for column in columns:
            op.add_column(table, column)
    op.create_index("ix_calls_classification", "calls", ["centre_id", "classification", "arrived_at"], unique=False)
    op.create_index("ix_calls_direction", "calls", ["centre_id", "direction", "arrived_at"], unique=False)
    op.create_index("ix_calls_callback_of", "calls", ["callback_of"], unique=False)
    op.create_table(
        "parties",
        sa.Column("call_id", sa.String(160), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("centre_id", sa.String(31), nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("kind", sa.String(32), nullable=True),
        sa.Column("mode", sa.String(32), nullable=True),
        sa.Column("operator_id", sa.String(64), nullable=True),
        sa.Column("sought_at", UTC_TIME, nullable=False),
        sa.Column("offer_id", sa.String(160), nullable=True),
        sa.Column("destination", sa.String(128), nullable=True),
        sa.Column("joined_at", UTC_TIME, nullable=True),
        sa.Column("three_way", sa.Boolean(), nullable=True),
        sa.Column("spoke_at", UTC_TIME, nullable=True),
        sa.Column("gone_at", UTC_TIME, nullable=True),
        sa.Column("reason", sa.String(32), nullable=True),
        _of_call("parties"),
        sa.PrimaryKeyConstraint("call_id", "seq", "position", name="pk_parties"),
    )
    op.create_index("ix_parties_sought", "parties", ["centre_id", "kind", "sought_at"], unique=False)
    op.create_table(
        "consultations",
        sa.Column("call_id", sa.String(160), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("centre_id", sa.String(31), nullable=False),
        sa.Column("offer_id", sa.String(160), nullable=True),
        sa.Column("operator_id", sa.String(64), nullable=True),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("began_at", UTC_TIME, nullable=False),
        sa.Column("ended_at", UTC_TIME, nullable=True),
        _of_call("consultations"),
        sa.PrimaryKeyConstraint("call_id", "number", name="pk_consultations"),
    )
    op.create_index("ix_consultations_centre_id", "consultations", ["centre_id"], unique=False)
    op.create_table(
        "challenges",
        sa.Column("call_id", sa.String(160), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("centre_id", sa.String(31), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("at", UTC_TIME, nullable=False),
        sa.Column("answered_at", UTC_TIME, nullable=True),
        _of_call("challenges"),
        sa.PrimaryKeyConstraint("call_id", "seq", "position", name="pk_challenges"),
    )
    op.create_index("ix_challenges_centre_id", "challenges", ["centre_id"], unique=False)
    op.create_table(
        "classifications",
        sa.Column("call_id", sa.String(160), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("centre_id", sa.String(31), nullable=False),
        sa.Column("at", UTC_TIME, nullable=False),
        sa.Column("classification", sa.String(32), nullable=False),
        sa.Column("by", sa.String(128), nullable=False),
        sa.Column("operator_id", sa.String(64), nullable=True),
        _of_call("classifications"),
        sa.PrimaryKeyConstraint("call_id", "seq", "position", name="pk_classifications"),
    )
    op.create_index("ix_classifications_at", "classifications", ["centre_id", "at"], unique=False)
    op.create_table(
        "callbacks",
        sa.Column("call_id", sa.String(160), nullable=False),
        sa.Column("centre_id", sa.String(31), nullable=False),
        sa.Column("number", sa.String(32), nullable=False),
        sa.Column("opened_at", UTC_TIME, nullable=False),
        sa.Column("deadline", UTC_TIME, nullable=False),
        sa.Column("owner_id", sa.String(64), nullable=True),
        sa.Column("assigned_at", UTC_TIME, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("closed_at", UTC_TIME, nullable=True),
        sa.Column("outcome", sa.String(32), nullable=True),
        sa.Column("closed_by", sa.String(160), nullable=True),
        _of_call("callbacks"),
        sa.PrimaryKeyConstraint("call_id", name="pk_callbacks"),
    )
    op.create_index("ix_callbacks_open", "callbacks", ["centre_id", "closed_at", "deadline", "call_id"], unique=False)
    op.create_index("ix_callbacks_opened", "callbacks", ["centre_id", "opened_at", "call_id"], unique=False)
    op.create_index("ix_callbacks_owner", "callbacks", ["owner_id", "opened_at"], unique=False)
    op.create_table(
        "callback_attempts",
        sa.Column("call_id", sa.String(160), nullable=False),
        sa.Column("attempt_id", sa.String(160), nullable=False),
        sa.Column("centre_id", sa.String(31), nullable=False),
        sa.Column("operator_id", sa.String(128), nullable=False),
        sa.Column("begun_at", UTC_TIME, nullable=False),
        _of_call("callback_attempts", "callbacks.call_id"),
        sa.PrimaryKeyConstraint("call_id", "attempt_id", name="pk_callback_attempts"),
    )
    op.create_index("ix_callback_attempts_centre_id", "callback_attempts", ["centre_id"], unique=False)
    op.create_table(
        "shift_starts",
        sa.Column("centre_id", sa.String(31), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("shift", sa.String(128), nullable=False),
        sa.Column("began_at", UTC_TIME, nullable=False),
        sa.Column("until", UTC_TIME, nullable=False),
        sa.Column("expected", sa.JSON(), nullable=False),
        sa.Column("present", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("centre_id", "seq", "position", name="pk_shift_starts"),
    )
    op.create_index("ix_shift_starts_began", "shift_starts", ["centre_id", "began_at"], unique=False)
    op.create_table(
        "roster_versions",
        sa.Column("centre_id", sa.String(31), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("applied_at", UTC_TIME, nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("centre_id", "seq", name="pk_roster_versions"),
    )


def downgrade() -> None:
    for table in (
        "roster_versions",
        "shift_starts",
        "callback_attempts",
        "callbacks",
        "classifications",
        "challenges",
        "consultations",
        "parties",
    ):
        op.drop_table(table)
    for index in ("ix_calls_callback_of", "ix_calls_direction", "ix_calls_classification"):
        op.drop_index(index, "calls")
    for table, columns in reversed(_added().items()):
        for column in reversed(columns):
            op.drop_column(table, column.name)
