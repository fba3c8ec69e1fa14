"""Tokens get an id and scopes, and share their table with links and sessions; users a name, and an end."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
USERS = {"name": sa.Text, "created_at": sa.BigInteger, "invited_by": sa.Text, "removed_at": sa.BigInteger}


def upgrade() -> None:
    for name, kind in USERS.items():
        op.add_column("users", sa.Column(name, kind))
    op.create_table(
        "credentials",
        sa.Column("id", ID, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("scopes", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_credentials"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_credentials_user_id_users"),
        sqlite_autoincrement=True,
    )
    op.create_index("uq_credentials_digest", "credentials", ["digest"], unique=True)
    op.create_index("ix_credentials_user_id_kind", "credentials", ["user_id", "kind"])
    kept = "digest, user_id, kind, description, created_at, expires_at"
    op.execute(f"INSERT INTO credentials ({kept}, updated_at) SELECT {kept}, created_at FROM tokens")  # noqa: S608
    op.drop_table("tokens")


def downgrade() -> None:
    """Scoped tokens and sessions go: the version before would take them for whole ones."""
    op.create_table(
        "tokens",
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("digest", name="pk_tokens"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_tokens_user_id"),
    )
    op.create_index("ix_tokens_user_id", "tokens", ["user_id"])
    kept = "digest, user_id, kind, description, created_at, expires_at"
    whole = "scopes IS NULL AND kind <> 'session'"
    op.execute(f"INSERT INTO tokens ({kept}) SELECT {kept} FROM credentials WHERE {whole}")  # noqa: S608
    op.drop_table("credentials")
    for name in reversed(USERS):
        op.drop_column("users", name)
