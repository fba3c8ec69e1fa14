"""The phases that run buildpacks' code, in order, in one container: detect, restore, build."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from wherry.builds import unbuilt
from wherry.builds.build import Outcome, build
from wherry.builds.cache import CacheUnit
from wherry.builds.catalogue import Catalogue
from wherry.builds.detect import Detector, Group
from wherry.builds.earlier import Earlier
from wherry.builds.ground import Ground
from wherry.builds.layers import declared
from wherry.builds.model import BuiltLayer
from wherry.builds.order import candidates
from wherry.builds.plan import Plan
from wherry.builds.restore import restore
from wherry.builds.surroundings import Surroundings
from wherry.domain.errors import BuildFailed, BuildFailure, InvalidInput
from wherry.flow.ports import SandboxSession, Say
from wherry.flow.talk import detail


@dataclass(slots=True)
class Phases:
    """`run` is what a Sandbox takes as its steps; `group` and `outcome` are there afterwards. `earlier`: may wait for the
    registry, so it is asked only when the buildpacks are found.
    """

    ground: Ground
    catalogue: Catalogue
    surroundings: Surroundings
    cache: CacheUnit
    earlier: Callable[[], Earlier]
    say: Say
    group: Group = field(default_factory=lambda: Group((), Plan(())))
    outcome: Outcome = field(default_factory=Outcome)

    def run(self, session: SandboxSession) -> None:
        self.group = self._detect(session)
        self._restore()
        try:
            build(session, self.ground, self.surroundings, self.group, self.outcome, self.say)
        except BuildFailed:
            self.cache.left = self._left()
            raise

    def _detect(self, session: SandboxSession) -> Group:
        tried = candidates(self.catalogue.order, self.catalogue.find)
        try:
            group = Detector(session, self.ground, self.surroundings).detect(tried)
        except BuildFailed as error:
            if self.catalogue.listed and error.kind is BuildFailure.NOTHING_DETECTED:
                raise _unfitting(error) from error
            raise
        shown = ", ".join(f"{each.id} {each.buildpack.version}" for each in group.buildpacks)
        detail(self.say, f"Buildpacks: {shown}")
        files = (each.name for each in self.ground.app.iterdir())
        for line in unbuilt.words((each.id for each in group.buildpacks), files):
            self.say(f" !     {line}")
        return group

    def _restore(self) -> None:
        earlier = self.earlier()
        self.cache.claim()
        restore(self.group.buildpacks, self.ground, self.cache, earlier)
        self.cache.begin()

    def _left(self) -> list[BuiltLayer]:
        """What a build that failed leaves to the next one: all of buildpacks that succeeded, and caches of the one that
        did not, whose other layers may be half made.
        """
        left = [layer for layers in self.outcome.layers for layer in layers]
        for failed in self.group.buildpacks[len(self.outcome.layers) :][:1]:
            try:
                found = declared(self.ground.layers, failed.buildpack)
            except InvalidInput:
                continue
            left += [each for each in found if each.cache and not each.launch and not each.build]
        return left


def _unfitting(error: BuildFailed) -> BuildFailed:
    return BuildFailed(
        error.kind,
        "not all of the buildpacks that this app asks for know what to do with it",
        evidence=error.evidence,
        hint="They are those of project.toml, else of: wherry buildpacks",
    )
