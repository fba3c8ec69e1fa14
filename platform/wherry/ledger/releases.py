"""Releases: numbered in the order of their commits, final once. A number is never given twice."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, insert, select, update

from wherry.domain.autoscale import Autoscale
from wherry.domain.build_settings import BuildSettings
from wherry.domain.config import UNREAD, Config
from wherry.domain.errors import NotFound
from wherry.domain.formation import Formation, Scale
from wherry.domain.image import Image
from wherry.domain.model import Actor, Release, ReleaseStatus
from wherry.domain.paging import Window
from wherry.domain.retention import Standing
from wherry.ledger.accounts import actor_columns, actor_of
from wherry.ledger.apps import settings_of
from wherry.ledger.columns import sought
from wherry.ledger.images import image_columns, image_of
from wherry.ledger.sealing import AppSeal, Sealing
from wherry.ledger.statements import Statements
from wherry.ledger.tables import apps, releases, users
from wherry.ledger.windows import windowed

_QUERY = (
    select(releases, apps.c.data_key, *actor_columns())
    .join(users, users.c.id == releases.c.actor_id)
    .join(apps, apps.c.id == releases.c.app_id)
)
# A list leaves the configs sealed: it shows none, and they may be large.
_LIST = (
    select(*(each for each in releases.c if each.name != "config"), *actor_columns())
    .join(users, users.c.id == releases.c.actor_id)
    .join(apps, apps.c.id == releases.c.app_id)
)
_SERVED = releases.c.status == str(ReleaseStatus.SUCCEEDED)
_STANDS = releases.c.status != str(ReleaseStatus.FAILED)
_DOWN = releases.c.number.desc()


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
        formation: Formation | None = None,
        settings: BuildSettings | None = None,
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
            "formation": _scales_written(formation),
            "build_settings": asdict(settings) if settings else None,
        }
        row = self._sql.row(insert(releases).values(values).returning(releases.c.id))
        self.changed = True
        return self.by_id(int(row.id) if row else 0)

    def begin_at(self, app_id: int, number: int) -> None:
        first = update(apps).where(apps.c.id == app_id, apps.c.last_release == 0)
        self._sql.write(first.values(last_release=number - 1))

    def by_id(self, release_id: int) -> Release:
        return self._one(releases.c.id == sought(release_id))

    def by_number(self, app_id: int, number: int) -> Release:
        return self._one(releases.c.app_id == app_id, releases.c.number == sought(number, 31))

    def of_app(self, app_id: int, limit: int = 50) -> list[Release]:
        return self._many(_QUERY.where(releases.c.app_id == app_id).order_by(releases.c.number.desc()).limit(limit))

    def of_builds(self, build_ids: Collection[int]) -> dict[int, Release]:
        first = select(func.min(releases.c.id)).where(releases.c.build_id.in_(build_ids)).group_by(releases.c.build_id)
        return {each.build_id or 0: each for each in self._list(_LIST.where(releases.c.id.in_(first)))}

    def page(self, app_id: int, window: Window, by_id: bool = False) -> list[Release]:
        theirs = _LIST.where(releases.c.app_id == app_id)
        return self._list(windowed(theirs, releases.c.id if by_id else releases.c.number, window))

    def kept(self, app_id: int, most: int) -> list[Release]:
        theirs = _LIST.where(releases.c.app_id == app_id).order_by(releases.c.number.desc())
        pending = releases.c.status == str(ReleaseStatus.PENDING)
        return self._list(theirs.where(_SERVED).limit(most)) + self._list(theirs.where(pending))

    def standing(self, app_id: int, most: int) -> Standing:
        served = self._numbers(releases.c.app_id == app_id, _SERVED, most=most)
        newest = self._numbers(releases.c.app_id == app_id, _STANDS, most=1)
        return Standing(served[0] if served else 0, newest[0] if newest else 0, served[-1] if served else 0)

    def newest(self, app_id: int) -> Release | None:
        found = self._many(_QUERY.where(releases.c.app_id == app_id, _STANDS).order_by(_DOWN).limit(1))
        return found[0] if found else None

    def before(self, app_id: int, number: int) -> Release | None:
        below = _QUERY.where(releases.c.app_id == app_id, releases.c.number < number, _SERVED)
        found = self._many(below.order_by(_DOWN).limit(1))
        return found[0] if found else None

    def newests(self, app_ids: Collection[int]) -> dict[int, Release]:
        return self._highest(app_ids, _STANDS)

    def currents(self, app_ids: Collection[int]) -> dict[int, Release]:
        return self._highest(app_ids, _SERVED)

    def of_build(self, build_id: int) -> Release | None:
        found = self._many(_QUERY.where(releases.c.build_id == build_id).order_by(releases.c.number).limit(1))
        return found[0] if found else None

    def current(self, app_id: int) -> Release | None:
        succeeded = _QUERY.where(releases.c.app_id == app_id, _SERVED)
        found = self._many(succeeded.order_by(_DOWN).limit(1))
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

    def _highest(self, app_ids: Collection[int], which: ColumnElement[bool]) -> dict[int, Release]:
        theirs = select(func.max(releases.c.number)).where(releases.c.app_id == apps.c.id, which)
        highest = releases.c.number == theirs.correlate(apps).scalar_subquery()
        return {each.app_id: each for each in self._list(_LIST.where(apps.c.id.in_(app_ids), highest))}

    def _numbers(self, *where: ColumnElement[bool], most: int) -> list[int]:
        query = select(releases.c.number).where(*where).order_by(_DOWN).limit(most)
        return [row.number for row in self._sql.rows(query)]

    def _list(self, query: Select[Any]) -> list[Release]:
        return [_release(row, UNREAD) for row in self._sql.rows(query)]

    def _many(self, query: Select[Any]) -> list[Release]:
        rows = self._sql.rows(query)
        seals = self._seals(rows)
        return [_release(row, _opened(row, seals.get(row.app_id))) for row in rows]

    def _seals(self, rows: Sequence[Row[Any]]) -> dict[int, AppSeal]:
        keys = {row.app_id: row.data_key for row in rows if row.data_key}
        return {app_id: self._sealing.of_app(app_id, key) for app_id, key in keys.items()}


def _purpose(number: int) -> str:
    return f"release {number}"


def _opened(row: Row[Any], seal: AppSeal | None) -> Config:
    """Of an app that is gone the config is gone too, and reads as empty."""
    return seal.open(_purpose(row.number), row.config) if seal else {}


def _scales_written(formation: Formation | None) -> dict[str, list[object]] | None:
    return None if formation is None else {name: _scale_written(each) for name, each in formation.items()}


def _scale_written(scale: Scale) -> list[object]:
    return [scale.quantity, scale.size, *([asdict(scale.autoscale)] if scale.autoscale else [])]


def _scale_read(quantity: int, size: str, load: dict[str, int] | None = None) -> Scale:
    return Scale(quantity, size, Autoscale(**load) if load else None)


def _release(row: Row[Any], config: Config) -> Release:
    scales = row.formation
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
        formation=None if scales is None else {name: _scale_read(*each) for name, each in scales.items()},
        settings=settings_of(row.build_settings) if row.build_settings else None,
    )
