"""Calls, operators, what centres changed, people, and how far the journal was read."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

UTC_TIME = sa.DateTime(timezone=True)
ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "access_log",
        sa.Column("id", ROW_NUMBER, autoincrement=True, nullable=False),
        sa.Column("centre_id", sa.String(31), nullable=False),
        sa.Column("at", UTC_TIME, nullable=False),
        sa.Column("who", sa.String(128), nullable=False),
        sa.Column("what", sa.String(128), nullable=False),
        sa.Column("call_id", sa.String(160), nullable=True),
        sa.Column("purpose", sa.String(500), nullable=False),
        sa.Column("writer", sa.String(31), nullable=True),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_access_log"),
        sa.UniqueConstraint("writer", "seq", name="uq_access_log_writer_seq"),
    )
    op.create_index("ix_access_log_at", "access_log", ["centre_id", "at"], unique=False)
    op.create_index("ix_access_log_call", "access_log", ["call_id", "at"], unique=False)
    op.create_table(
        "alarms",
        sa.Column("centre_id", sa.String(31), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("raised_at", UTC_TIME, nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("cleared_at", UTC_TIME, nullable=True),
        sa.PrimaryKeyConstraint("centre_id", "kind", "subject", "raised_at", name="pk_alarms"),
    )
    op.create_index("ix_alarms_standing", "alarms", ["centre_id", "cleared_at"], unique=False)
    op.create_table(
        "calls",
        sa.Column("call_id", sa.String(160), nullable=False),
        sa.Column("centre_id", sa.String(31), nullable=False),
        sa.Column("arrived_at", UTC_TIME, nullable=False),
        sa.Column("caller_number", sa.String(32), nullable=True),
        sa.Column("caller_raw", sa.String(128), nullable=False),
        sa.Column("dialled", sa.String(128), nullable=False),
        sa.Column("trunk", sa.String(128), nullable=False),
        sa.Column("stage", sa.String(32), nullable=True),
        sa.Column("tier", sa.String(64), nullable=True),
        sa.Column("skill", sa.String(64), nullable=True),
        sa.Column("flow_version", sa.Integer(), nullable=True),
        sa.Column("queued_at", UTC_TIME, nullable=True),
        sa.Column("answered_at", UTC_TIME, nullable=True),
        sa.Column("operator_id", sa.String(64), nullable=True),
        sa.Column("destination", sa.String(128), nullable=True),
        sa.Column("ended_at", UTC_TIME, nullable=True),
        sa.Column("ended_by", sa.String(32), nullable=True),
        sa.Column("cause", sa.Integer(), nullable=True),
        sa.Column("fallback", sa.Boolean(), nullable=False),
        sa.Column("handed_back_at", UTC_TIME, nullable=True),
        sa.Column("handed_back_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("call_id", name="pk_calls"),
    )
    op.create_index("ix_calls_arrived", "calls", ["centre_id", "arrived_at", "call_id"], unique=False)
    op.create_index("ix_calls_caller", "calls", ["caller_number", "arrived_at"], unique=False)
    op.create_index("ix_calls_operator", "calls", ["operator_id", "arrived_at"], unique=False)
    op.create_index("ix_calls_stage", "calls", ["centre_id", "stage", "arrived_at"], unique=False)
    op.create_table(
        "flow_versions",
        sa.Column("centre_id", sa.String(31), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("published_by", sa.String(128), nullable=False),
        sa.Column("published_at", UTC_TIME, nullable=False),
        sa.PrimaryKeyConstraint("centre_id", "version", name="pk_flow_versions"),
    )
    op.create_table(
        "operator_states",
        sa.Column("operator_id", sa.String(64), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("centre_id", sa.String(31), nullable=False),
        sa.Column("at", UTC_TIME, nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("reason", sa.String(128), nullable=False),
        sa.Column("online", sa.Boolean(), nullable=False),
        sa.Column("call_id", sa.String(160), nullable=True),
        sa.PrimaryKeyConstraint("operator_id", "seq", "position", name="pk_operator_states"),
    )
    op.create_index("ix_operator_states_at", "operator_states", ["centre_id", "operator_id", "at"], unique=False)
    op.create_table(
        "operators",
        sa.Column("centre_id", sa.String(31), nullable=False),
        sa.Column("operator_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("endpoint", sa.String(128), nullable=False),
        sa.Column("skills", sa.JSON(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("reason", sa.String(128), nullable=False),
        sa.Column("online", sa.Boolean(), nullable=False),
        sa.Column("call_id", sa.String(160), nullable=True),
        sa.Column("since", UTC_TIME, nullable=False),
        sa.PrimaryKeyConstraint("centre_id", "operator_id", name="pk_operators"),
    )
    op.create_table(
        "projection_faults",
        sa.Column("chain_id", sa.String(32), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("centre_id", sa.String(31), nullable=False),
        sa.Column("at", UTC_TIME, nullable=False),
        sa.Column("fault", sa.String(128), nullable=False),
        sa.PrimaryKeyConstraint("chain_id", "seq", name="pk_projection_faults"),
    )
    op.create_index("ix_projection_faults_centre_id", "projection_faults", ["centre_id"], unique=False)
    op.create_table(
        "projector_positions",
        sa.Column("chain_id", sa.String(32), nullable=False),
        sa.Column("centre_id", sa.String(31), nullable=False),
        sa.Column("writer", sa.String(31), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("moved_at", UTC_TIME, nullable=False),
        sa.PrimaryKeyConstraint("chain_id", name="pk_projector_positions"),
    )
    op.create_index("ix_projector_positions_centre_id", "projector_positions", ["centre_id"], unique=False)
    op.create_table(
        "settings_versions",
        sa.Column("centre_id", sa.String(31), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("applied_at", UTC_TIME, nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("centre_id", "seq", name="pk_settings_versions"),
    )
    op.create_table(
        "users",
        sa.Column("id", ROW_NUMBER, autoincrement=True, nullable=False),
        sa.Column("centre_id", sa.String(31), nullable=False),
        sa.Column("login", sa.String(64), nullable=False),
        sa.Column("password_hash", sa.String(255), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("operator_id", sa.String(64), nullable=True),
        sa.Column("session_version", sa.Integer(), nullable=False),
        sa.Column("created_at", UTC_TIME, nullable=False),
        sa.Column("changed_at", UTC_TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("centre_id", "login", name="uq_users_centre_id_login"),
    )
    op.create_index("ix_users_centre_id", "users", ["centre_id"], unique=False)
    op.create_table(
        "call_steps",
        sa.Column("call_id", sa.String(160), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("centre_id", sa.String(31), nullable=False),
        sa.Column("flow_version", sa.Integer(), nullable=False),
        sa.Column("node", sa.String(128), nullable=False),
        sa.Column("exit", sa.String(128), nullable=False),
        sa.Column("keys", sa.String(64), nullable=False),
        sa.Column("entered_at", UTC_TIME, nullable=False),
        sa.Column("left_at", UTC_TIME, nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.call_id"], name="fk_call_steps_call_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("call_id", "seq", "position", name="pk_call_steps"),
    )
    op.create_index("ix_call_steps_centre_id", "call_steps", ["centre_id"], unique=False)
    op.create_table(
        "offers",
        sa.Column("offer_id", sa.String(160), nullable=False),
        sa.Column("call_id", sa.String(160), nullable=False),
        sa.Column("centre_id", sa.String(31), nullable=False),
        sa.Column("operator_id", sa.String(64), nullable=True),
        sa.Column("destination", sa.String(128), nullable=True),
        sa.Column("made_at", UTC_TIME, nullable=False),
        sa.Column("connected_at", UTC_TIME, nullable=True),
        sa.Column("closed_at", UTC_TIME, nullable=True),
        sa.Column("outcome", sa.String(32), nullable=True),
        sa.Column("cause", sa.Integer(), nullable=True),
        sa.Column("lost_at", UTC_TIME, nullable=True),
        sa.Column("lost_cause", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["call_id"], ["calls.call_id"], name="fk_offers_call_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("offer_id", name="pk_offers"),
    )
    op.create_index("ix_offers_call", "offers", ["call_id", "made_at"], unique=False)
    op.create_index("ix_offers_centre_id", "offers", ["centre_id"], unique=False)
    op.create_index("ix_offers_operator", "offers", ["operator_id", "made_at"], unique=False)
    op.create_table(
        "queue_entries",
        sa.Column("call_id", sa.String(160), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("centre_id", sa.String(31), nullable=False),
        sa.Column("queued_at", UTC_TIME, nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("tier", sa.String(64), nullable=False),
        sa.Column("skill", sa.String(64), nullable=True),
        sa.Column("left_at", UTC_TIME, nullable=True),
        sa.Column("left_reason", sa.String(32), nullable=True),
        sa.ForeignKeyConstraint(["call_id"], ["calls.call_id"], name="fk_queue_entries_call_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("call_id", "seq", "position", name="pk_queue_entries"),
    )
    op.create_index("ix_queue_entries_queued", "queue_entries", ["centre_id", "queued_at"], unique=False)
    op.create_table(
        "recordings",
        sa.Column("call_id", sa.String(160), nullable=False),
        sa.Column("name", sa.String(16), nullable=False),
        sa.Column("centre_id", sa.String(31), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("stored_at", UTC_TIME, nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.call_id"], name="fk_recordings_call_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("call_id", "name", name="pk_recordings"),
    )
    op.create_index("ix_recordings_centre_id", "recordings", ["centre_id"], unique=False)
    op.create_table(
        "trunk_headers",
        sa.Column("call_id", sa.String(160), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("centre_id", sa.String(31), nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.call_id"], name="fk_trunk_headers_call_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("call_id", "position", name="pk_trunk_headers"),
    )
    op.create_index("ix_trunk_headers_centre_id", "trunk_headers", ["centre_id"], unique=False)


def downgrade() -> None:
    op.drop_table("trunk_headers")
    op.drop_table("recordings")
    op.drop_table("queue_entries")
    op.drop_table("offers")
    op.drop_table("call_steps")
    op.drop_table("users")
    op.drop_table("settings_versions")
    op.drop_table("projector_positions")
    op.drop_table("projection_faults")
    op.drop_table("operators")
    op.drop_table("operator_states")
    op.drop_table("flow_versions")
    op.drop_table("calls")
    op.drop_table("alarms")
    op.drop_table("access_log")
