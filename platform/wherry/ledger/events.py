"""Events: who changed what; added, never altered, each chained to the one before it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, insert, select, update

from wherry.domain.chain import FIRST, Head, link
from wherry.domain.model import Actor, Event
from wherry.domain.paging import Window
from wherry.ledger.columns import storable
from wherry.ledger.statements import Statements
from wherry.ledger.tables import apps, events
from wherry.ledger.windows import windowed


class SqlEvents:
    """Kept by the app's id beside its name: the history of a renamed app stays whole, and who takes a free name
    later does not get the history of the app that had it.

    Whoever writes has the ledger's turn (engine.py), so the row that is the newest now stays so until the commit.
    """

    def __init__(self, statements: Statements) -> None:
        self._sql = statements
        self.head: Head | None = None  # of what this transaction added

    def add(
        self,
        now: datetime,
        actor: Actor,
        app: str,
        action: str,
        before: Mapping[str, object] | None = None,
        after: Mapping[str, object] | None = None,
        origin: str = "",
    ) -> None:
        previous = self.head.hash if self.head else self._newest()
        event = self._inserted(now, actor, app, action, _as_read(before), _as_read(after), origin)
        self.head = Head(event.id, link(previous, event))
        self._sql.write(update(events).where(events.c.id == event.id).values(hash=self.head.hash))

    def of_app(self, app: str, limit: int = 50) -> list[Event]:
        """Of the living app with that name; without one, of all that had it."""
        living = self._sql.row(_living(app))
        theirs = events.c.app_id == living.id if living else events.c.app == app
        return self._many(select(events).where(theirs).order_by(events.c.id.desc()).limit(limit))

    def page(self, app_id: int | None, window: Window) -> list[Event]:
        query = select(events) if app_id is None else select(events).where(events.c.app_id == app_id)
        return self._many(windowed(query, events.c.id, window))

    def since(self, app_id: int, action: str, at: datetime) -> list[Event]:
        query = select(events).where(events.c.app_id == app_id, events.c.action == action, events.c.at >= at)
        return self._many(query.order_by(events.c.id))

    def hashes(self, ids: Collection[int]) -> dict[int, str]:
        rows = self._sql.rows(select(events.c.id, events.c.hash).where(events.c.id.in_(ids)))
        return {row.id: row.hash for row in rows}

    def _newest(self) -> str:
        row = self._sql.row(select(events.c.hash).order_by(events.c.id.desc()).limit(1))
        return row.hash if row else FIRST

    def _inserted(
        self,
        now: datetime,
        actor: Actor,
        app: str,
        action: str,
        before: Mapping[str, object],
        after: Mapping[str, object],
        origin: str,
    ) -> Event:
        living = self._sql.row(_living(app)) if app else None
        event = Event(
            0,
            now,
            storable(actor.email),
            storable(app),
            action,
            before,
            after,
            storable(origin),
            living.id if living else None,
        )
        values = {name: getattr(event, name) for name in _WRITTEN}
        row = self._sql.row(insert(events).values(values).returning(events.c.id))
        return replace(event, id=int(row.id) if row else 0)

    def _many(self, query: Select[Any]) -> list[Event]:
        return [event_of(row) for row in self._sql.rows(query)]


_WRITTEN = ("at", "actor", "app", "app_id", "action", "before", "after", "origin")


def _living(name: str) -> Select[tuple[int]]:
    return select(apps.c.id).where(apps.c.name == name, apps.c.removed_at.is_(None))


def _as_read(values: Mapping[str, object] | None) -> dict[str, Any]:
    """As JSON brings it back, since that is what its hash is reckoned of later."""
    read: dict[str, Any] = json.loads(json.dumps(dict(values or {})))
    return read


def event_of(row: Row[Any]) -> Event:
    return Event(
        row.id, row.at, row.actor, row.app, row.action, row.before, row.after, row.origin, row.app_id, row.hash
    )
