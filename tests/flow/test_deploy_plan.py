"""What the next deploy would change."""

from __future__ import annotations

import pytest
from wherry.domain.build_settings import BuildSettings
from wherry.domain.difference import Change
from wherry.domain.errors import InvalidInput, PlatformFault
from wherry.domain.model import App
from wherry.flow.deploy_plan import Head, PlanDeploy

from tests.fakes.bases import InMemoryBases
from tests.flow.conftest import Stage

ONE, TWO = "1" * 40, "2" * 40


@pytest.fixture
def bases() -> InMemoryBases:
    return InMemoryBases()


@pytest.fixture
def story(stage: Stage, bases: InMemoryBases) -> PlanDeploy:
    return PlanDeploy(stage.ledger, stage.sources, bases)


def test_the_first_deploy_brings_everything(stage: Stage, app: App, story: PlanDeploy) -> None:
    stage.configure.run(stage.user, app, {"A": "secret"})
    plan = story.run(app, Head(ONE, "web: serve\nworker: work\n"))
    assert plan.changes == [
        Change("commit", "", None, ONE),
        Change("process", "web", None, "serve"),
        Change("process", "worker", None, "work"),
        Change("formation", "web", None, "1:basic"),
        Change("formation", "worker", None, "0:basic"),
        Change("config", "A", None, "[REDACTED]"),
    ]
    assert (plan.running, plan.deploys) == (None, True)


def test_what_waits_for_a_release_comes_with_the_next_deploy(
    stage: Stage, app: App, story: PlanDeploy, bases: InMemoryBases
) -> None:
    stage.builder.processes = {"web": "serve", "old": "gone"}
    stage.configure.run(stage.user, app, {"KEPT": "1", "B": "1"})
    stage.deploy(app, ONE)
    stage.scale.run(stage.user, app, {"web": (3, None)})
    stage.work()
    stage.configure.run(stage.user, app, {"MODE": "exits", "B": "2"})
    stage.work()
    with stage.ledger.begin() as tx:
        tx.apps.put_build_settings(app.id, BuildSettings(buildpacks=("x/y",)))
        changed = tx.apps.by_id(app.id)
    releases = stage.releases(app)
    plan = story.run(changed, Head(TWO, "web: serve --fast\nnew: come\nrelease: migrate\n"))
    assert plan.changes == [
        Change("commit", "", ONE, TWO),
        Change("buildpacks", "", None, "x/y"),
        Change("process", "new", None, "come"),
        Change("process", "old", "gone", None),
        Change("process", "release", None, "migrate"),
        Change("process", "web", "serve", "serve --fast"),
        Change("formation", "new", None, "0:basic"),
        Change("formation", "old", "0:basic", None),
        Change("config", "B", "[REDACTED]", "[REDACTED]"),
        Change("config", "MODE", None, "[REDACTED]"),
        Change("base", "", "sha256:" + "a" * 64, bases.newest),
    ]
    assert plan.running is not None
    assert plan.running.number == 1
    assert stage.releases(app) == releases


def test_a_commit_that_runs_deploys_nothing(stage: Stage, app: App, story: PlanDeploy, bases: InMemoryBases) -> None:
    release = stage.deploy(app, ONE)
    assert release is not None
    bases.on[release.image.digest] = bases.newest
    plan = story.run(app, Head(ONE, "web: serve"))
    assert (plan.changes, plan.deploys) == ([], False)


def test_what_only_the_build_can_tell_is_said_and_not_guessed(
    stage: Stage, app: App, story: PlanDeploy, bases: InMemoryBases, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = stage.deploy(app, ONE)
    assert release is not None
    bases.fixed[release.image.digest] = "it says nothing"
    for head, words in (
        (Head(TWO), "no Procfile"),
        (Head(TWO, "web: x", "heroku.yml"), "by heroku.yml"),
        (None, "not known here"),
    ):
        plan = story.run(app, head)
        assert words in plan.notes[0]
        assert "it says nothing" in plan.notes[-1]
        assert {each.area for each in plan.changes} <= {"commit"}

    def down(image: object) -> None:
        raise PlatformFault("the registry does not answer")

    monkeypatch.setattr(bases, "below", down)
    assert "does not answer" in story.run(app).notes[-1]


def test_a_procfile_that_the_build_would_refuse_is_refused_here(app: App, story: PlanDeploy) -> None:
    with pytest.raises(InvalidInput) as caught:
        story.run(app, Head(ONE, "web serve\n:x"))
    assert len(caught.value.evidence) == 2
