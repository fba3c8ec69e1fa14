"""Statements of one transaction: run, fetched and translated in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Executable, Row

from wherry.ledger.errors import translated


class Statements:
    """What the parts of a transaction speak through. Every method raises the domain's errors only."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def dialect(self) -> str:
        return self._connection.dialect.name

    def rows(self, statement: Executable) -> Sequence[Row[Any]]:
        with translated():
            return self._connection.execute(statement).all()

    def row(self, statement: Executable) -> Row[Any] | None:
        """The first row, or None."""
        with translated():
            return self._connection.execute(statement).first()

    def write(self, statement: Executable, many: Sequence[Mapping[str, object]] | None = None) -> int:
        """How many rows it changed. `many`: once for each of these sets of values."""
        with translated():
            return self._connection.execute(statement, many).rowcount
