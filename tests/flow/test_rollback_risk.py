"""Going back across a release phase, and a release once more."""

from __future__ import annotations

import pytest
from wherry.domain.build_settings import BuildSettings
from wherry.domain.errors import Conflict, NotFound, RollbackRisk
from wherry.domain.formation import Scale
from wherry.domain.model import App, Release, ReleaseStatus
from wherry.domain.paging import Window
from wherry.flow.retry import RetryRelease

from tests.flow.conftest import KEEP, Stage

ONE, TWO = "1" * 40, "2" * 40


@pytest.fixture
def migrating(stage: Stage, app: App) -> App:
    """v1 without a release phase, v2 with one."""
    stage.deploy(app, ONE)
    stage.builder.processes = {"web": "serve", "release": "migrate"}
    stage.deploy(app, TWO)
    return app


def test_a_rollback_across_a_release_phase_names_the_risk_and_makes_nothing(stage: Stage, migrating: App) -> None:
    with pytest.raises(RollbackRisk, match="release phase of v2 ran other code") as caught:
        stage.rollback.run(stage.user, migrating, 1)
    assert caught.value.evidence == (f"v2: migrate (Deploy {TWO[:8]})",)
    assert "--force" in caught.value.hint
    assert len(stage.releases(migrating)) == 2
    assert stage.rollback.run(stage.user, migrating, 1, force=True).description == "Rollback to v1"


def test_a_release_phase_that_failed_is_a_risk_too(stage: Stage, app: App) -> None:
    stage.deploy(app, ONE)
    stage.deploy(app, "3" * 40)
    stage.builder.processes = {"web": "serve", "release": "migrate"}
    stage.configure.run(stage.user, app, {"MODE": "exits"})
    stage.work()
    stage.configure.run(stage.user, app, {"MODE": None})
    stage.work()
    assert stage.rollback.risk(app, 1) == []
    stage.configure.run(stage.user, app, {"MODE": "exits"})
    stage.work()
    stage.deploy(app, TWO)
    assert stage.releases(app)[0].status is ReleaseStatus.FAILED
    assert [each.name for each in stage.rollback.risk(app, 1)] == ["v6"]


def test_a_rollback_of_a_config_change_asks_nothing_for_its_code_is_the_same(stage: Stage, migrating: App) -> None:
    stage.configure.run(stage.user, migrating, {"A": "1"})
    stage.work()
    assert stage.rollback.run(stage.user, migrating, 2).description == "Rollback to v2"


def test_a_release_that_keeps_crashing_goes_back_by_itself_across_its_release_phase(
    stage: Stage, migrating: App
) -> None:
    for _ in range(2):
        stage.runtime.crash(migrating.id, "web.1")
    made = stage.watchdog.check(migrating.id)
    assert made is not None
    assert made.description == "Rollback to v1: v2 kept crashing"


def test_a_release_keeps_what_ran_then(stage: Stage, app: App) -> None:
    with stage.ledger.begin() as tx:
        tx.apps.put_build_settings(app.id, BuildSettings(buildpacks=("x/y",)))
    stage.deploy(app, ONE)
    stage.scale.run(stage.user, app, {"web": (3, "large")})
    with stage.ledger.begin() as tx:
        tx.apps.put_build_settings(app.id, BuildSettings())
    stage.configure.run(stage.user, app, {"A": "1"})
    stage.deploy(app, TWO)
    v3, v2, v1 = stage.releases(app)
    assert [each.formation for each in (v1, v2, v3)] == [{"web": Scale(1)}, *[{"web": Scale(3, "large")}] * 2]
    assert [each.settings and each.settings.buildpacks for each in (v1, v2, v3)] == [("x/y",), ("x/y",), ()]
    stage.rollback.run(stage.user, app, 1)
    assert stage.releases(app)[0].settings == v1.settings


class TestRetry:
    @pytest.fixture
    def story(self, stage: Stage) -> RetryRelease:
        return RetryRelease(stage.ledger, stage.clock, KEEP)

    def test_a_failed_release_phase_runs_again_with_the_config_of_now(
        self, stage: Stage, app: App, story: RetryRelease
    ) -> None:
        stage.builder.processes = {"web": "serve", "release": "migrate"}
        stage.configure.run(stage.user, app, {"MODE": "exits"})
        stage.deploy(app, ONE)
        stage.configure.run(stage.user, app, {"MODE": None})
        made = story.run(stage.user, app, 1)
        stage.work()
        assert made.description == f"Retry of v1: Deploy {ONE[:8]}"
        v2, v1 = stage.releases(app)
        assert (v1.status, v2.status) == (ReleaseStatus.FAILED, ReleaseStatus.SUCCEEDED)
        assert (v2.image, v2.commit, v2.build_id, dict(v2.config)) == (v1.image, v1.commit, v1.build_id, {})
        assert stage.runtime.ran == [(app.id, 1, "release"), (app.id, 2, "release")]

    def test_an_image_that_is_not_kept_is_refused(self, stage: Stage, app: App, story: RetryRelease) -> None:
        for number in range(KEEP + 2):
            stage.deploy(app, f"{number + 1:040x}")
        with pytest.raises(Conflict, match="image of v1 is not kept"):
            story.run(stage.user, app, 1)
        with pytest.raises(NotFound):
            story.run(stage.user, app, 99)
        assert story.run(stage.user, app, 3, "mine " * 100).description == ("mine " * 50)


def test_the_flag_for_a_rollback_says_what_a_rollback_does(stage: Stage, app: App) -> None:
    for number in range(KEEP + 3):
        stage.deploy(app, f"{number + 1:040x}")
    stage.configure.run(stage.user, app, {"MODE": "exits"})
    stage.work()

    def possible(release: Release) -> bool:
        try:
            stage.rollback.run(stage.user, app, release.number)
        except Conflict:
            return False
        return True

    with stage.ledger.begin(read_only=True) as tx:
        standing = tx.releases.standing(app.id, KEEP)
        flags = {each.number: standing.eligible(each) for each in tx.releases.page(app.id, Window())}
    newest_first = sorted(stage.releases(app), key=lambda each: each.number)
    assert flags == {8: False, 7: False, 6: True, 5: True, 4: True, 3: False, 2: False, 1: False}
    refused = [each.number for each in newest_first if not flags[each.number] and possible(each)]
    assert refused == []
    assert possible(newest_first[3])
