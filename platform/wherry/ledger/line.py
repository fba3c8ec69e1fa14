"""The line to PostgreSQL's own bell: LISTEN and NOTIFY."""

from __future__ import annotations

import logging

import psycopg
from sqlalchemy import Engine, Select, func, select
from sqlalchemy.exc import SQLAlchemyError

from wherry.ledger.errors import domain_error

log = logging.getLogger(__name__)
CHANNEL = "wherry_ledger"


def notify() -> Select[tuple[str]]:
    """Part of a transaction: PostgreSQL tells it once that is committed."""
    return select(func.pg_notify(CHANNEL, ""))


class Line:
    """A connection of its own that only listens."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def fileno(self) -> int:
        return self._connection.fileno()

    def drain(self) -> bool:
        """Takes what was told off the line; False when the line is dead."""
        try:
            self._connection.pgconn.consume_input()
            while self._connection.pgconn.notifies():
                pass
        except psycopg.Error as error:
            log.warning("the line to the database's bell broke: %s", error)
            return False
        return True

    def close(self) -> None:
        self._connection.close()


def dial(engine: Engine) -> Line | None:
    """None, and a warning, while the database does not answer."""
    try:
        pooled = engine.raw_connection()
        connection = pooled.driver_connection
        pooled.detach()
        if not isinstance(connection, psycopg.Connection):
            raise TypeError(f"{type(connection)} cannot listen")
        connection.rollback()
        connection.autocommit = True
        connection.execute(f"LISTEN {CHANNEL}")
    except SQLAlchemyError as error:
        log.warning("no line to the database's bell: %s", " | ".join(domain_error(error).lines()))
    except psycopg.Error as error:
        log.warning("no line to the database's bell: %s", error)
    else:
        return Line(connection)
    return None
