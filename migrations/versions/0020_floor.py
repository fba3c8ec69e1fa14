"""Which version is the oldest that works on these tables (wherry.ledger.floor)."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None
additive = True


def upgrade() -> None:
    op.create_table("schema_floor", sa.Column("revision", sa.Text, nullable=False))


def downgrade() -> None:
    op.drop_table("schema_floor")
