"""Why a call has no recording. Only adds."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("calls", sa.Column("no_recording", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("calls", "no_recording")
