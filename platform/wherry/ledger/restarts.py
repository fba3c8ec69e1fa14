"""Wishes that processes be restarted: one row for each target and kind, the newest."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Row, Table, Text, delete, insert, select

from wherry.domain.errors import PlatformFault
from wherry.domain.restarts import Target, Wish
from wherry.ledger.columns import ID
from wherry.ledger.statements import Statements
from wherry.ledger.tables import metadata

restarts = Table(
    "restarts",
    metadata,
    Column("id", ID, primary_key=True),  # never given twice: it is what processes are compared by
    Column("app_id", ID, ForeignKey("apps.id"), nullable=False),
    Column("type", Text, nullable=False),
    Column("process", Integer, nullable=False),
    Column("stop_first", Boolean, nullable=False),
    Index("ix_restarts_app_id", "app_id"),
    sqlite_autoincrement=True,
)


class SqlRestarts:
    def __init__(self, statements: Statements) -> None:
        self._sql = statements

    def wish(self, app_id: int, target: Target, stop_first: bool) -> Wish:
        values = {"app_id": app_id, "type": target.type, "process": target.index, "stop_first": stop_first}
        self._sql.write(delete(restarts).where(*(restarts.c[name] == value for name, value in values.items())))
        row = self._sql.row(insert(restarts).values(values).returning(restarts))
        if row is None:
            raise PlatformFault("the database did not return the wish that was just written")
        return _wish(row)

    def of_app(self, app_id: int) -> list[Wish]:
        rows = self._sql.rows(select(restarts).where(restarts.c.app_id == app_id).order_by(restarts.c.id))
        return [_wish(row) for row in rows]


def _wish(row: Row[Any]) -> Wish:
    return Wish(row.id, Target(row.type, row.process), bool(row.stop_first))
