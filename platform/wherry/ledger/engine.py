"""The way to the database, and what a transaction is there.

One that writes waits for its turn before it reads anything, so it never reads what another is about to change: none
has to be repeated, numbers and ids are given in the order of the commits, and two workers never see the same free
job. SQLite does this by BEGIN IMMEDIATE, PostgreSQL by a lock on the empty table `turns`: LOCK takes no snapshot, so
the snapshot is taken after the wait. Reads alone wait for nobody.
"""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry

from wherry.domain.errors import InvalidInput, PlatformFault

BUSY_SECONDS = 5
READ_ONLY = "wherry_read_only"
_POOL = {"pool_size": 8, "max_overflow": 56, "pool_timeout": BUSY_SECONDS, "hide_parameters": True}


def open_engine(url: str) -> Engine:
    """Connects to nothing yet. Raises InvalidInput for a URL that is neither SQLite's nor PostgreSQL's,
    PlatformFault when SQLite's file cannot be made.
    """
    try:
        parsed = make_url(url)
        kind = parsed.get_backend_name()
    except ArgumentError:
        raise InvalidInput(
            "the database URL is not one", hint="For example: sqlite:////var/lib/wherry/ledger.db"
        ) from None
    if kind == "sqlite":
        return _sqlite(parsed)
    if kind in ("postgresql", "postgres"):
        return _postgres(parsed.set(drivername="postgresql+psycopg"))
    raise InvalidInput(f"no database of kind {kind}", hint="There are sqlite and postgresql.")


def begin(connection: Connection, read_only: bool) -> None:
    """Starts the transaction; with `read_only`, a snapshot that refuses writes."""
    if connection.dialect.name == "sqlite":
        connection.execution_options(**{READ_ONLY: read_only}).begin()
        return
    connection.execution_options(postgresql_readonly=read_only).begin()
    if not read_only:
        connection.execute(text("LOCK TABLE turns IN SHARE ROW EXCLUSIVE MODE"))


def _sqlite(url: URL) -> Engine:
    if url.database in (None, "", ":memory:"):
        raise InvalidInput("SQLite needs a file", hint="For example: sqlite:////var/lib/wherry/ledger.db")
    _create_private(Path(str(url.database)))
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS, "isolation_level": None}, **_POOL)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _create_private(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise PlatformFault(
            "the database file cannot be opened",
            evidence=[str(error)],
            hint="Check that its folder exists and is ours.",
        ) from error


def _prepare_sqlite(connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    # Not WAL: it could lose pages until SQLite 3.51.3. EXTRA syncs the folder too, once the journal is unlinked, so
    # that a commit that was answered survives a power cut.
    for pragma in ("journal_mode=DELETE", "synchronous=EXTRA", "foreign_keys=ON", "trusted_schema=OFF"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    read_only = connection.get_execution_options().get(READ_ONLY, False)
    connection.exec_driver_sql(f"PRAGMA query_only={'ON' if read_only else 'OFF'}")
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def _postgres(url: URL) -> Engine:
    engine = create_engine(
        url,
        isolation_level="REPEATABLE READ",
        pool_pre_ping=True,
        connect_args={"connect_timeout": BUSY_SECONDS},
        **_POOL,
    )
    event.listen(engine, "connect", _prepare_postgres)
    return engine


def _prepare_postgres(connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute(f"SET lock_timeout = '{BUSY_SECONDS}s'")
    # A process that stops in the middle must not keep all others from writing.
    cursor.execute("SET idle_in_transaction_session_timeout = '60s'")
    cursor.close()
    connection.commit()
