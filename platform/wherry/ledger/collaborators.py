"""Who was given roles on which app."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, Index, Row, Table, delete, insert, select, update

from wherry.domain.errors import PlatformFault
from wherry.domain.model import Actor, Collaborator
from wherry.domain.roles import Role
from wherry.ledger.accounts import actor_columns, actor_of
from wherry.ledger.columns import ID, Instant, Json
from wherry.ledger.statements import Statements
from wherry.ledger.tables import metadata, users

collaborators = Table(
    "collaborators",
    metadata,
    Column("id", ID, primary_key=True),
    Column("app_id", ID, ForeignKey("apps.id"), nullable=False),
    Column("user_id", ID, ForeignKey("users.id"), nullable=False),
    Column("roles", Json, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Index("uq_collaborators_app_id_user_id", "app_id", "user_id", unique=True),
    Index("ix_collaborators_user_id", "user_id"),
    sqlite_autoincrement=True,
)
_COLUMNS = [collaborators.c[name] for name in ("id", "app_id", "roles", "created_at", "updated_at")]
_QUERY = select(*_COLUMNS, *actor_columns()).join(users, users.c.id == collaborators.c.user_id)


class SqlCollaborators:
    def __init__(self, statements: Statements) -> None:
        self._sql = statements

    def of_app(self, app_id: int) -> list[Collaborator]:
        rows = self._sql.rows(_QUERY.where(collaborators.c.app_id == app_id).order_by(users.c.email_key))
        return [_collaborator(row) for row in rows]

    def of(self, app_id: int, user_id: int) -> Collaborator | None:
        row = self._sql.row(_QUERY.where(collaborators.c.app_id == app_id, collaborators.c.user_id == user_id))
        return _collaborator(row) if row else None

    def put(self, app_id: int, user: Actor, roles: frozenset[Role], now: datetime) -> Collaborator:
        values = {"roles": [str(each) for each in Role if each in roles], "updated_at": now}
        theirs = (collaborators.c.app_id == app_id, collaborators.c.user_id == user.id)
        if not self._sql.write(update(collaborators).where(*theirs).values(values)):
            new = {"app_id": app_id, "user_id": user.id, "created_at": now}
            self._sql.write(insert(collaborators).values({**values, **new}))
        found = self.of(app_id, user.id)
        if found is None:
            raise PlatformFault("the database did not return the collaborator that was just written")
        return found

    def forget(self, user_id: int) -> None:
        self._sql.write(delete(collaborators).where(collaborators.c.user_id == user_id))

    def remove(self, app_id: int, user_id: int) -> bool:
        return bool(
            self._sql.write(
                delete(collaborators).where(collaborators.c.app_id == app_id, collaborators.c.user_id == user_id)
            )
        )


def _collaborator(row: Row[Any]) -> Collaborator:
    roles = frozenset(Role(each) for each in row.roles)
    return Collaborator(row.id, row.app_id, actor_of(row), roles, row.created_at, row.updated_at)
