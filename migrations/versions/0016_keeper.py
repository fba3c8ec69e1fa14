"""A job that never ends says which worker keeps the platform. Workers ask for it; an earlier version does not know it."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    op.execute("DELETE FROM jobs WHERE kind = 'keep'")
