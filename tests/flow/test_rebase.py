"""The newest base under an app: a release like any other, or none."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from wherry.domain.errors import Conflict, PlatformFault
from wherry.domain.image import Image, Start
from wherry.domain.model import App, ReleaseStatus
from wherry.flow.draft import Draft, append
from wherry.flow.image_ports import OnBase
from wherry.flow.rebase import Rebase

from tests.fakes.bases import InMemoryBases
from tests.flow.conftest import Stage


@pytest.fixture
def bases() -> InMemoryBases:
    return InMemoryBases()


@pytest.fixture
def story(stage: Stage, bases: InMemoryBases) -> Rebase:
    return Rebase(stage.ledger, bases, stage.clock)


def test_a_rebase_is_a_release_of_the_same_code_with_the_config_as_it_is(
    stage: Stage, app: App, story: Rebase, bases: InMemoryBases
) -> None:
    first = stage.deploy(app, "a" * 40)
    stage.configure.run(stage.user, app, {"A": "1"})
    stage.work()
    done = story.run(stage.user, app, "here")
    made = done.release
    assert first
    assert made
    assert (done.base, made.description) == (bases.newest, "Rebase onto sha256:bbbbbbbbbbbb")
    assert made.image.digest != first.image.digest
    assert (made.image.processes, made.build_id, made.commit) == (first.image.processes, first.build_id, "a" * 40)
    assert made.config["A"].reveal() == "1"
    stage.work()
    assert stage.current(app) is not None
    assert stage.running(app) == [(made.number, "web.1")]
    assert [each.status for each in stage.releases(app)] == [ReleaseStatus.SUCCEEDED] * 3


def test_an_app_on_the_newest_base_gets_no_release(stage: Stage, app: App, story: Rebase) -> None:
    stage.deploy(app, "a" * 40)
    assert story.run(stage.user, app).release
    before, events = stage.releases(app), stage.events(app)
    assert story.run(stage.user, app).release is None
    assert (stage.releases(app), stage.events(app)) == (before, events)


def test_a_rollback_after_a_rebase_is_on_the_old_base_and_can_be_rebased_again(
    stage: Stage, app: App, story: Rebase
) -> None:
    first = stage.deploy(app, "a" * 40)
    made = story.run(stage.user, app).release
    stage.work()
    back = stage.rollback.run(stage.user, app)
    stage.work()
    again = story.run(stage.user, app).release
    assert first
    assert made
    assert again
    assert (back.image, again.image) == (first.image, made.image)


def test_a_rebase_is_no_other_code_that_a_release_phase_ran(stage: Stage, app: App, story: Rebase) -> None:
    stage.builder.processes = {"web": "serve", "release": "migrate"}
    first = stage.deploy(app, "a" * 40)
    story.run(stage.user, app)
    stage.work()
    assert first
    assert stage.rollback.run(stage.user, app, first.number).image == first.image


def test_what_cannot_be_rebased_is_refused_and_nothing_changes(
    stage: Stage, app: App, story: Rebase, bases: InMemoryBases
) -> None:
    with pytest.raises(Conflict, match="hello has no release yet"):
        story.run(stage.user, app)
    with stage.ledger.begin() as tx:
        boxed = Image(f"apps/{app.id}", "sha256:ab", {"web": "serve"}, {"web": Start(("serve",))})
        append(tx, Draft(app, app.owner, "Deploy", boxed, {}), stage.clock.now())
    with pytest.raises(Conflict, match="hello v1 cannot be rebased: a Dockerfile"):
        story.run(stage.user, app)
    stage.deploy(app, "a" * 40)
    bases.fixed[f"sha256:{'a' * 40}"] = "its image says no"
    with pytest.raises(Conflict, match="hello v2 cannot be rebased: its image says no"):
        story.run(stage.user, app)
    assert len(stage.releases(app)) == 2


@dataclass
class Interrupting:
    """Bases beside which others release too."""

    stage: Stage
    app: App
    images: list[str]
    bases: InMemoryBases

    def rebase(self, image: Image) -> OnBase:
        if self.images:
            with self.stage.ledger.begin() as tx:
                newer = Image(image.repository, self.images.pop(), {"web": "serve"})
                append(tx, Draft(self.app, self.app.owner, "Deploy", newer, {}), self.stage.clock.now())
        return self.bases.rebase(image)


def test_a_push_that_comes_first_is_what_is_rebased(stage: Stage, app: App, bases: InMemoryBases) -> None:
    stage.deploy(app, "a" * 40)
    beside = Interrupting(stage, app, ["sha256:new"], bases)
    made = Rebase(stage.ledger, beside, stage.clock).run(stage.user, app).release
    assert made
    assert (made.number, made.image) == (3, bases.rebase(Image(f"apps/{app.id}", "sha256:new", {"web": "serve"})).image)
    beside.images += ["sha256:1", "sha256:2", "sha256:3"]
    bases.newest = "sha256:" + "c" * 64
    with pytest.raises(Conflict, match="again and again"):
        Rebase(stage.ledger, beside, stage.clock).run(stage.user, app)


@dataclass
class Broken:
    """Bases whose registry has the image, and whose caller then dies."""

    bases: InMemoryBases
    broken: bool = True

    def rebase(self, image: Image) -> OnBase:
        made = self.bases.rebase(image)
        if self.broken:
            raise PlatformFault("gone")
        return made


def test_a15_a_rebase_that_ends_between_image_and_release_is_done_by_the_next(
    stage: Stage, app: App, bases: InMemoryBases
) -> None:
    stage.deploy(app, "a" * 40)
    broken = Broken(bases)
    story = Rebase(stage.ledger, broken, stage.clock)
    with pytest.raises(PlatformFault):
        story.run(stage.user, app)
    assert len(stage.releases(app)) == 1
    broken.broken = False
    made = story.run(stage.user, app).release
    assert made
    assert set(bases.on) == {made.image.digest}
    assert story.run(stage.user, app).release is None
