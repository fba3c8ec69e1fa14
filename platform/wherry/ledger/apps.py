"""Apps: their names, config and formation."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, delete, insert, literal, or_, select, union_all, update

from wherry.domain.autoscale import Autoscale
from wherry.domain.build_settings import BuildSettings
from wherry.domain.config import Config
from wherry.domain.errors import Conflict, NotFound
from wherry.domain.formation import Formation, Scale
from wherry.domain.model import Actor, App, JobKind
from wherry.domain.paging import Window
from wherry.ledger.accounts import actor_columns, actor_of
from wherry.ledger.collaborators import collaborators
from wherry.ledger.columns import sought
from wherry.ledger.crons import cron_runs, cron_tasks
from wherry.ledger.domains import domains
from wherry.ledger.drains import drains
from wherry.ledger.jobs import never_claimed
from wherry.ledger.pipelines import couplings
from wherry.ledger.sealing import AppSeal, Sealing
from wherry.ledger.statements import Statements
from wherry.ledger.tables import apps, builds, jobs, one_offs, releases, tombstones, users
from wherry.ledger.tables import formation as scales
from wherry.ledger.transfers import transfers
from wherry.ledger.webhooks import deliveries, webhooks
from wherry.ledger.windows import windowed

TOMBSTONE = timedelta(days=90)
_LIVING = apps.c.removed_at.is_(None)
_SHOWN = (
    apps.c.id,
    apps.c.name,
    apps.c.created_at,
    apps.c.updated_at,
    apps.c.deploy_branch,
    apps.c.build_settings,
    apps.c.maintenance,
)
_QUERY = select(*_SHOWN, *actor_columns()).join(users, users.c.id == apps.c.owner_id).where(_LIVING)


class SqlApps:
    def __init__(self, statements: Statements, sealing: Sealing) -> None:
        self._sql = statements
        self._sealing = sealing

    def add(self, name: str, owner: Actor, now: datetime) -> App:
        self._refuse_taken(name, 0, now)
        values = {"name": name, "owner_id": owner.id, "created_at": now, "updated_at": now}
        row = self._sql.row(insert(apps).values(values).returning(apps.c.id))
        app_id = int(row.id) if row else 0
        self._change(app_id, data_key=self._sealing.new_data_key(app_id))
        return self.by_id(app_id)

    def by_id(self, app_id: int) -> App:
        return self._one(self._sql.row(_QUERY.where(apps.c.id == sought(app_id))))

    def by_name(self, name: str) -> App:
        return self._one(self._sql.row(_QUERY.where(apps.c.name == name)))

    def all(self) -> list[App]:
        """By name."""
        names = self._domains()
        return [_app(row, names.get(row.id, ())) for row in self._sql.rows(_QUERY.order_by(apps.c.name))]

    def seen_by(self, user_id: int) -> list[App]:
        theirs = _seen_by(user_id)
        names = self._domains(domains.c.app_id.in_(select(apps.c.id).where(theirs)))
        return [_app(row, names.get(row.id, ())) for row in self._sql.rows(_QUERY.where(theirs).order_by(apps.c.name))]

    def page(self, user_id: int | None, window: Window, by_id: bool = False) -> list[App]:
        query = _QUERY if user_id is None else _QUERY.where(_seen_by(user_id))
        return self._many(windowed(query, apps.c.id if by_id else apps.c.name, window))

    def among(self, user_id: int | None, ids: Collection[int], names: Collection[str]) -> list[App]:
        query = _QUERY if user_id is None else _QUERY.where(_seen_by(user_id))
        return self._many(query.where(or_(apps.c.id.in_(ids), apps.c.name.in_(names))).order_by(apps.c.name))

    def rename(self, app_id: int, name: str, now: datetime) -> App:
        before = self.by_id(app_id)
        self._refuse_taken(name, app_id, now)
        if before.name != name:
            self._sql.write(delete(tombstones).where(tombstones.c.name == name, tombstones.c.app_id == app_id))
            self._bury(before.name, app_id, now)
            self._change(app_id, name=name, updated_at=now)
        return self.by_id(app_id)

    def set_owner(self, app_id: int, owner: Actor, now: datetime) -> None:
        self._change(app_id, owner_id=owner.id, updated_at=now)

    def set_deploy_branch(self, app_id: int, branch: str) -> None:
        self._change(app_id, deploy_branch=branch)

    def set_maintenance(self, app_id: int, on: bool) -> None:
        self._change(app_id, maintenance=on)

    def put_build_settings(self, app_id: int, settings: BuildSettings) -> None:
        self._change(app_id, build_settings=asdict(settings))

    def remove(self, app_id: int, now: datetime) -> None:
        """Without its data key, nothing can open the config of its releases either. A second time changes nothing."""
        row = self._sql.row(select(apps.c.name).where(apps.c.id == app_id, _LIVING))
        if row is None:
            return
        self._bury(row.name, app_id, now)
        self._change(app_id, removed_at=now, config=None, data_key=None)
        self._sql.write(delete(scales).where(scales.c.app_id == app_id))
        self._sql.write(delete(domains).where(domains.c.app_id == app_id))
        self._sql.write(delete(cron_tasks).where(cron_tasks.c.app_id == app_id))
        self._sql.write(delete(drains).where(drains.c.app_id == app_id))
        self._sql.write(delete(deliveries).where(deliveries.c.app_id == app_id))
        self._sql.write(delete(webhooks).where(webhooks.c.app_id == app_id))
        self._sql.write(delete(transfers).where(transfers.c.app_id == app_id))
        self._sql.write(delete(collaborators).where(collaborators.c.app_id == app_id))
        self._sql.write(delete(couplings).where(couplings.c.app_id == app_id))
        self._sql.write(delete(one_offs).where(one_offs.c.app_id == app_id))
        for kind, subjects in (
            (JobKind.BUILD, select(builds.c.id).where(builds.c.app_id == app_id)),
            (JobKind.ROLLOUT, select(releases.c.id).where(releases.c.app_id == app_id)),
            (JobKind.CONVERGE, select(literal(app_id))),
            (JobKind.ROUTE, select(literal(app_id))),
            (JobKind.CRON, select(cron_runs.c.id).where(cron_runs.c.app_id == app_id)),
        ):
            self._sql.write(delete(jobs).where(jobs.c.kind == kind, jobs.c.subject.in_(subjects), never_claimed()))

    def config(self, app_id: int) -> Config:
        row = self._sql.row(select(apps.c.data_key, apps.c.config).where(apps.c.id == app_id, _LIVING))
        if row is None:
            raise _missing()
        return self._sealing.of_app(app_id, row.data_key).open("config", row.config) if row.config else {}

    def put_config(self, app_id: int, config: Config) -> None:
        self._change(app_id, config=self._seal(app_id).seal("config", config))

    def formation(self, app_id: int) -> Formation:
        rows = self._sql.rows(select(scales).where(scales.c.app_id == app_id).order_by(scales.c.type))
        return {row.type: _scale(row) for row in rows}

    def formations(self, app_ids: Collection[int]) -> dict[int, Formation]:
        found: dict[int, dict[str, Scale]] = {}
        for row in self._sql.rows(select(scales).where(scales.c.app_id.in_(app_ids)).order_by(scales.c.type)):
            found.setdefault(row.app_id, {})[row.type] = _scale(row)
        return dict(found)

    def put_formation(self, app_id: int, formation: Formation) -> None:
        self.by_id(app_id)
        self._sql.write(delete(scales).where(scales.c.app_id == app_id))
        rows = [
            {
                "app_id": app_id,
                "type": name,
                "quantity": scale.quantity,
                "size": scale.size,
                "autoscale": asdict(scale.autoscale) if scale.autoscale else None,
            }
            for name, scale in formation.items()
        ]
        if rows:
            self._sql.write(insert(scales), rows)

    def _many(self, query: Select[Any]) -> list[App]:
        rows = self._sql.rows(query)
        names = self._domains(domains.c.app_id.in_([row.id for row in rows]))
        return [_app(row, names.get(row.id, ())) for row in rows]

    def _one(self, row: Row[Any] | None) -> App:
        if row is None:
            raise _missing()
        return _app(row, self._domains(domains.c.app_id == row.id).get(row.id, ()))

    def _domains(self, *which: ColumnElement[bool]) -> dict[int, tuple[str, ...]]:
        """The custom domains that get traffic, by app."""
        query = select(domains.c.app_id, domains.c.name).where(domains.c.verified_at.is_not(None), *which)
        found: dict[int, tuple[str, ...]] = {}
        for row in self._sql.rows(query.order_by(domains.c.name)):
            found[row.app_id] = (*found.get(row.app_id, ()), row.name)
        return found

    def _refuse_taken(self, name: str, own_id: int, now: datetime) -> None:
        living = select(apps.c.id).where(apps.c.name == name, apps.c.id != own_id, _LIVING)
        dead = select(tombstones.c.app_id).where(
            tombstones.c.name == name, tombstones.c.app_id != own_id, tombstones.c.freed_at > now - TOMBSTONE
        )
        if self._sql.row(union_all(living, dead)) is not None:
            # One text for all cases: whose it is or was is nobody's business.
            raise Conflict(
                f"the name {name} is taken",
                hint="Choose another one. A name stays taken for 90 days after its app is gone or renamed.",
            )

    def _bury(self, name: str, app_id: int, now: datetime) -> None:
        self._sql.write(insert(tombstones).values(name=name, app_id=app_id, freed_at=now))

    def _seal(self, app_id: int) -> AppSeal:
        row = self._sql.row(select(apps.c.data_key).where(apps.c.id == app_id, _LIVING))
        if row is None:
            raise _missing()
        return self._sealing.of_app(app_id, row.data_key)

    def _change(self, app_id: int, **values: object) -> None:
        if not self._sql.write(update(apps).where(apps.c.id == app_id, _LIVING).values(**values)):
            raise _missing()


def _app(row: Row[Any], names: tuple[str, ...]) -> App:
    build = settings_of(row.build_settings or {})
    return App(
        row.id,
        row.name,
        actor_of(row),
        row.created_at,
        row.updated_at,
        row.deploy_branch,
        build,
        bool(row.maintenance),
        names,
    )


def _scale(row: Row[Any]) -> Scale:
    return Scale(row.quantity, row.size, Autoscale(**row.autoscale) if row.autoscale else None)


def _seen_by(user_id: int) -> ColumnElement[bool]:
    shared = select(collaborators.c.app_id).where(collaborators.c.user_id == user_id)
    return or_(apps.c.owner_id == user_id, apps.c.id.in_(shared))


def settings_of(written: Mapping[str, Any]) -> BuildSettings:
    return BuildSettings(**{**written, "buildpacks": tuple(written.get("buildpacks", ()))})


def _missing() -> NotFound:
    return NotFound("no such app", hint="To see yours: wherry apps")
