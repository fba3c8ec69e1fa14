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
from wherry.ledger.engine import READ_ONLY
from wherry.ledger.errors import translated

_ALEMBIC = Lock()  # it keeps what it works on in globals
_LOCK = 0x77686572  # any number that all our processes take


def migrate(engine: Engine) -> None:
    """To the newest revision, in one transaction; nothing where it is there already. Safe in several processes at
    once.

    Raises PlatformFault for a database that a newer version has written, and for a damaged one.
    """
    with translated(), engine.connect().execution_options(**{READ_ONLY: True}) as connection:
        _refuse_damaged(connection)
        current = MigrationContext.configure(connection).get_current_revision()
    script = ScriptDirectory(str(migrations_folder()))
    if current == script.get_current_head():
        return
    _refuse_newer(script, current)
    with translated(), engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            # To see, after the wait for the lock, what the one before us did.
            connection.execution_options(isolation_level="READ COMMITTED")
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        with _ALEMBIC:
            command.upgrade(alembic_config(connection), "head")
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


def _refuse_newer(script: ScriptDirectory, current: str | None) -> None:
    try:
        script.get_revision(current or "base")
    except CommandError as error:
        raise PlatformFault(
            f"the database is at revision {current}, which this version of Wherry does not know",
            hint="Install the version that wrote it, or a newer one; or restore a backup from before.",
        ) from error
