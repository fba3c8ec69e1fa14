"""Custom domains of apps."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "domains",
        sa.Column("id", ID, nullable=False),
        sa.Column("app_id", ID, nullable=False),
        sa.Column("owner_id", ID, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("verified_at", sa.BigInteger),
        sa.Column("checked_at", sa.BigInteger),
        sa.Column("reason", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_domains"),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_domains_app_id_apps"),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name="fk_domains_owner_id_users"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_domains_app_id", "domains", ["app_id"])
    op.create_index("ix_domains_name", "domains", ["name"])


def downgrade() -> None:
    op.drop_table("domains")
