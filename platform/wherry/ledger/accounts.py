"""Users and their tokens."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Label, Row, and_, delete, insert, or_, select, update

from wherry.domain.errors import Conflict, PlatformFault
from wherry.domain.model import Actor
from wherry.ledger.statements import Statements
from wherry.ledger.tables import tokens, users

CLOCK_TOLERANCE = timedelta(seconds=60)
_ACTOR = (users.c.id.label("person_id"), users.c.email.label("person_email"), users.c.admin.label("person_admin"))


def actor_columns() -> tuple[Label[Any], ...]:
    """What `actor_of` reads, for queries that join users."""
    return _ACTOR


def actor_of(row: Row[Any]) -> Actor:
    return Actor(row.person_id, row.person_email, bool(row.person_admin))


class SqlAccounts:
    def __init__(self, statements: Statements) -> None:
        self._sql = statements

    def ensure(self, email: str, admin: bool) -> Actor:
        known = self.by_email(email)
        if known is None:
            values = {"email": email, "email_key": email.lower(), "admin": admin}
            row = self._sql.row(insert(users).values(values).returning(*_ACTOR))
            if row is None:
                raise PlatformFault("the database did not return the user that was just written")
            return actor_of(row)
        if admin and not known.admin:
            self._sql.write(update(users).where(users.c.id == known.id).values(admin=True))
            return Actor(known.id, known.email, True)
        return known

    def by_email(self, email: str) -> Actor | None:
        row = self._sql.row(select(*_ACTOR).where(users.c.email_key == email.lower()))
        return actor_of(row) if row else None

    def add_token(
        self,
        actor: Actor,
        digest: str,
        description: str,
        now: datetime,
        expires_at: datetime | None = None,
        kind: str = "token",
    ) -> None:
        known = self._sql.row(select(tokens.c.user_id).where(tokens.c.digest == digest))
        if known is None:
            values = {
                "digest": digest,
                "user_id": actor.id,
                "kind": kind,
                "description": description,
                "created_at": now,
                "expires_at": expires_at,
            }
            self._sql.write(insert(tokens).values(values))
        elif known.user_id != actor.id:
            raise Conflict("this token belongs to another user")

    def by_token(self, digest: str, now: datetime) -> Actor | None:
        return self._valid(digest, now, tokens.c.kind == "token")

    def drop_token(self, digest: str) -> None:
        self._sql.write(delete(tokens).where(tokens.c.digest == digest))

    def use_once(self, digest: str, now: datetime) -> Actor | None:
        actor = self._valid(digest, now)
        self.drop_token(digest)
        return actor

    def _valid(self, digest: str, now: datetime, *also: ColumnElement[bool]) -> Actor | None:
        # The machines that issue and check may disagree about the time a little.
        alive = or_(tokens.c.expires_at.is_(None), tokens.c.expires_at > now - CLOCK_TOLERANCE)
        query = select(*_ACTOR).join(tokens, tokens.c.user_id == users.c.id)
        row = self._sql.row(query.where(and_(tokens.c.digest == digest, alive, *also)))
        return actor_of(row) if row else None
