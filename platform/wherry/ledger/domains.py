"""Custom domains: claimed and proved."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, Index, Row, Table, Text, delete, insert, or_, select, update

from wherry.domain.domains import CustomDomain
from wherry.domain.errors import NotFound
from wherry.ledger.columns import ID, FreeText, Instant
from wherry.ledger.statements import Statements
from wherry.ledger.tables import metadata

domains = Table(
    "domains",
    metadata,
    Column("id", ID, primary_key=True),
    Column("app_id", ID, ForeignKey("apps.id"), nullable=False),
    Column("owner_id", ID, ForeignKey("users.id"), nullable=False),  # whose proof counts
    Column("name", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("verified_at", Instant),
    Column("checked_at", Instant),
    Column("reason", FreeText, nullable=False),
    Column("look_at", Instant),
    Column("missing_since", Instant),
    Column("doubted_at", Instant),
    Index("ix_domains_app_id", "app_id"),
    Index("ix_domains_name", "name"),
    sqlite_autoincrement=True,
)


class SqlDomains:
    def __init__(self, statements: Statements) -> None:
        self._sql = statements

    def add(self, app_id: int, owner_id: int, name: str, now: datetime, verified_at: datetime | None) -> CustomDomain:
        values = {"app_id": app_id, "owner_id": owner_id, "name": name, "created_at": now}
        return _domain(
            self._sql.row(insert(domains).values(**values, verified_at=verified_at, reason="").returning(domains))
        )

    def of_app(self, app_id: int) -> list[CustomDomain]:
        query = select(domains).where(domains.c.app_id == app_id).order_by(domains.c.name)
        return [_domain(row) for row in self._sql.rows(query)]

    def near(self, name: str) -> list[CustomDomain]:
        ends = ".".join(name.split(".")[-2:])
        query = select(domains).where(or_(domains.c.name == ends, domains.c.name.endswith("." + ends, autoescape=True)))
        return [_domain(row) for row in self._sql.rows(query.order_by(domains.c.id))]

    def checked(self, domain_id: int, now: datetime, verified_at: datetime | None, reason: str) -> CustomDomain:
        change = update(domains).where(domains.c.id == domain_id)
        values = {"checked_at": now, "verified_at": verified_at, "reason": reason}
        return _domain(self._sql.row(change.values(values).returning(domains)))

    def due(self, now: datetime, most: int) -> list[CustomDomain]:
        proved = domains.c.verified_at.is_not(None) & domains.c.checked_at.is_not(None)
        query = select(domains).where(proved, or_(domains.c.look_at.is_(None), domains.c.look_at <= now))
        rows = self._sql.rows(
            query.order_by(domains.c.look_at.is_not(None), domains.c.look_at, domains.c.id).limit(most)
        )
        return [_domain(row) for row in rows]

    def looked(self, domain: CustomDomain) -> None:
        values = {name: getattr(domain, name) for name in ("look_at", "missing_since", "doubted_at", "reason")}
        change = update(domains).where(domains.c.id == domain.id)
        _domain(self._sql.row(change.values(values).returning(domains)))

    def remove(self, domain_id: int) -> None:
        self._sql.write(delete(domains).where(domains.c.id == domain_id))


def _domain(row: Row[Any] | None) -> CustomDomain:
    if row is None:
        raise NotFound("no such domain", hint="To see an app's: wherry domains -a APP")
    return CustomDomain(**row._mapping)
