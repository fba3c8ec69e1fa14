"""Cron tasks of apps, and their runs."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "cron_tasks",
        sa.Column("app_id", ID, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("command", sa.Text, nullable=False),
        sa.Column("schedule", sa.Text, nullable=False),
        sa.Column("policy", sa.Text, nullable=False),
        sa.Column("paused", sa.Boolean, nullable=False),
        sa.Column("next_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("app_id", "number", name="pk_cron_tasks"),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_cron_tasks_app_id_apps"),
    )
    op.create_index("ix_cron_tasks_next_at", "cron_tasks", ["next_at"])
    op.create_table(
        "cron_runs",
        sa.Column("id", ID, nullable=False),
        sa.Column("app_id", ID, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("command", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("release", sa.Integer, nullable=False),
        sa.Column("started_at", sa.BigInteger),
        sa.Column("finished_at", sa.BigInteger),
        sa.Column("exit_code", sa.Integer),
        sa.Column("message", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_cron_runs"),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_cron_runs_app_id_apps"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_cron_runs_app_id_id", "cron_runs", ["app_id", "id"])


def downgrade() -> None:
    op.drop_table("cron_runs")
    op.drop_table("cron_tasks")
