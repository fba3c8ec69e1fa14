"""Builds: queued, started, and final once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, literal, select, update

from wherry.domain import app_json
from wherry.domain.errors import NotFound
from wherry.domain.model import Actor, Build, BuildStatus, Source
from wherry.domain.paging import Window
from wherry.ledger.accounts import actor_columns, actor_of
from wherry.ledger.columns import sought
from wherry.ledger.images import image_columns, image_of
from wherry.ledger.statements import Statements
from wherry.ledger.tables import apps, builds, users
from wherry.ledger.windows import windowed

_QUERY = select(builds, *actor_columns()).join(users, users.c.id == builds.c.actor_id)
_OPEN = builds.c.status.in_([str(status) for status in BuildStatus if not status.final])


class SqlBuilds:
    def __init__(self, statements: Statements) -> None:
        self._sql = statements
        self.changed = False  # whether those who wait must hear of it

    def add(self, app_id: int, actor: Actor, branch: str, previous: str, source: Source, now: datetime) -> Build:
        """Raises NotFound when the app is gone."""
        if self._sql.row(select(literal(1)).where(apps.c.id == app_id, apps.c.removed_at.is_(None))) is None:
            raise NotFound("no such app")
        values = {
            "app_id": app_id,
            "actor_id": actor.id,
            "branch": branch,
            "previous": previous,
            "commit": source.commit,
            "tree": source.tree,
            "archive": source.archive,
            "app_json": app_json.write(source.wishes),
            "status": str(BuildStatus.PENDING),
            "created_at": now,
            "failure": "",
            "message": "",
        }
        row = self._sql.row(insert(builds).values(values).returning(builds.c.id))
        return self.by_id(int(row.id) if row else 0)

    def by_id(self, build_id: int) -> Build:
        row = self._sql.row(_QUERY.where(builds.c.id == sought(build_id)))
        if row is None:
            raise NotFound("no such build")
        return _build(row)

    def of_app(self, app_id: int, limit: int = 50) -> list[Build]:
        query = _QUERY.where(builds.c.app_id == app_id).order_by(builds.c.id.desc()).limit(limit)
        return [_build(row) for row in self._sql.rows(query)]

    def page(self, app_id: int, window: Window) -> list[Build]:
        return [
            _build(row)
            for row in self._sql.rows(windowed(_QUERY.where(builds.c.app_id == app_id), builds.c.id, window))
        ]

    def unfinished(self, app_id: int) -> list[Build]:
        """Oldest first."""
        query = _QUERY.where(builds.c.app_id == app_id, _OPEN).order_by(builds.c.id)
        return [_build(row) for row in self._sql.rows(query)]

    def start(self, build_id: int) -> None:
        """A build that is final stays so."""
        self._sql.write(update(builds).where(builds.c.id == build_id, _OPEN).values(status=str(BuildStatus.RUNNING)))

    def finish(self, build: Build) -> bool:
        if not build.status.final:
            raise ValueError(f"{build.status} does not finish a build")
        values = {
            "status": str(build.status),
            "finished_at": build.finished_at,
            "failure": str(build.failure),
            "message": build.message,
            **image_columns(build.image),
        }
        written = self._sql.write(update(builds).where(builds.c.id == build.id, _OPEN).values(values)) == 1
        self.changed = self.changed or written
        return written


def _build(row: Row[Any]) -> Build:
    return Build(
        id=row.id,
        app_id=row.app_id,
        actor=actor_of(row),
        branch=row.branch,
        previous=row.previous,
        source=Source(row.commit, row.tree, row.archive, wishes=app_json.read(row.app_json)),
        status=BuildStatus(row.status),
        created_at=row.created_at,
        finished_at=row.finished_at,
        image=image_of(row) if row.image_digest else None,
        failure=row.failure,
        message=row.message,
    )
