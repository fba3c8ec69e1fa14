"""How the processes of an image start that buildpacks did not make."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("builds", "releases"):
        op.add_column(table, sa.Column("image_starts", sa.Text))


def downgrade() -> None:
    for table in ("releases", "builds"):
        op.drop_column(table, "image_starts")
