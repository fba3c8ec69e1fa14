"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Only such a column counts up without reuse on SQLite.
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def key(table: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint("id", name=f"pk_{table}")


def points(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}")


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("id", ID, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("email_key", sa.Text, nullable=False),
        sa.Column("admin", sa.Boolean, nullable=False),
        key("users"),
        sqlite_autoincrement=True,
    )
    op.create_index("uq_users_email_key", "users", ["email_key"], unique=True)

    op.create_table(
        "tokens",
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("digest", name="pk_tokens"),
        points("tokens", "user_id", "users"),
    )
    op.create_index("ix_tokens_user_id", "tokens", ["user_id"])

    op.create_table(
        "apps",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("owner_id", ID, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("removed_at", sa.BigInteger),
        sa.Column("deploy_branch", sa.Text),
        sa.Column("last_release", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("data_key", sa.LargeBinary),
        sa.Column("config", sa.LargeBinary),
        key("apps"),
        points("apps", "owner_id", "users"),
        sqlite_autoincrement=True,
    )
    living = sa.text("removed_at IS NULL")
    op.create_index("uq_apps_name_living", "apps", ["name"], unique=True, sqlite_where=living, postgresql_where=living)

    op.create_table(
        "tombstones",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("app_id", ID, nullable=False),
        sa.Column("freed_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", "app_id", name="pk_tombstones"),
        points("tombstones", "app_id", "apps"),
    )

    op.create_table(
        "formation",
        sa.Column("app_id", ID, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("quantity", sa.Integer, nullable=False),
        sa.Column("size", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("app_id", "type", name="pk_formation"),
        points("formation", "app_id", "apps"),
    )

    op.create_table(
        "builds",
        sa.Column("id", ID, nullable=False),
        sa.Column("app_id", ID, nullable=False),
        sa.Column("actor_id", ID, nullable=False),
        sa.Column("branch", sa.Text, nullable=False),
        sa.Column("previous", sa.Text, nullable=False),
        sa.Column("commit", sa.Text, nullable=False),
        sa.Column("tree", sa.Text, nullable=False),
        sa.Column("archive", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("finished_at", sa.BigInteger),
        sa.Column("image_repository", sa.Text),
        sa.Column("image_digest", sa.Text),
        sa.Column("image_processes", sa.Text),
        sa.Column("failure", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        key("builds"),
        points("builds", "app_id", "apps"),
        points("builds", "actor_id", "users"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_builds_app_id_id", "builds", ["app_id", "id"])

    op.create_table(
        "releases",
        sa.Column("id", ID, nullable=False),
        sa.Column("app_id", ID, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("actor_id", ID, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("image_repository", sa.Text, nullable=False),
        sa.Column("image_digest", sa.Text, nullable=False),
        sa.Column("image_processes", sa.Text, nullable=False),
        sa.Column("config", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("build_id", ID),
        sa.Column("commit", sa.Text, nullable=False),
        sa.Column("finished_at", sa.BigInteger),
        sa.Column("failure", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        key("releases"),
        points("releases", "app_id", "apps"),
        points("releases", "actor_id", "users"),
        points("releases", "build_id", "builds"),
        sqlite_autoincrement=True,
    )
    op.create_index("uq_releases_app_id_number", "releases", ["app_id", "number"], unique=True)
    op.create_index("ix_releases_build_id", "releases", ["build_id"])

    op.create_table(
        "jobs",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject", ID, nullable=False),
        sa.Column("lane", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("fence", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("worker", sa.Text),
        sa.Column("lease_clock", sa.Text),
        sa.Column("lease_until", sa.Float(53)),
        sa.Column("lease_length", sa.Float(53)),
        key("jobs"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_jobs_lane", "jobs", ["lane"])
    op.create_index("ix_jobs_subject_kind", "jobs", ["subject", "kind"])

    op.create_table(
        "events",
        sa.Column("id", ID, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("app", sa.Text, nullable=False),
        sa.Column("app_id", ID),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("before", sa.Text, nullable=False),
        sa.Column("after", sa.Text, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        key("events"),
        points("events", "app_id", "apps"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_app_id_id", "events", ["app_id", "id"])
    op.create_index("ix_events_app_then_id", "events", ["app", "id"])

    op.create_table("turns", sa.Column("id", sa.Integer, nullable=False), key("turns"))


def downgrade() -> None:
    for table in (
        "turns",
        "events",
        "jobs",
        "releases",
        "builds",
        "formation",
        "tombstones",
        "apps",
        "tokens",
        "users",
    ):
        op.drop_table(table)
