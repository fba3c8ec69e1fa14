"""What counts against a job is a fault of ours; until now a restart of its worker counted too."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None
additive = True


def upgrade() -> None:
    op.add_column("jobs", sa.Column("faults", sa.Integer, nullable=False, server_default=sa.text("0")))


def downgrade() -> None:
    op.drop_column("jobs", "faults")
