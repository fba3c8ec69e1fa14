"""Events: who changed what; added, never altered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Select, insert, select

from wherry.domain.model import Actor, Event
from wherry.ledger.statements import Statements
from wherry.ledger.tables import apps, events


class SqlEvents:
    """Kept by the app's id beside its name: the history of a renamed app stays whole, and who takes a free name
    later does not get the history of the app that had it.
    """

    def __init__(self, statements: Statements) -> None:
        self._sql = statements

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
        values = {
            "at": now,
            "actor": actor.email,
            "app": app,
            "app_id": _living(app).scalar_subquery(),
            "action": action,
            "before": dict(before or {}),
            "after": dict(after or {}),
            "origin": origin,
        }
        self._sql.write(insert(events).values(values))

    def of_app(self, app: str, limit: int = 50) -> list[Event]:
        """Of the living app with that name; without one, of all that had it."""
        living = self._sql.row(_living(app))
        theirs = events.c.app_id == living.id if living else events.c.app == app
        rows = self._sql.rows(select(events).where(theirs).order_by(events.c.id.desc()).limit(limit))
        return [
            Event(row.id, row.at, row.actor, row.app, row.action, row.before, row.after, row.origin) for row in rows
        ]


def _living(name: str) -> Select[tuple[int]]:
    return select(apps.c.id).where(apps.c.name == name, apps.c.removed_at.is_(None))
