"""Releases keep the formation and the build settings that they were made with."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

COLUMNS = ("formation", "build_settings")


def upgrade() -> None:
    for name in COLUMNS:
        op.add_column("releases", sa.Column(name, sa.Text))


def downgrade() -> None:
    for name in reversed(COLUMNS):
        op.drop_column("releases", name)
