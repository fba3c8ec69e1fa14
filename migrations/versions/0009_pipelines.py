"""Pipelines, the apps in them, and what was promoted."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "pipelines",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("owner_id", ID, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_pipelines"),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name="fk_pipelines_owner_id_users"),
        sqlite_autoincrement=True,
    )
    op.create_index("uq_pipelines_owner_id_name", "pipelines", ["owner_id", "name"], unique=True)
    op.create_table(
        "couplings",
        sa.Column("id", ID, nullable=False),
        sa.Column("pipeline_id", ID, nullable=False),
        sa.Column("app_id", ID, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_couplings"),
        sa.ForeignKeyConstraint(["pipeline_id"], ["pipelines.id"], name="fk_couplings_pipeline_id_pipelines"),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_couplings_app_id_apps"),
        sqlite_autoincrement=True,
    )
    op.create_index("uq_couplings_app_id", "couplings", ["app_id"], unique=True)
    op.create_index("ix_couplings_pipeline_id", "couplings", ["pipeline_id"])
    op.create_table(
        "promotions",
        sa.Column("id", ID, nullable=False),
        sa.Column("pipeline_id", ID, nullable=False),
        sa.Column("app_id", ID, nullable=False),
        sa.Column("release_id", ID, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_promotions"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "promotion_targets",
        sa.Column("id", ID, nullable=False),
        sa.Column("promotion_id", ID, nullable=False),
        sa.Column("app_id", ID, nullable=False),
        sa.Column("release_id", ID),
        sa.Column("error", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_promotion_targets"),
        sa.ForeignKeyConstraint(
            ["promotion_id"], ["promotions.id"], name="fk_promotion_targets_promotion_id_promotions"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_promotion_targets_promotion_id", "promotion_targets", ["promotion_id"])


def downgrade() -> None:
    for table in ("promotion_targets", "promotions", "couplings", "pipelines"):
        op.drop_table(table)
