"""How an app asks to be built."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("apps", sa.Column("build_settings", sa.Text))


def downgrade() -> None:
    op.drop_column("apps", "build_settings")
