"""Pipelines: which app is in which stage of which."""

from __future__ import annotations

from dataclasses import dataclass

from wherry.domain.errors import NotFound
from wherry.domain.model import Actor, App
from wherry.domain.pipelines import Coupling, Pipeline, pipeline_name, stage_named
from wherry.domain.text import printable
from wherry.flow.ledger_ports import Ledger, Transaction
from wherry.flow.ports import Clock


@dataclass(frozen=True)
class Pipelines:
    """A pipeline is its owner's, and a platform admin's; to all others it does not exist."""

    ledger: Ledger
    clock: Clock

    def all(self, actor: Actor) -> list[Pipeline]:
        with self.ledger.begin(read_only=True) as tx:
            return [each for each in tx.pipelines.all() if _may(actor, each)]

    def find(self, actor: Actor, number: int | None, name: str) -> Pipeline:
        """By id or name; of two owners' of one name, the actor's own first. Raises NotFound."""
        known = self.all(actor)
        found = [each for each in known if each.id == number] or [each for each in known if each.name == name]
        for each in sorted(found, key=lambda each: each.owner.id != actor.id):
            return each
        raise NotFound(f"there is no pipeline '{printable(name, 60)}'", hint="To see yours: wherry pipelines")

    def create(self, actor: Actor, name: object, origin: str = "") -> Pipeline:
        """Raises InvalidInput, Conflict."""
        now, name = self.clock.now(), pipeline_name(name)
        with self.ledger.begin() as tx:
            made = tx.pipelines.add(name, actor, now)
            tx.events.add(now, actor, "", "pipeline.create", after={"pipeline": name}, origin=origin)
        return made

    def rename(self, actor: Actor, pipeline: Pipeline, name: object, origin: str = "") -> Pipeline:
        """Raises InvalidInput, Conflict."""
        now, name = self.clock.now(), pipeline_name(name)
        with self.ledger.begin() as tx:
            renamed = tx.pipelines.rename(pipeline, name, now)
            tx.events.add(
                now, actor, "", "pipeline.rename", {"pipeline": pipeline.name}, {"pipeline": name}, origin=origin
            )
        return renamed

    def remove(self, actor: Actor, pipeline: Pipeline, origin: str = "") -> None:
        """Its apps stay."""
        with self.ledger.begin() as tx:
            tx.pipelines.remove(pipeline.id)
            before = {"pipeline": pipeline.name}
            tx.events.add(self.clock.now(), actor, "", "pipeline.remove", before, origin=origin)

    def couplings(self, pipeline: Pipeline) -> list[Coupling]:
        with self.ledger.begin(read_only=True) as tx:
            return tx.pipelines.couplings(pipeline.id)

    def of_app(self, actor: Actor, app: App) -> tuple[Pipeline, Coupling]:
        """Raises NotFound."""
        with self.ledger.begin(read_only=True) as tx:
            coupling = tx.pipelines.of_app(app.id)
            if coupling and _may(actor, pipeline := tx.pipelines.by_id(coupling.pipeline_id)):
                return pipeline, coupling
        raise NotFound(
            f"{app.name} is in no pipeline",
            hint=f"To put it into one: wherry pipelines:add NAME -s STAGE -a {app.name}",
        )

    def coupling(self, actor: Actor, number: int) -> tuple[Pipeline, Coupling]:
        """Raises NotFound."""
        with self.ledger.begin(read_only=True) as tx:
            return _coupled(tx, actor, number)

    def couple(self, actor: Actor, pipeline: Pipeline, app: App, stage: object, origin: str = "") -> Coupling:
        """Raises InvalidInput, Conflict."""
        now, stage = self.clock.now(), stage_named(stage)
        with self.ledger.begin() as tx:
            made = tx.pipelines.couple(pipeline.id, app.id, stage, now)
            after = {"pipeline": pipeline.name, "stage": str(stage)}
            tx.events.add(now, actor, app.name, "pipeline.couple", after=after, origin=origin)
        return made

    def move(self, actor: Actor, coupling: Coupling, stage: object, origin: str = "") -> Coupling:
        """Raises InvalidInput."""
        stage = stage_named(stage)
        with self.ledger.begin() as tx:
            moved = tx.pipelines.move(coupling.id, stage)
            before, after = {"stage": str(coupling.stage)}, {"stage": str(stage)}
            tx.events.add(self.clock.now(), actor, coupling.app_name, "pipeline.move", before, after, origin)
        return moved

    def uncouple(self, actor: Actor, coupling: Coupling, origin: str = "") -> None:
        with self.ledger.begin() as tx:
            tx.pipelines.uncouple(coupling.id)
            before = {"stage": str(coupling.stage)}
            tx.events.add(self.clock.now(), actor, coupling.app_name, "pipeline.uncouple", before, origin=origin)


def _may(actor: Actor, pipeline: Pipeline) -> bool:
    return actor.admin or pipeline.owner.id == actor.id


def _coupled(tx: Transaction, actor: Actor, number: int) -> tuple[Pipeline, Coupling]:
    coupling = tx.pipelines.coupling(number)
    pipeline = tx.pipelines.by_id(coupling.pipeline_id)
    if not _may(actor, pipeline):
        raise NotFound("no such coupling of an app and a pipeline")
    return pipeline, coupling
