"""What an app says about itself in its app.json."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("builds", "releases"):
        op.add_column(table, sa.Column("app_json", sa.Text))


def downgrade() -> None:
    for table in ("releases", "builds"):
        op.drop_column(table, "app_json")
