"""Pipelines: apps in stages, and the form that promotes what serves in one to others."""

from __future__ import annotations

from dataclasses import dataclass

from flask import render_template, request
from werkzeug.wrappers import Response as AnyResponse

from wherry.domain.errors import NotFound
from wherry.domain.model import App
from wherry.domain.pipelines import Coupling, Pipeline, Promotion, Stage
from wherry.domain.roles import Permission
from wherry.portal.forms import Answer, Refused, answered, done, typed
from wherry.portal.session import actor, origin
from wherry.portal.shelf import Shelf
from wherry.portal.text import clean
from wherry.wiring.web import World


@dataclass(frozen=True)
class PipelinePages:
    world: World

    def index(self) -> str:
        self._admit(Permission.LIST)
        return self._list()

    def create(self) -> Answer:
        self._admit(Permission.CREATE)

        def act() -> AnyResponse:
            made = self.world.pipelines.create(actor(), typed("name").strip(), origin())
            return done(f"{made.name} is made.", "pipeline", number=made.id)

        return answered("create", act, self._list)

    def show(self, number: int) -> str:
        self._admit(Permission.LIST)
        return self._page(self._found(number))

    def remove(self, number: int) -> AnyResponse:
        self._admit(Permission.CREATE)
        found = self._found(number)
        self.world.pipelines.remove(actor(), found, origin())
        return done(f"{clean(found.name)} is removed; its apps stay.", "pipelines")

    def couple(self, number: int) -> Answer:
        self._admit(Permission.CREATE)
        found = self._found(number)

        def act() -> AnyResponse:
            app = Shelf(self.world).app(typed("app").strip(), Permission.ADMIN)
            made = self.world.pipelines.couple(actor(), found, app, typed("stage"), origin())
            return done(f"{app.name} is in {made.stage}.", "pipeline", number=found.id)

        return answered("couple", act, lambda no: self._page(found, no))

    def move(self, number: int) -> Answer:
        """To another stage; `remove`: out of the pipeline."""
        self._admit(Permission.CREATE)
        found = self._found(number)

        def act() -> AnyResponse:
            coupling = self._coupling(found, typed("app"))
            if typed("remove") == "yes":
                self.world.pipelines.uncouple(actor(), coupling, origin())
                return done(f"{coupling.app_name} is in no pipeline now.", "pipeline", number=found.id)
            moved = self.world.pipelines.move(actor(), coupling, typed("stage"), origin())
            return done(f"{moved.app_name} is in {moved.stage}.", "pipeline", number=found.id)

        return answered("move", act, lambda no: self._page(found, no))

    def promote(self, number: int) -> Answer:
        """What serves in `source`, to each of `target`; each for itself. Both must be apps that one may deploy to."""
        self._admit(Permission.CREATE)
        found, shelf = self._found(number), Shelf(self.world)

        def act() -> AnyResponse:
            source = shelf.app(typed("source"), Permission.DEPLOY)
            targets = [shelf.app(each, Permission.DEPLOY) for each in request.form.getlist("target")]
            made = self.world.promote.run(actor(), found, source, targets, origin())
            return done(self._told(made, source, targets), "pipeline", number=found.id)

        return answered("promote", act, lambda no: self._page(found, no))

    def _told(self, promotion: Promotion, source: App, targets: list[App]) -> str:
        names = {each.id: each.name for each in targets}
        told = []
        with self.world.ledger.begin(read_only=True) as tx:
            for each in promotion.targets:
                what = f"is {tx.releases.by_id(each.release_id).name}" if each.release_id else f"failed: {each.error}"
                told.append(f"{names[each.app_id]} {what}")
        return clean(f"Promoted {source.name}: {'; '.join(told)}.")

    def _admit(self, permission: Permission) -> None:
        self.world.access.admit(actor(), permission)

    def _found(self, number: int) -> Pipeline:
        return self.world.pipelines.find(actor(), number, "")

    def _coupling(self, pipeline: Pipeline, app: str) -> Coupling:
        for each in self.world.pipelines.couplings(pipeline):
            if each.app_name == app:
                return each
        raise NotFound(f"{clean(app)} is not in {pipeline.name}")

    def _sees(self, coupling: Coupling) -> bool:
        """Who has a pipeline may have lost an app that is in it."""
        try:
            Shelf(self.world).app(str(coupling.app_id), Permission.VIEW)
        except NotFound:
            return False
        return True

    def _list(self, refused: Refused | None = None) -> str:
        return render_template("portal/pipelines.html", pipelines=self.world.pipelines.all(actor()), refused=refused)

    def _page(self, pipeline: Pipeline, refused: Refused | None = None) -> str:
        inside = self.world.pipelines.couplings(pipeline)
        seen = [each.app_id for each in inside if self._sees(each)]
        with self.world.ledger.begin(read_only=True) as tx:
            serving = tx.releases.currents(seen)
        return render_template(
            "portal/pipeline.html",
            pipeline=pipeline,
            stages=[(stage, [each for each in inside if each.stage is stage]) for stage in Stage],
            inside=inside,
            seen=seen,
            serving=serving,
            refused=refused,
        )
