"""Roles that people have on apps of others."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "collaborators",
        sa.Column("id", ID, nullable=False),
        sa.Column("app_id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("roles", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_collaborators"),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_collaborators_app_id_apps"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_collaborators_user_id_users"),
        sqlite_autoincrement=True,
    )
    op.create_index("uq_collaborators_app_id_user_id", "collaborators", ["app_id", "user_id"], unique=True)
    op.create_index("ix_collaborators_user_id", "collaborators", ["user_id"])


def downgrade() -> None:
    op.drop_table("collaborators")
