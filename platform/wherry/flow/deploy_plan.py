"""What the next deploy would change, without doing any of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wherry.domain import procfile
from wherry.domain.build_settings import CONTAINER
from wherry.domain.config import Config
from wherry.domain.difference import Change, Shape, difference, shape_of
from wherry.domain.errors import Conflict, PlatformFault
from wherry.domain.formation import Formation, settled, without_load
from wherry.domain.model import App, Release
from wherry.flow.image_ports import Bases
from wherry.flow.ledger_ports import Ledger
from wherry.flow.ports import Sources


@dataclass(frozen=True, slots=True)
class Head:
    """What would be pushed, as far as its user tells: `procfile` None when the commit has none. `build_file`: the file by
    which it asks for another build than buildpacks', "" for none.
    """

    commit: str
    procfile: str | None = None
    build_file: str = ""


@dataclass(frozen=True, slots=True)
class DeployPlan:
    """`changes` from the running release (None: there is none) to what a deploy of `commit` (None: not known) would make;
    `notes`: what only the build will tell. `deploys` is False when a push would build nothing.
    """

    running: Release | None
    commit: str | None
    deploys: bool
    changes: Sequence[Change]
    notes: Sequence[str]


@dataclass(frozen=True)
class PlanDeploy:
    ledger: Ledger
    sources: Sources
    bases: Bases

    def run(self, app: App, head: Head | None = None) -> DeployPlan:
        """Without `head`, of the deploy branch as it was pushed last. Raises InvalidInput for a Procfile that the build
        would refuse.
        """
        with self.ledger.begin(read_only=True) as tx:
            running = tx.releases.current(app.id)
            config, formation = tx.apps.config(app.id), tx.apps.formation(app.id)
        commit = head.commit if head else self._pushed(app)
        types, notes = _types(app, head)
        formation = without_load(formation)  # which a deploy never changes
        before = _before(running, formation)
        after = _after(app, commit, types, formation, config, before)
        changes = [*difference(before, after), *self._base(running, notes)]
        pushed = running.commit if running else None
        return DeployPlan(running, commit, commit is None or commit != pushed, changes, notes)

    def _pushed(self, app: App) -> str | None:
        return self.sources.head(app.id, app.deploy_branch) if app.deploy_branch else None

    def _base(self, running: Release | None, notes: list[str]) -> list[Change]:
        """A build takes the newest base."""
        if running is None or running.image.starts:
            return []
        try:
            below = self.bases.below(running.image)
        except (Conflict, PlatformFault) as error:
            notes.append(f"The base of {running.name} is not known: {error.message}.")
            return []
        return [Change("base", "", below.now, below.newest)] if below.now != below.newest else []


def _types(app: App, head: Head | None) -> tuple[dict[str, str] | None, list[str]]:
    """None where only the build will tell."""
    if head is None:
        return None, ["What the next push brings is not known here: ask in its repository."]
    decides = head.build_file or ("the stack container" if app.build.stack == CONTAINER else "")
    if decides:
        return None, [f"The build tells which process types there are, by {decides}."]
    if head.procfile is None:
        return None, ["There is no Procfile: the buildpacks tell which process types there are."]
    return procfile.parse(head.procfile.encode()), ["Buildpacks may add process types to those of the Procfile."]


def _before(running: Release | None, formation: Formation) -> Shape:
    """Quantities are the app's, as they are now, not as the release began."""
    if running is None:
        return Shape("", None, None, (), {}, {}, {})
    was = shape_of(running)
    scales = settled(formation, running.image.processes)
    return Shape(was.commit, None, was.stack, was.buildpacks, was.processes, scales, was.config)


def _after(
    app: App,
    commit: str | None,
    types: dict[str, str] | None,
    formation: Formation,
    config: Config,
    before: Shape,
) -> Shape:
    scales = None if types is None else settled(formation, types)
    return Shape(commit, None, app.build.stack or before.stack, app.build.buildpacks, types, scales, config)
