"""Public keys of users, for git over SSH. One key is one user's."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, Index, Row, Table, Text, delete, insert, select

from wherry.domain.errors import Conflict, PlatformFault
from wherry.domain.model import Actor
from wherry.domain.ssh_keys import PublicKey, UserKey
from wherry.ledger.accounts import actor_columns, actor_of
from wherry.ledger.columns import ID, FreeText, Instant, sought
from wherry.ledger.statements import Statements
from wherry.ledger.tables import metadata, users

ssh_keys = Table(
    "ssh_keys",
    metadata,
    Column("id", ID, primary_key=True),
    Column("user_id", ID, ForeignKey("users.id"), nullable=False),
    Column("type", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("comment", FreeText, nullable=False),
    Column("created_at", Instant, nullable=False),
    Index("uq_ssh_keys_fingerprint", "fingerprint", unique=True),
    Index("ix_ssh_keys_user_id", "user_id"),
    sqlite_autoincrement=True,
)
_COLUMNS = [ssh_keys.c[name] for name in ("id", "type", "body", "comment", "created_at")]
_QUERY = (
    select(*_COLUMNS, *actor_columns())
    .join(users, users.c.id == ssh_keys.c.user_id)
    .where(users.c.removed_at.is_(None))  # the keys of a user who was removed open nothing
    .order_by(ssh_keys.c.id)
)


class SqlSshKeys:
    def __init__(self, statements: Statements) -> None:
        self._sql = statements

    def add(self, user: Actor, key: PublicKey, now: datetime) -> UserKey:
        known = self._sql.row(select(ssh_keys.c.user_id).where(ssh_keys.c.fingerprint == key.fingerprint))
        if known is not None:
            # One text for both: whose it is, is nobody's business.
            raise Conflict(
                "this key is in use already", hint="To see yours: wherry keys; a new one: ssh-keygen -t ed25519"
            )
        values = {
            "user_id": user.id,
            "type": key.type,
            "body": key.body,
            "fingerprint": key.fingerprint,
            "comment": key.comment,
            "created_at": now,
        }
        row = self._sql.row(insert(ssh_keys).values(values).returning(ssh_keys.c.id))
        if row is None:
            raise PlatformFault("the database did not return the key that was just written")
        return UserKey(row.id, user, key, now)

    def by_id(self, key_id: int) -> UserKey | None:
        row = self._sql.row(_QUERY.where(ssh_keys.c.id == sought(key_id)))
        return _key(row) if row else None

    def of_user(self, user_id: int) -> list[UserKey]:
        return [_key(row) for row in self._sql.rows(_QUERY.where(ssh_keys.c.user_id == user_id))]

    def all(self) -> list[UserKey]:
        return [_key(row) for row in self._sql.rows(_QUERY)]

    def remove(self, key_id: int) -> None:
        self._sql.write(delete(ssh_keys).where(ssh_keys.c.id == key_id))


def _key(row: Row[Any]) -> UserKey:
    return UserKey(row.id, actor_of(row), PublicKey(row.type, row.body, row.comment), row.created_at)
