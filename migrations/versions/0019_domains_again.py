"""The proof of a domain is looked at again, and what is amiss is marked."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

COLUMNS = ("look_at", "missing_since", "doubted_at")


def upgrade() -> None:
    for name in COLUMNS:
        op.add_column("domains", sa.Column(name, sa.BigInteger))


def downgrade() -> None:
    for name in reversed(COLUMNS):
        op.drop_column("domains", name)
