"""The tables as they are now. How they came to be is in migrations/; a test keeps the two equal."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    false,
    text,
)

from wherry.ledger.columns import ID, FreeText, Instant, Json

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


def _table(name: str, *parts: Column[object] | Index) -> Table:
    # Ids name repositories, logs and images outside the database, so none may come back after a removal.
    return Table(name, metadata, *parts, sqlite_autoincrement=True)


users = _table(
    "users",
    Column("id", ID, primary_key=True),
    Column("email", Text, nullable=False),
    Column("email_key", Text, nullable=False),  # lower case: one person, one account
    Column("admin", Boolean, nullable=False),
    Column("name", FreeText),
    Column("created_at", Instant),  # none: before it was kept
    Column("invited_by", Text),  # the address of who vouches for this one; none: the platform's admin
    Column("removed_at", Instant),
    Index("uq_users_email_key", "email_key", unique=True),
)

# What opens a door for a user, by its digest: tokens, one-time links, sessions of the portal.
credentials = _table(
    "credentials",
    Column("id", ID, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("user_id", ID, ForeignKey("users.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("description", FreeText, nullable=False),
    Column("scopes", Json),  # none: all
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Index("uq_credentials_digest", "digest", unique=True),
    Index("ix_credentials_user_id_kind", "user_id", "kind"),
)

apps = _table(
    "apps",
    Column("id", ID, primary_key=True),
    Column("name", Text, nullable=False),
    Column("owner_id", ID, ForeignKey("users.id"), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("removed_at", Instant),
    Column("deploy_branch", Text),
    Column("build_settings", Json),  # none for those of a new app
    Column("maintenance", Boolean, nullable=False, server_default=false()),
    Column("last_release", Integer, nullable=False, server_default=text("0")),
    Column("data_key", LargeBinary),  # sealed by the master key; gone once the app is removed
    Column("config", LargeBinary),  # sealed by the data key
    Index(
        "uq_apps_name_living",
        "name",
        unique=True,
        sqlite_where=text("removed_at IS NULL"),
        postgresql_where=text("removed_at IS NULL"),
    ),
)

tombstones = Table(
    "tombstones",
    metadata,
    Column("name", Text, primary_key=True),
    Column("app_id", ID, ForeignKey("apps.id"), primary_key=True),
    Column("freed_at", Instant, nullable=False),
)

formation = Table(
    "formation",
    metadata,
    Column("app_id", ID, ForeignKey("apps.id"), primary_key=True),
    Column("type", Text, primary_key=True),
    Column("quantity", Integer, nullable=False),
    Column("size", Text, nullable=False),
    Column("autoscale", Json),  # none: its quantity is set
)

builds = _table(
    "builds",
    Column("id", ID, primary_key=True),
    Column("app_id", ID, ForeignKey("apps.id"), nullable=False),
    Column("actor_id", ID, ForeignKey("users.id"), nullable=False),
    Column("branch", FreeText, nullable=False),
    Column("previous", Text, nullable=False),
    Column("commit", Text, nullable=False),
    Column("tree", Text, nullable=False),
    Column("archive", FreeText, nullable=False),
    Column("status", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Column("image_repository", Text),
    Column("image_digest", Text),
    Column("image_processes", Json),
    Column("image_starts", Json),  # none: as buildpacks' images do
    Column("app_json", Json),  # what of it we use; none for none
    Column("failure", Text, nullable=False),
    Column("message", FreeText, nullable=False),
    Index("ix_builds_app_id_id", "app_id", "id"),
)

releases = _table(
    "releases",
    Column("id", ID, primary_key=True),
    Column("app_id", ID, ForeignKey("apps.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("actor_id", ID, ForeignKey("users.id"), nullable=False),
    Column("description", FreeText, nullable=False),
    Column("status", Text, nullable=False),
    Column("image_repository", Text, nullable=False),
    Column("image_digest", Text, nullable=False),
    Column("image_processes", Json, nullable=False),
    Column("image_starts", Json),
    Column("app_json", Json),
    Column("config", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("build_id", ID, ForeignKey("builds.id")),
    Column("commit", Text, nullable=False),
    Column("finished_at", Instant),
    Column("failure", Text, nullable=False),
    Column("message", FreeText, nullable=False),
    Column("formation", Json),  # none in releases of older versions, as the next
    Column("build_settings", Json),
    Index("uq_releases_app_id_number", "app_id", "number", unique=True),
    Index("ix_releases_build_id", "build_id"),
)

jobs = _table(
    "jobs",
    Column("id", ID, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("subject", ID, nullable=False),
    Column("lane", Text, nullable=False),
    Column("attempt", Integer, nullable=False, server_default=text("0")),
    Column("fence", Integer, nullable=False, server_default=text("0")),
    Column("faults", Integer, nullable=False, server_default=text("0")),
    Column("worker", Text),
    Column("lease_clock", Text),  # which clock the two below were read from; see leases.py
    Column("lease_until", Float(53)),
    Column("lease_length", Float(53)),
    Index("ix_jobs_lane", "lane"),
    Index("ix_jobs_subject_kind", "subject", "kind"),
)

events = _table(
    "events",
    Column("id", ID, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("actor", FreeText, nullable=False),
    Column("app", FreeText, nullable=False),
    Column("app_id", ID, ForeignKey("apps.id")),
    Column("action", Text, nullable=False),
    Column("before", Json, nullable=False),
    Column("after", Json, nullable=False),
    Column("origin", FreeText, nullable=False),
    Column("hash", Text, nullable=False, server_default=text("''")),  # of this row and of the one before it
    Index("ix_events_app_id_id", "app_id", "id"),
    Index("ix_events_app_then_id", "app", "id"),
    Index("ix_events_app_id_action_at", "app_id", "action", "at"),
)

one_offs = _table(
    "one_offs",
    Column("id", ID, primary_key=True),
    Column("app_id", ID, ForeignKey("apps.id"), nullable=False),
    Column("actor_id", ID, ForeignKey("users.id"), nullable=False),
    Column("release", Integer, nullable=False),
    Column("type", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("size", Text, nullable=False),
    Column("asked", LargeBinary, nullable=False),  # command and environment, sealed by the app's data key
    Column("attach", Boolean, nullable=False),
    Column("tty", Boolean, nullable=False),
    Column("inside", Text, nullable=False),
    Column("digest", Text),  # of the word that attaches to it, until it was used
    Column("created_at", Instant, nullable=False),
    Column("until", Instant, nullable=False),
    Index("uq_one_offs_app_id_number", "app_id", "number", unique=True),
    Index("uq_one_offs_digest", "digest", unique=True),
)

# Holds no rows: on PostgreSQL, every transaction that writes locks it first (see engine.py).
turns = Table("turns", metadata, Column("id", Integer, primary_key=True))
