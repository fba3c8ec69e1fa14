"""Users, and what opens a door for them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Label, Row, and_, delete, insert, or_, select, update

from wherry.domain.errors import Conflict, NotFound, PlatformFault
from wherry.domain.model import Actor, CredentialKind, Token, User
from wherry.domain.roles import EVERYTHING, Scope
from wherry.ledger.columns import sought
from wherry.ledger.statements import Statements
from wherry.ledger.tables import credentials, users

CLOCK_TOLERANCE = timedelta(seconds=60)
_ACTOR = (users.c.id.label("person_id"), users.c.email.label("person_email"), users.c.admin.label("person_admin"))
_USER = (*_ACTOR, users.c.name, users.c.created_at, users.c.invited_by)
_TOKEN = [
    credentials.c[name] for name in ("id", "user_id", "description", "scopes", "created_at", "updated_at", "expires_at")
]
_LIVING = users.c.removed_at.is_(None)


def actor_columns() -> tuple[Label[Any], ...]:
    """What `actor_of` reads, for queries that join users."""
    return _ACTOR


def actor_of(row: Row[Any]) -> Actor:
    return Actor(row.person_id, row.person_email, bool(row.person_admin))


class SqlAccounts:
    def __init__(self, statements: Statements) -> None:
        self._sql = statements

    def ensure(self, email: str, admin: bool, now: datetime | None = None, invited_by: str = "") -> Actor:
        known = self._sql.row(select(*_USER, users.c.removed_at).where(users.c.email_key == email.lower()))
        if known is None:
            values = {"email": email, "email_key": email.lower(), "admin": admin, "created_at": now}
            row = self._sql.row(insert(users).values(**values, invited_by=invited_by or None).returning(*_ACTOR))
            if row is None:
                raise PlatformFault("the database did not return the user that was just written")
            return actor_of(row)
        is_admin = admin or (bool(known.person_admin) and known.removed_at is None)
        vouched = known.invited_by if invited_by and known.removed_at is None else invited_by or None
        wanted = {"admin": is_admin, "invited_by": vouched, "removed_at": None}
        if wanted != {"admin": known.person_admin, "invited_by": known.invited_by, "removed_at": known.removed_at}:
            self._sql.write(update(users).where(users.c.id == known.person_id).values(wanted))
        return Actor(known.person_id, known.person_email, is_admin)

    def by_email(self, email: str) -> Actor | None:
        row = self._sql.row(select(*_ACTOR).where(users.c.email_key == email.lower(), _LIVING))
        return actor_of(row) if row else None

    def was_removed(self, email: str) -> bool:
        query = select(users.c.id).where(users.c.email_key == email.lower(), users.c.removed_at.is_not(None))
        return self._sql.row(query) is not None

    def user(self, user_id: int) -> User:
        row = self._sql.row(select(*_USER).where(users.c.id == sought(user_id), _LIVING))
        if row is None:
            raise NotFound("no such user", hint="To see them: wherry users")
        return _user(row)

    def users(self) -> list[User]:
        return [_user(row) for row in self._sql.rows(select(*_USER).where(_LIVING).order_by(users.c.email_key))]

    def set_name(self, user_id: int, name: str) -> None:
        self._sql.write(update(users).where(users.c.id == user_id).values(name=name))

    def remove(self, user_id: int, now: datetime) -> None:
        self._sql.write(update(users).where(users.c.id == user_id).values(removed_at=now, admin=False))
        self._sql.write(delete(credentials).where(credentials.c.user_id == user_id))

    def add_token(
        self,
        actor: Actor,
        digest: str,
        description: str,
        now: datetime,
        expires_at: datetime | None = None,
        kind: str = CredentialKind.TOKEN,
        scopes: frozenset[Scope] = EVERYTHING,
    ) -> Token:
        known = self._sql.row(select(*_TOKEN).where(credentials.c.digest == digest))
        if known is None:
            values = {
                "digest": digest,
                "user_id": actor.id,
                "kind": str(kind),
                "description": description,
                "scopes": None if scopes == EVERYTHING else [str(each) for each in Scope if each in scopes],
                "created_at": now,
                "updated_at": now,
                "expires_at": expires_at,
            }
            known = self._sql.row(insert(credentials).values(values).returning(*_TOKEN))
        if known is None:
            raise PlatformFault("the database did not return the token that was just written")
        if known.user_id != actor.id:
            raise Conflict("this token belongs to another user")
        return _token(known)

    def by_token(self, digest: str, now: datetime, kind: str = CredentialKind.TOKEN) -> Actor | None:
        # The machines that issue and check may disagree about the time a little.
        alive = or_(credentials.c.expires_at.is_(None), credentials.c.expires_at > now - CLOCK_TOLERANCE)
        query = select(*_ACTOR, credentials.c.scopes).join(credentials, credentials.c.user_id == users.c.id)
        row = self._sql.row(
            query.where(credentials.c.digest == digest, credentials.c.kind == str(kind), alive, _LIVING)
        )
        return Actor(row.person_id, row.person_email, bool(row.person_admin), _scopes(row)) if row else None

    def tokens(self, user_id: int) -> list[Token]:
        theirs = _theirs(user_id)
        return [_token(row) for row in self._sql.rows(select(*_TOKEN).where(theirs).order_by(credentials.c.id))]

    def renew_token(self, user_id: int, token_id: int, digest: str, now: datetime) -> Token | None:
        return self._changed(user_id, token_id, digest=digest, updated_at=now)

    def describe_token(self, user_id: int, token_id: int, description: str, now: datetime) -> Token | None:
        return self._changed(user_id, token_id, description=description, updated_at=now)

    def revoke_token(self, user_id: int, token_id: int) -> Token | None:
        which = and_(_theirs(user_id), credentials.c.id == sought(token_id))
        row = self._sql.row(delete(credentials).where(which).returning(*_TOKEN))
        return _token(row) if row else None

    def drop_token(self, digest: str) -> None:
        self._sql.write(delete(credentials).where(credentials.c.digest == digest))

    def drop_expired(self, user_id: int, now: datetime) -> None:
        past = credentials.c.expires_at <= now - CLOCK_TOLERANCE
        self._sql.write(delete(credentials).where(credentials.c.user_id == user_id, past))

    def use_once(self, digest: str, now: datetime) -> Actor | None:
        actor = self.by_token(digest, now, CredentialKind.LINK)
        self._sql.write(
            delete(credentials).where(credentials.c.digest == digest, credentials.c.kind == str(CredentialKind.LINK))
        )
        return actor

    def _changed(self, user_id: int, token_id: int, **values: object) -> Token | None:
        which = and_(_theirs(user_id), credentials.c.id == sought(token_id))
        row = self._sql.row(update(credentials).where(which).values(values).returning(*_TOKEN))
        return _token(row) if row else None


def _theirs(user_id: int) -> ColumnElement[bool]:
    return and_(credentials.c.user_id == user_id, credentials.c.kind == str(CredentialKind.TOKEN))


def _scopes(row: Row[Any]) -> frozenset[Scope]:
    return EVERYTHING if row.scopes is None else frozenset(Scope(each) for each in row.scopes)


def _token(row: Row[Any]) -> Token:
    return Token(row.id, row.description, _scopes(row), row.created_at, row.updated_at, row.expires_at)


def _user(row: Row[Any]) -> User:
    return User(actor_of(row), row.name or "", row.created_at, row.invited_by or "")
