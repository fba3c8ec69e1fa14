"""Where the logs of apps are sent on to."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "drains",
        sa.Column("id", ID, nullable=False),
        sa.Column("app_id", ID, nullable=False),
        sa.Column("token", sa.Text, nullable=False),
        sa.Column("url", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_drains"),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_drains_app_id_apps"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_drains_app_id", "drains", ["app_id"])


def downgrade() -> None:
    op.drop_table("drains")
