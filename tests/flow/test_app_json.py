"""What an app.json asks for at the first deploy, and afterwards."""

from __future__ import annotations

import pytest
from wherry.domain.app_json import NOTHING, AppJson, EnvWish
from wherry.domain.errors import PushRefused
from wherry.domain.formation import FormationWish
from wherry.domain.health import Check
from wherry.domain.model import App, ReleaseStatus

from tests.flow.conftest import Stage

A, B = "a" * 40, "b" * 40


def test_env_is_set_at_the_first_deploy_and_what_the_user_set_stays(stage: Stage, app: App) -> None:
    stage.sources.wishes = AppJson(
        env={
            "COLOUR": EnvWish("red"),
            "MINE": EnvWish("theirs"),
            "KEY": EnvWish(secret=True),
            "NO": EnvWish(None, False),
        }
    )
    stage.configure.run(stage.user, app, {"MINE": "mine"})
    stage.deploy(app, A)
    config = {name: value.reveal() for name, value in stage.configure.show(app).items()}
    assert config.keys() == {"COLOUR", "MINE", "KEY"}
    assert (config["COLOUR"], config["MINE"], len(config["KEY"])) == ("red", "mine", 64)
    stage.configure.run(stage.user, app, {"COLOUR": None})
    stage.deploy(app, B)
    assert "COLOUR" not in stage.configure.show(app), "later deploys leave the config alone"
    current = stage.current(app)
    assert current is not None
    assert current.config["KEY"].reveal() == config["KEY"]


def test_a_required_var_without_a_value_refuses_the_first_push_with_its_name(stage: Stage, app: App) -> None:
    stage.sources.wishes = AppJson(env={"URL": EnvWish(), "TOKEN": EnvWish(""), "FINE": EnvWish("1")})
    with pytest.raises(PushRefused) as caught:
        stage.accept(app, A)
    assert caught.value.evidence == (
        "app.json: env.URL: it has no value",
        "app.json: env.TOKEN: it has no value",
    )
    assert "wherry config:set -a hello URL=… TOKEN=…" in caught.value.hint
    assert stage.configure.show(app) == {}
    stage.configure.run(stage.user, app, {"URL": "x", "TOKEN": "y"})
    assert stage.deploy(app, A) is not None


def test_formation_is_the_default_of_types_that_are_new(stage: Stage, app: App) -> None:
    stage.builder.processes = {"web": "serve", "worker": "work"}
    stage.sources.wishes = AppJson(formation={"web": FormationWish(2, "standard"), "worker": FormationWish(1)})
    stage.deploy(app, A)
    assert stage.running(app) == [(1, "web.1"), (1, "web.2"), (1, "worker.1")]
    stage.scale.run(stage.user, app, {"web": (0, None)})
    stage.deploy(app, B)
    assert stage.running(app) == [(2, "worker.1")]
    assert stage.scale.show(app)[0]["web"].size == "standard"


def test_postdeploy_runs_once_after_the_first_release_that_serves(stage: Stage, app: App) -> None:
    stage.sources.wishes = AppJson(postdeploy="bin/seed")
    stage.configure.run(stage.user, app, {"MODE": "exits"})
    stage.deploy(app, A)
    assert stage.runtime.ran == []
    stage.configure.run(stage.user, app, {"MODE": None})
    stage.deploy(app, B)
    assert [name for _, _, name in stage.runtime.ran] == ["postdeploy"]
    stage.deploy(app, A)
    assert len(stage.runtime.ran) == 1


def test_a_failed_postdeploy_is_told_and_the_release_serves(stage: Stage, app: App) -> None:
    stage.sources.wishes = AppJson(postdeploy="bin/seed")
    stage.runtime.run_exits = 3
    release = stage.deploy(app, A)
    assert release is not None
    current = stage.current(app)
    assert current is not None
    assert current.status is ReleaseStatus.SUCCEEDED
    assert any("postdeploy ended with exit code 3" in line for line in stage.logs.read(f"release-{release.id}"))


def test_a_rollback_brings_back_the_checks_of_its_release(stage: Stage, app: App) -> None:
    stage.sources.wishes = AppJson(healthchecks={"web": (Check(path="/up"),)})
    stage.deploy(app, A)
    stage.sources.wishes = NOTHING
    stage.deploy(app, B)
    stage.rollback.run(stage.user, app, 1)
    stage.work()
    current = stage.current(app)
    assert current is not None
    assert (current.number, current.image.wishes.healthchecks) == (3, {"web": (Check(path="/up"),)})
