"""Brings a database to the tables that this version needs."""

from __future__ import annotations

from pathlib import Path
from threading import Lock

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, text

import wherry
from wherry.domain.errors import PlatformFault
from wherry.ledger import floor
from wherry.ledger.engine import READ_ONLY
from wherry.ledger.errors import translated

_ALEMBIC = Lock()  # it keeps what it works on in globals
_LOCK = 0x77686572  # any number that all our processes take


def migrate(engine: Engine) -> None:
    """To the newest revision, in one transaction; nothing where it is there already, or beyond: what a newer version has
    written is left as it is when this one can work with it. Safe in several processes at once.

    Raises PlatformFault for a database that is too new for this version, and for a damaged one.
    """
    script = ScriptDirectory(str(migrations_folder()))
    with translated(), engine.connect().execution_options(**{READ_ONLY: True}) as connection:
        _refuse_damaged(connection)
        if _serves_as_it_is(script, connection):
            return
    with translated(), engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            # To see, after the wait for the lock, what the one before us did.
            connection.execution_options(isolation_level="READ COMMITTED")
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        if _serves_as_it_is(script, connection):
            return
        with _ALEMBIC:
            command.upgrade(alembic_config(connection), "head")
        floor.keep(connection, floor.floor_of(script))
        connection.commit()


def alembic_config(connection: Connection) -> Config:
    """Alembic's settings for commands on an open connection, whose transaction they take part in."""
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def migrations_folder() -> Path:
    """In a wheel beside the package's files, in a checkout at its root. Raises PlatformFault when neither is there."""
    package = Path(wherry.__file__).resolve().parent
    for folder in (package / "_files" / "migrations", package.parents[1] / "migrations"):
        if (folder / "env.py").is_file():
            return folder
    raise PlatformFault("this installation lacks its migrations", hint="pip install --force-reinstall 'wherry[server]'")


def _refuse_damaged(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        return
    found = [str(row[0]) for row in connection.execute(text("PRAGMA quick_check(3)"))]
    if found != ["ok"]:
        raise PlatformFault(
            "the database file is damaged",
            evidence=found,
            hint="Restore the newest backup of the database, then start again.",
        )


def _serves_as_it_is(script: ScriptDirectory, connection: Connection) -> bool:
    """Raises PlatformFault for a database that is too new."""
    current = MigrationContext.configure(connection).get_current_revision()
    if current is None or _knows(script, current):
        return current == script.get_current_head()
    oldest = floor.read(connection)
    if oldest is None or not _knows(script, oldest):
        raise PlatformFault(
            f"the database is at revision {current}, which this version of Wherry does not know",
            hint="Install the version that wrote it, or a newer one; or restore a backup from before.",
        )
    return True


def _knows(script: ScriptDirectory, revision: str) -> bool:
    try:
        script.get_revision(revision)
    except CommandError:
        return False
    return True
