"""Drains of apps. Their URLs are sealed by the app's data key."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, Row, Select, Table, Text, delete, insert, select

from wherry.domain.drains import Drain
from wherry.domain.errors import NotFound
from wherry.domain.secret import Secret
from wherry.ledger.columns import ID, Instant
from wherry.ledger.sealing import AppSeal, Sealing
from wherry.ledger.statements import Statements
from wherry.ledger.tables import apps, metadata

drains = Table(
    "drains",
    metadata,
    Column("id", ID, primary_key=True),
    Column("app_id", ID, ForeignKey("apps.id"), nullable=False),
    Column("token", Text, nullable=False),
    Column("url", LargeBinary, nullable=False),  # sealed by the data key
    Column("created_at", Instant, nullable=False),
    Index("ix_drains_app_id", "app_id"),
    sqlite_autoincrement=True,
)
_QUERY = select(drains, apps.c.data_key).join(apps, apps.c.id == drains.c.app_id).where(apps.c.removed_at.is_(None))


class SqlDrains:
    def __init__(self, statements: Statements, sealing: Sealing) -> None:
        self._sql = statements
        self._sealing = sealing

    def add(self, app_id: int, token: str, url: Secret, now: datetime) -> Drain:
        row = self._sql.row(select(apps.c.data_key).where(apps.c.id == app_id, apps.c.removed_at.is_(None)))
        if row is None:
            raise NotFound("no such app")
        sealed = self._sealing.of_app(app_id, row.data_key).seal(_purpose(token), {"url": url})
        values = {"app_id": app_id, "token": token, "url": sealed, "created_at": now}
        made = self._sql.row(insert(drains).values(values).returning(drains.c.id))
        return Drain(int(made.id) if made else 0, app_id, token, url, now)

    def of_app(self, app_id: int) -> list[Drain]:
        return self._many(_QUERY.where(drains.c.app_id == app_id))

    def all(self) -> list[Drain]:
        return self._many(_QUERY)

    def remove(self, drain_id: int) -> None:
        self._sql.write(delete(drains).where(drains.c.id == drain_id))

    def _many(self, query: Select[Any]) -> list[Drain]:
        return [self._drain(row) for row in self._sql.rows(query.order_by(drains.c.id))]

    def _drain(self, row: Row[Any]) -> Drain:
        seal: AppSeal = self._sealing.of_app(row.app_id, row.data_key)
        return Drain(row.id, row.app_id, row.token, seal.open(_purpose(row.token), row.url)["url"], row.created_at)


def _purpose(token: str) -> str:
    return f"drain {token}"
