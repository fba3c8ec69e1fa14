"""Wishes that processes be restarted, and apps in maintenance."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("apps", sa.Column("maintenance", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_table(
        "restarts",
        sa.Column("id", ID, nullable=False),
        sa.Column("app_id", ID, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("process", sa.Integer, nullable=False),
        sa.Column("stop_first", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_restarts"),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_restarts_app_id_apps"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_restarts_app_id", "restarts", ["app_id"])


def downgrade() -> None:
    op.drop_table("restarts")
    op.drop_column("apps", "maintenance")
