"""Restart, stop and maintenance of an app that runs."""

from __future__ import annotations

import pytest
from wherry.domain.errors import NotFound, PlatformFault
from wherry.domain.model import App, JobKind

from tests.flow.conftest import Stage

A, B = "a" * 40, "b" * 40


@pytest.fixture
def scaled(stage: Stage, app: App) -> App:
    stage.builder.processes = {"web": "serve", "worker": "work"}
    stage.deploy(app, A)
    stage.scale.run(stage.user, app, {"web": (2, None), "worker": (1, None)})
    stage.work()
    stage.runtime.stopped.clear()
    return app


def names(stage: Stage) -> list[str]:
    return sorted(name for _, _, name in stage.runtime.stopped)


def test_a_restart_replaces_every_process_once_and_makes_no_release(stage: Stage, scaled: App) -> None:
    stage.restart.everything(stage.user, scaled)
    stage.work()
    assert names(stage) == ["web.1", "web.2", "worker.1"]
    assert stage.running(scaled) == [(1, "web.1"), (1, "web.2"), (1, "worker.1")]
    assert set(stage.router.routes[scaled.id].endpoints) == {
        each.endpoint for each in stage.runtime.processes(scaled.id) if each.endpoint
    }
    stage.reconcile.everything()
    stage.work()
    assert len(stage.runtime.stopped) == 3, "once is enough"
    assert len(stage.releases(scaled)) == 1


def test_one_process_or_one_type_is_restarted(stage: Stage, scaled: App) -> None:
    stage.restart.process(stage.user, scaled, "web.2")
    stage.work()
    assert names(stage) == ["web.2"]
    stage.restart.type(stage.user, scaled, "worker")
    stage.work()
    assert names(stage) == ["web.2", "worker.1"]
    assert stage.events(scaled)[:2] == ["process.restart", "process.restart"]


def test_a_stopped_process_that_the_formation_asks_for_is_started_again(stage: Stage, scaled: App) -> None:
    stage.restart.process(stage.user, scaled, "web.1", stop_first=True)
    stage.work()
    assert names(stage) == ["web.1"]
    assert (1, "web.1") in stage.running(scaled)
    assert stage.events(scaled)[0] == "process.stop"


def test_a_restart_that_a_dead_worker_left_is_finished_by_the_next(stage: Stage, scaled: App) -> None:
    stage.restart.everything(stage.user, scaled)
    job = stage.ledger.claim("worker", [JobKind.CONVERGE])
    assert job
    stage.router.fault = PlatformFault("killed here")
    with pytest.raises(PlatformFault):
        stage.run(job)
    stage.router.fault = None
    stage.ledger.free("worker")
    stage.work()
    assert names(stage) == ["web.1", "web.2", "worker.1"]
    assert len(stage.runtime.processes(scaled.id)) == 3


@pytest.mark.parametrize("name", ["web.3", "web.0", "web", "nothing.1", "web.1\n", "", "web.01", "$(id).1"])
def test_an_unknown_process_is_not_restarted(stage: Stage, scaled: App, name: str) -> None:
    with pytest.raises(NotFound):
        stage.restart.process(stage.user, scaled, name)
    with pytest.raises(NotFound):
        stage.restart.type(stage.user, scaled, name + ".x")
    stage.work()
    assert names(stage) == []


def test_an_app_without_a_release_has_nothing_to_restart(stage: Stage, app: App) -> None:
    with pytest.raises(NotFound, match="no processes yet"):
        stage.restart.process(stage.user, app, "web.1")


def test_a_restart_whose_new_process_fails_leaves_the_old_one_serving(stage: Stage, scaled: App) -> None:
    before = stage.router.routes[scaled.id]
    stage.runtime.broken.add("web")
    stage.restart.everything(stage.user, scaled)
    stage.work()
    assert names(stage) == ["worker.1"], "the other type is restarted all the same"
    assert stage.router.routes[scaled.id] == before
    stage.runtime.broken.clear()
    stage.reconcile.app(scaled.id)
    stage.work()
    assert names(stage) == ["web.1", "web.2", "worker.1"], "what is owed is done when it can be"


def test_a_wish_survives_a_deploy_and_costs_no_second_restart(stage: Stage, scaled: App) -> None:
    stage.restart.everything(stage.user, scaled)
    stage.deploy(scaled, B)
    stage.runtime.stopped.clear()
    stage.reconcile.everything()
    stage.work()
    assert names(stage) == []
    assert {release for release, _ in stage.running(scaled)} == {2}


def test_maintenance_closes_the_route_keeps_the_processes_and_survives_deploys(stage: Stage, scaled: App) -> None:
    before = stage.running(scaled)
    stage.maintain.run(stage.user, scaled, True)
    stage.work()
    assert stage.router.routes[scaled.id].maintenance
    assert stage.running(scaled) == before
    stage.deploy(scaled, B)
    stage.reconcile.everything()
    stage.work()
    assert stage.router.routes[scaled.id].maintenance
    assert stage.events(scaled).count("app.maintenance") == 1
    stage.maintain.run(stage.user, scaled, True)
    assert stage.events(scaled).count("app.maintenance") == 1, "nothing changed"
    stage.maintain.run(stage.user, scaled, False)
    stage.work()
    assert not stage.router.routes[scaled.id].maintenance
    assert len(stage.releases(scaled)) == 2


def test_maintenance_does_not_wait_for_a_rollout(stage: Stage, scaled: App) -> None:
    stage.restart.everything(stage.user, scaled)
    assert stage.ledger.claim("worker", [JobKind.CONVERGE])
    stage.maintain.run(stage.user, scaled, True)
    job = stage.ledger.claim("worker", [JobKind.ROUTE])
    assert job
    stage.run(job)
    assert stage.router.routes[scaled.id].maintenance
