"""What the database says, in the domain's errors. The one place where SQLAlchemy's exceptions end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from wherry.domain.errors import Conflict, PlatformFault, WherryError
from wherry.domain.text import printable

_RESTORE = "Restore the newest backup of the database, then start again."
_BUSY = ("the database is busy: another process has held it for 5 seconds", "Try again in a moment.")
_FULL = ("the disk that holds the database is full", "Free some space there; nothing was changed.")

# By primary result code of SQLite (https://www.sqlite.org/rescode.html).
_SQLITE = {
    5: _BUSY,
    6: _BUSY,
    8: ("the database cannot be written", "Check the owner and the mount of its file."),
    10: ("the disk that holds the database fails", "Check it: dmesg | tail"),
    11: ("the database file is damaged", _RESTORE),
    13: _FULL,
    14: ("the database file cannot be opened", "Check that its folder exists and is ours."),
    26: ("the database file is not a database", _RESTORE),
}
_SQLITE_UNIQUE = {1555, 2067, 2579}

# By SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html).
_POSTGRES = {"55P03": _BUSY, "53100": _FULL, "25006": ("the database cannot be written", "Is it a replica?")}
_POSTGRES_UNIQUE = "23505"
_LOST = (
    "the connection to the database was lost; whether the last change was kept is not known",
    "Look before you repeat it.",
)


@contextmanager
def translated() -> Iterator[None]:
    """Raises Conflict when another change came first, else PlatformFault."""
    try:
        yield
    except SQLAlchemyError as error:
        raise domain_error(error) from error


def domain_error(error: SQLAlchemyError) -> WherryError:
    cause = error.orig if isinstance(error, DBAPIError) else None
    evidence = [_first_line(cause or error)]
    if _is_unique(cause):
        return Conflict("another change came first", evidence=evidence, hint="Try again.")
    if isinstance(error, PoolTimeout):
        return PlatformFault("all connections to the database are in use", hint="Try again in a moment.")
    message, hint = _known(cause) or (
        _LOST
        if isinstance(error, DBAPIError) and error.connection_invalidated
        else ("the database refused a statement", "")
    )
    return PlatformFault(message, evidence=evidence, hint=hint)


def _is_unique(cause: BaseException | None) -> bool:
    return (
        getattr(cause, "sqlstate", None) == _POSTGRES_UNIQUE or getattr(cause, "sqlite_errorcode", 0) in _SQLITE_UNIQUE
    )


def _known(cause: BaseException | None) -> tuple[str, str] | None:
    code = getattr(cause, "sqlite_errorcode", None)
    if isinstance(code, int):
        return _SQLITE.get(code & 0xFF)
    return _POSTGRES.get(getattr(cause, "sqlstate", None) or "")


def _first_line(error: BaseException) -> str:
    # Only the first: the lines below it hold values of the row.
    return printable(str(error).partition("\n")[0])
