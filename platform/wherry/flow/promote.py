"""A promotion: the very image that serves in one app is released in others, with their own config. Nothing is built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wherry.domain.errors import Conflict, InvalidInput, WherryError
from wherry.domain.model import Actor, App, Release
from wherry.domain.pipelines import Coupling, Pipeline, Promotion, next_stage
from wherry.flow.draft import Draft, append
from wherry.flow.image_ports import Images
from wherry.flow.ledger_ports import Ledger
from wherry.flow.ports import Clock


@dataclass(frozen=True)
class Promote:
    ledger: Ledger
    images: Images
    clock: Clock

    def run(self, actor: Actor, pipeline: Pipeline, source: App, targets: Sequence[App], origin: str = "") -> Promotion:
        """To the apps that are named, each for itself: one that cannot take it does not keep it from the others. The
        actor must be allowed to deploy to every one of them.

        Raises InvalidInput, Conflict when nothing can be promoted.
        """
        release = self._serving(source)
        self._check(pipeline, source, targets)
        results = [(target.id, *self._released(actor, source, release, target, origin)) for target in targets]
        with self.ledger.begin() as tx:
            return tx.pipelines.keep(pipeline.id, source.id, release.id, results, self.clock.now())

    def downstream(self, coupling: Coupling) -> list[Coupling]:
        """The apps of the next stage. Raises Conflict when there are none."""
        stage = next_stage(coupling.stage)
        with self.ledger.begin(read_only=True) as tx:
            found = [each for each in tx.pipelines.couplings(coupling.pipeline_id) if each.stage is stage]
        if not found:
            raise Conflict(f"no app of the pipeline is in {stage}, the stage after {coupling.stage}")
        return found

    def _serving(self, source: App) -> Release:
        with self.ledger.begin(read_only=True) as tx:
            release = tx.releases.current(source.id)
        if release is None:
            raise Conflict(f"{source.name} has no release to promote", hint="To make one: git push wherry main")
        return release

    def _check(self, pipeline: Pipeline, source: App, targets: Sequence[App]) -> None:
        with self.ledger.begin(read_only=True) as tx:
            inside = {each.app_id for each in tx.pipelines.couplings(pipeline.id)}
        problems = [f"{each.name}: is not in the pipeline" for each in (source, *targets) if each.id not in inside]
        if any(each.id == source.id for each in targets):
            problems.append(f"{source.name}: cannot be promoted to itself")
        if len({each.id for each in targets}) != len(targets) or not targets:
            problems.append("targets: must name each app once, and one at least")
        if problems:
            raise InvalidInput("nothing was promoted", problems=problems)

    def _released(
        self, actor: Actor, source: App, release: Release, target: App, origin: str
    ) -> tuple[int | None, str]:
        """The new release's id, or why there is none."""
        try:
            image = self.images.copy(release.image, target.id)
            with self.ledger.begin() as tx:
                described = f"Promote {source.name} {release.name} {release.commit[:8]}".strip()
                draft = Draft(
                    target,
                    actor,
                    described,
                    image,
                    tx.apps.config(target.id),
                    commit=release.commit,
                    origin=origin,
                    settings=release.settings,
                )
                return append(tx, draft, self.clock.now()).id, ""
        except WherryError as error:
            return None, error.message
