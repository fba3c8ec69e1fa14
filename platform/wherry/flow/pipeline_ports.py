"""What the stories need of the ledger about pipelines and promotions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from wherry.domain.model import Actor
from wherry.domain.pipelines import Coupling, Pipeline, Promotion, Stage


class Pipelines(Protocol):
    def add(self, name: str, owner: Actor, now: datetime) -> Pipeline:
        """Raises Conflict when the owner has one of that name."""

    def by_id(self, pipeline_id: int) -> Pipeline:
        """Raises NotFound."""

    def all(self) -> list[Pipeline]:
        """By name."""

    def rename(self, pipeline: Pipeline, name: str, now: datetime) -> Pipeline:
        """Raises Conflict as `add` does."""

    def remove(self, pipeline_id: int) -> None:
        """With its couplings."""

    def couple(self, pipeline_id: int, app_id: int, stage: Stage, now: datetime) -> Coupling:
        """Raises Conflict when the app is in a pipeline."""

    def coupling(self, coupling_id: int) -> Coupling:
        """Raises NotFound."""

    def of_app(self, app_id: int) -> Coupling | None: ...

    def couplings(self, pipeline_id: int) -> list[Coupling]:
        """By the apps' names."""

    def move(self, coupling_id: int, stage: Stage) -> Coupling: ...

    def uncouple(self, coupling_id: int) -> None: ...

    def keep(
        self,
        pipeline_id: int,
        app_id: int,
        release_id: int,
        targets: Sequence[tuple[int, int | None, str]],
        now: datetime,
    ) -> Promotion:
        """`targets`: app, release made in it, why none."""

    def promotion(self, promotion_id: int) -> Promotion:
        """Raises NotFound."""
