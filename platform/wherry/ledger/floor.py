"""How old a version may be and still work on the tables: what lets the pods of two versions share a database, and an
upgrade be taken back.

A migration of which the version before need not know says `additive = True`: it takes nothing away, and what it adds to a
table that was there has a default. A database keeps the floor, the newest revision that was not so, since an older version
knows nothing of the migrations that came after its own.
"""

from __future__ import annotations

from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, Table, Text, delete, insert, inspect, select

from wherry.ledger.tables import metadata

schema_floor = Table("schema_floor", metadata, Column("revision", Text, nullable=False))


def floor_of(script: ScriptDirectory) -> str:
    """The oldest revision whose code works on the tables of the newest."""
    return next(each.revision for each in script.walk_revisions() if not is_additive(script, each.revision))


def is_additive(script: ScriptDirectory, revision: str) -> bool:
    return bool(getattr(script.get_revision(revision).module, "additive", False))


def read(connection: Connection) -> str | None:
    """None where no version has kept it yet."""
    if not inspect(connection).has_table(schema_floor.name):
        return None
    return connection.execute(select(schema_floor.c.revision)).scalar()


def keep(connection: Connection, revision: str) -> None:
    connection.execute(delete(schema_floor))
    connection.execute(insert(schema_floor).values(revision=revision))
