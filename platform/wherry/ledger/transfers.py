"""Offers of apps to other owners."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, Index, Row, Select, Table, Text, delete, insert, or_, select, update

from wherry.domain.errors import NotFound
from wherry.domain.model import Actor
from wherry.domain.transfers import Transfer, TransferState
from wherry.ledger.columns import ID, Instant, sought
from wherry.ledger.statements import Statements
from wherry.ledger.tables import apps, metadata, users

transfers = Table(
    "transfers",
    metadata,
    Column("id", ID, primary_key=True),
    Column("app_id", ID, ForeignKey("apps.id"), nullable=False),
    Column("owner_id", ID, ForeignKey("users.id"), nullable=False),
    Column("recipient_id", ID, ForeignKey("users.id"), nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Index("ix_transfers_app_id", "app_id"),
    Index("ix_transfers_owner_id", "owner_id"),
    Index("ix_transfers_recipient_id", "recipient_id"),
    sqlite_autoincrement=True,
)
_OWNER, _RECIPIENT = users.alias("giver"), users.alias("taker")
_QUERY = (
    select(
        transfers,
        apps.c.name.label("app"),
        _OWNER.c.email.label("owner_email"),
        _OWNER.c.admin.label("owner_admin"),
        _RECIPIENT.c.email.label("recipient_email"),
        _RECIPIENT.c.admin.label("recipient_admin"),
    )
    .join(apps, apps.c.id == transfers.c.app_id)
    .join(_OWNER, _OWNER.c.id == transfers.c.owner_id)
    .join(_RECIPIENT, _RECIPIENT.c.id == transfers.c.recipient_id)
    .where(apps.c.removed_at.is_(None))
)


class SqlTransfers:
    def __init__(self, statements: Statements) -> None:
        self._sql = statements

    def add(self, app_id: int, owner: Actor, recipient: Actor, now: datetime) -> Transfer:
        waiting = transfers.c.state == str(TransferState.PENDING)
        self._sql.write(delete(transfers).where(transfers.c.app_id == app_id, waiting))
        values = {"app_id": app_id, "owner_id": owner.id, "recipient_id": recipient.id, "created_at": now}
        state = {"state": str(TransferState.PENDING), "updated_at": now}
        row = self._sql.row(insert(transfers).values({**values, **state}).returning(transfers.c.id))
        return self.by_id(int(row.id) if row else 0)

    def by_id(self, transfer_id: int) -> Transfer:
        row = self._sql.row(_QUERY.where(transfers.c.id == sought(transfer_id)))
        if row is None:
            raise NotFound("no such transfer", hint="To see yours: wherry apps:transfers")
        return _transfer(row)

    def of_user(self, user_id: int) -> list[Transfer]:
        theirs = or_(transfers.c.owner_id == user_id, transfers.c.recipient_id == user_id)
        return self._many(_QUERY.where(theirs).order_by(transfers.c.id))

    def close(self, transfer_id: int, state: TransferState, now: datetime) -> Transfer:
        change = update(transfers).where(transfers.c.id == transfer_id)
        self._sql.write(change.values(state=str(state), updated_at=now))
        return self.by_id(transfer_id)

    def remove(self, transfer_id: int) -> None:
        self._sql.write(delete(transfers).where(transfers.c.id == transfer_id))

    def _many(self, query: Select[Any]) -> list[Transfer]:
        return [_transfer(row) for row in self._sql.rows(query)]


def _transfer(row: Row[Any]) -> Transfer:
    return Transfer(
        row.id,
        row.app_id,
        row.app,
        Actor(row.owner_id, row.owner_email, bool(row.owner_admin)),
        Actor(row.recipient_id, row.recipient_email, bool(row.recipient_admin)),
        TransferState(row.state),
        row.created_at,
        row.updated_at,
    )
