"""One-offs: a command that runs once beside an app's processes."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "one_offs",
        sa.Column("id", ID, nullable=False),
        sa.Column("app_id", ID, nullable=False),
        sa.Column("actor_id", ID, nullable=False),
        sa.Column("release", sa.Integer, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("size", sa.Text, nullable=False),
        sa.Column("asked", sa.LargeBinary, nullable=False),
        sa.Column("attach", sa.Boolean, nullable=False),
        sa.Column("tty", sa.Boolean, nullable=False),
        sa.Column("inside", sa.Text, nullable=False),
        sa.Column("digest", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_one_offs"),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_one_offs_app_id"),
        sa.ForeignKeyConstraint(["actor_id"], ["users.id"], name="fk_one_offs_actor_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("uq_one_offs_app_id_number", "one_offs", ["app_id", "number"], unique=True)
    op.create_index("uq_one_offs_digest", "one_offs", ["digest"], unique=True)


def downgrade() -> None:
    op.drop_table("one_offs")
