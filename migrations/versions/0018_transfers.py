"""Offers of apps to other owners."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "transfers",
        sa.Column("id", ID, nullable=False),
        sa.Column("app_id", ID, nullable=False),
        sa.Column("owner_id", ID, nullable=False),
        sa.Column("recipient_id", ID, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_transfers"),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_transfers_app_id"),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name="fk_transfers_owner_id"),
        sa.ForeignKeyConstraint(["recipient_id"], ["users.id"], name="fk_transfers_recipient_id"),
        sqlite_autoincrement=True,
    )
    for column in ("app_id", "owner_id", "recipient_id"):
        op.create_index(f"ix_transfers_{column}", "transfers", [column])


def downgrade() -> None:
    op.drop_table("transfers")
