"""Releases: numbered in the order of their commits, final once. A number is never given twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, insert, select, update

from wherry.domain.config import Config
from wherry.domain.errors import NotFound
from wherry.domain.image import Image
from wherry.domain.model import Actor, Release, ReleaseStatus
from wherry.domain.secret import Secret
from wherry.ledger.accounts import actor_columns, actor_of
from wherry.ledger.columns import sought
from wherry.ledger.images import image_columns, image_of
from wherry.ledger.sealing import AppSeal, Sealing
from wherry.ledger.statements import Statements
from wherry.ledger.tables import apps, releases, users

_QUERY = (
    select(releases, apps.c.data_key, *actor_columns())
    .join(users, users.c.id == releases.c.actor_id)
    .join(apps, apps.c.id == releases.c.app_id)
)


class SqlReleases:
    def __init__(self, statements: Statements, sealing: Sealing) -> None:
        self._sql = statements
        self._sealing = sealing
        self.changed = False  # whether those who wait must hear of it

    def append(
        self,
        app_id: int,
        actor: Actor,
        description: str,
        image: Image,
        config: Config,
        now: datetime,
        build_id: int | None = None,
        commit: str = "",
    ) -> Release:
        """Raises NotFound when the app is gone."""
        number, seal = self._next(app_id)
        values = {
            "app_id": app_id,
            "number": number,
            "actor_id": actor.id,
            "description": description,
            "status": str(ReleaseStatus.PENDING),
            **image_columns(image),
            "config": seal.seal(_purpose(number), config),
            "created_at": now,
            "build_id": build_id,
            "commit": commit,
            "failure": "",
            "message": "",
        }
        row = self._sql.row(insert(releases).values(values).returning(releases.c.id))
        self.changed = True
        return self.by_id(int(row.id) if row else 0)

    def by_id(self, release_id: int) -> Release:
        return self._one(releases.c.id == sought(release_id))

    def by_number(self, app_id: int, number: int) -> Release:
        return self._one(releases.c.app_id == app_id, releases.c.number == sought(number, 31))

    def of_app(self, app_id: int, limit: int = 50) -> list[Release]:
        return self._many(_QUERY.where(releases.c.app_id == app_id).order_by(releases.c.number.desc()).limit(limit))

    def of_build(self, build_id: int) -> Release | None:
        found = self._many(_QUERY.where(releases.c.build_id == build_id).order_by(releases.c.number).limit(1))
        return found[0] if found else None

    def current(self, app_id: int) -> Release | None:
        succeeded = _QUERY.where(releases.c.app_id == app_id, releases.c.status == str(ReleaseStatus.SUCCEEDED))
        found = self._many(succeeded.order_by(releases.c.number.desc()).limit(1))
        return found[0] if found else None

    def finish(
        self, release_id: int, status: ReleaseStatus, now: datetime, failure: str = "", message: str = ""
    ) -> bool:
        if status is ReleaseStatus.PENDING:
            raise ValueError("pending does not finish a release")
        pending = (releases.c.id == release_id, releases.c.status == str(ReleaseStatus.PENDING))
        values = {"status": str(status), "finished_at": now, "failure": str(failure), "message": message}
        written = self._sql.write(update(releases).where(*pending).values(values)) == 1
        self.changed = self.changed or written
        return written

    def _next(self, app_id: int) -> tuple[int, AppSeal]:
        # Counted on the app, not by the highest row: it grows even where rows were lost or removed.
        count = update(apps).where(apps.c.id == app_id, apps.c.removed_at.is_(None))
        row = self._sql.row(
            count.values(last_release=apps.c.last_release + 1).returning(apps.c.last_release, apps.c.data_key)
        )
        if row is None:
            raise NotFound("no such app")
        return row.last_release, self._sealing.of_app(app_id, row.data_key)

    def _one(self, *where: ColumnElement[bool]) -> Release:
        found = self._many(_QUERY.where(*where))
        if not found:
            raise NotFound("no such release", hint="To see them: wherry releases")
        return found[0]

    def _many(self, query: Select[Any]) -> list[Release]:
        rows = self._sql.rows(query)
        seals = self._seals(rows)
        return [_release(row, seals.get(row.app_id)) for row in rows]

    def _seals(self, rows: Sequence[Row[Any]]) -> dict[int, AppSeal]:
        keys = {row.app_id: row.data_key for row in rows if row.data_key}
        return {app_id: self._sealing.of_app(app_id, key) for app_id, key in keys.items()}


def _purpose(number: int) -> str:
    return f"release {number}"


def _release(row: Row[Any], seal: AppSeal | None) -> Release:
    """Of an app that is gone the config is gone too, and reads as empty."""
    config: dict[str, Secret] = seal.open(_purpose(row.number), row.config) if seal else {}
    return Release(
        id=row.id,
        app_id=row.app_id,
        number=row.number,
        actor=actor_of(row),
        description=row.description,
        status=ReleaseStatus(row.status),
        image=image_of(row),
        config=config,
        created_at=row.created_at,
        build_id=row.build_id,
        commit=row.commit,
        finished_at=row.finished_at,
        failure=row.failure,
        message=row.message,
    )
