"""Pipelines, the apps in them, and what was promoted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, Index, Row, Table, Text, delete, insert, select, update

from wherry.domain.errors import Conflict, NotFound
from wherry.domain.model import Actor
from wherry.domain.pipelines import Coupling, Pipeline, Promotion, Stage, Target
from wherry.ledger.accounts import actor_columns, actor_of
from wherry.ledger.columns import ID, FreeText, Instant, sought
from wherry.ledger.statements import Statements
from wherry.ledger.tables import apps, metadata, users

pipelines = Table(
    "pipelines",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", Text, nullable=False),
    Column("owner_id", ID, ForeignKey("users.id"), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Index("uq_pipelines_owner_id_name", "owner_id", "name", unique=True),
    sqlite_autoincrement=True,
)

couplings = Table(
    "couplings",
    metadata,
    Column("id", ID, primary_key=True),
    Column("pipeline_id", ID, ForeignKey("pipelines.id"), nullable=False),
    Column("app_id", ID, ForeignKey("apps.id"), nullable=False),
    Column("stage", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Index("uq_couplings_app_id", "app_id", unique=True),
    Index("ix_couplings_pipeline_id", "pipeline_id"),
    sqlite_autoincrement=True,
)

# Without foreign keys: what was promoted stays known when a pipeline or an app is gone.
promotions = Table(
    "promotions",
    metadata,
    Column("id", ID, primary_key=True),
    Column("pipeline_id", ID, nullable=False),
    Column("app_id", ID, nullable=False),
    Column("release_id", ID, nullable=False),
    Column("created_at", Instant, nullable=False),
    sqlite_autoincrement=True,
)

promotion_targets = Table(
    "promotion_targets",
    metadata,
    Column("id", ID, primary_key=True),
    Column("promotion_id", ID, ForeignKey("promotions.id"), nullable=False),
    Column("app_id", ID, nullable=False),
    Column("release_id", ID),
    Column("error", FreeText, nullable=False),
    Index("ix_promotion_targets_promotion_id", "promotion_id"),
    sqlite_autoincrement=True,
)

_PIPELINE = select(
    pipelines.c.id, pipelines.c.name, pipelines.c.created_at, pipelines.c.updated_at, *actor_columns()
).join(users, users.c.id == pipelines.c.owner_id)
_COUPLING = select(couplings, apps.c.name).join(apps, apps.c.id == couplings.c.app_id)


class SqlPipelines:
    def __init__(self, statements: Statements) -> None:
        self._sql = statements

    def add(self, name: str, owner: Actor, now: datetime) -> Pipeline:
        self._refuse_taken(name, owner.id)
        values = {"name": name, "owner_id": owner.id, "created_at": now, "updated_at": now}
        row = self._sql.row(insert(pipelines).values(values).returning(pipelines.c.id))
        return self.by_id(int(row.id) if row else 0)

    def by_id(self, pipeline_id: int) -> Pipeline:
        row = self._sql.row(_PIPELINE.where(pipelines.c.id == sought(pipeline_id)))
        if row is None:
            raise NotFound("no such pipeline", hint="To see yours: wherry pipelines")
        return _pipeline(row)

    def all(self) -> list[Pipeline]:
        return [_pipeline(row) for row in self._sql.rows(_PIPELINE.order_by(pipelines.c.name, pipelines.c.id))]

    def rename(self, pipeline: Pipeline, name: str, now: datetime) -> Pipeline:
        if name != pipeline.name:
            self._refuse_taken(name, pipeline.owner.id)
            change = update(pipelines).where(pipelines.c.id == pipeline.id)
            self._sql.write(change.values(name=name, updated_at=now))
        return self.by_id(pipeline.id)

    def remove(self, pipeline_id: int) -> None:
        self._sql.write(delete(couplings).where(couplings.c.pipeline_id == pipeline_id))
        self._sql.write(delete(pipelines).where(pipelines.c.id == pipeline_id))

    def couple(self, pipeline_id: int, app_id: int, stage: Stage, now: datetime) -> Coupling:
        if self.of_app(app_id):
            raise Conflict("the app is in a pipeline already", hint="To take it out: wherry pipelines:remove -a APP")
        values = {"pipeline_id": pipeline_id, "app_id": app_id, "stage": str(stage), "created_at": now}
        row = self._sql.row(insert(couplings).values(values).returning(couplings.c.id))
        return self.coupling(int(row.id) if row else 0)

    def coupling(self, coupling_id: int) -> Coupling:
        row = self._sql.row(_COUPLING.where(couplings.c.id == sought(coupling_id)))
        if row is None:
            raise NotFound("no such coupling of an app and a pipeline")
        return _coupling(row)

    def of_app(self, app_id: int) -> Coupling | None:
        row = self._sql.row(_COUPLING.where(couplings.c.app_id == app_id))
        return _coupling(row) if row else None

    def couplings(self, pipeline_id: int) -> list[Coupling]:
        query = _COUPLING.where(couplings.c.pipeline_id == pipeline_id).order_by(apps.c.name)
        return [_coupling(row) for row in self._sql.rows(query)]

    def move(self, coupling_id: int, stage: Stage) -> Coupling:
        self._sql.write(update(couplings).where(couplings.c.id == coupling_id).values(stage=str(stage)))
        return self.coupling(coupling_id)

    def uncouple(self, coupling_id: int) -> None:
        self._sql.write(delete(couplings).where(couplings.c.id == coupling_id))

    def keep(
        self,
        pipeline_id: int,
        app_id: int,
        release_id: int,
        targets: Sequence[tuple[int, int | None, str]],
        now: datetime,
    ) -> Promotion:
        values = {"pipeline_id": pipeline_id, "app_id": app_id, "release_id": release_id, "created_at": now}
        row = self._sql.row(insert(promotions).values(values).returning(promotions.c.id))
        number = int(row.id) if row else 0
        rows = [
            {"promotion_id": number, "app_id": target, "release_id": release, "error": error}
            for target, release, error in targets
        ]
        self._sql.write(insert(promotion_targets), rows)
        return self.promotion(number)

    def promotion(self, promotion_id: int) -> Promotion:
        row = self._sql.row(select(promotions).where(promotions.c.id == sought(promotion_id)))
        if row is None:
            raise NotFound("no such promotion")
        query = select(promotion_targets).where(promotion_targets.c.promotion_id == promotion_id)
        targets = [
            Target(each.id, each.app_id, each.release_id, each.error)
            for each in self._sql.rows(query.order_by(promotion_targets.c.id))
        ]
        return Promotion(row.id, row.pipeline_id, row.app_id, row.release_id, row.created_at, tuple(targets))

    def _refuse_taken(self, name: str, owner_id: int) -> None:
        query = select(pipelines.c.id).where(pipelines.c.name == name, pipelines.c.owner_id == owner_id)
        if self._sql.row(query):
            raise Conflict(f"you have a pipeline {name} already", hint="To see yours: wherry pipelines")


def _pipeline(row: Row[Any]) -> Pipeline:
    return Pipeline(row.id, row.name, actor_of(row), row.created_at, row.updated_at)


def _coupling(row: Row[Any]) -> Coupling:
    return Coupling(row.id, row.pipeline_id, row.app_id, row.name, Stage(row.stage), row.created_at)
