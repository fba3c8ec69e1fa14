"""Load decides on quantities: what app.json wishes of it, and what is said later."""

from __future__ import annotations

from dataclasses import replace

import pytest
from wherry.domain.app_json import AppJson
from wherry.domain.autoscale import Autoscale, write
from wherry.domain.difference import Change, difference, shape_of
from wherry.domain.errors import InvalidInput, NotFound, PlatformFault
from wherry.domain.formation import FormationWish, Scale
from wherry.domain.model import App, JobKind
from wherry.domain.volume import Volume
from wherry.flow.lanes import release_stream

from tests.flow.conftest import Stage

A, B, C = "a" * 40, "b" * 40, "c" * 40
LOAD = Autoscale(2, 5, cpu=70)


@pytest.fixture
def web(stage: Stage, app: App) -> App:
    stage.builder.processes = {"web": "serve", "worker": "work"}
    stage.deploy(app, A)
    return app


def formation(stage: Stage, app: App) -> dict[str, Scale]:
    return dict(stage.scale.show(app)[0])


def said(stage: Stage, app: App) -> str:
    """By the newest rollout."""
    return "\n".join(stage.logs.follow(release_stream(stage.releases(app)[0].id)))


def test_the_bounds_survive_deploys_and_rollbacks(stage: Stage, web: App) -> None:
    stage.autoscale.enable(stage.user, web, "web", write(LOAD), "api")
    stage.work()
    assert formation(stage, web) == {"web": Scale(2, autoscale=LOAD), "worker": Scale(0)}
    assert stage.events(web)[0] == "autoscaling.enable"
    stage.deploy(web, B)
    stage.rollback.run(stage.user, web, 1)
    stage.work()
    assert formation(stage, web)["web"].autoscale == LOAD
    assert stage.running(web) == [(3, "web.1"), (3, "web.2")]
    newest, *_, first = stage.releases(web)
    told = [each for each in difference(shape_of(first), shape_of(newest)) if each.area == "formation"]
    assert told == [Change("formation", "web", "1:basic", "2:basic, 2 to 5 by cpu 70%")]
    on_docker = difference(shape_of(first, by_load=False), shape_of(newest, by_load=False))
    assert [each.after for each in on_docker if each.area == "formation"] == ["2:basic"]


def test_a_stopped_type_begins_when_load_is_to_decide(stage: Stage, web: App) -> None:
    stage.autoscale.enable(stage.user, web, "worker", write(LOAD))
    stage.work()
    assert (1, "worker.2") in stage.running(web)


def test_app_json_has_the_word_for_types_that_are_new_and_nobody_later(stage: Stage, app: App) -> None:
    stage.builder.processes = {"web": "serve", "worker": "work"}
    wished = {"web": LOAD, "worker": Autoscale(3, 4, requests=10)}
    stage.sources.wishes = AppJson(formation={"web": FormationWish(1, "large")}, autoscaling=wished)
    stage.deploy(app, A)
    assert formation(stage, app) == {"web": Scale(2, "large", LOAD), "worker": Scale(3, autoscale=wished["worker"])}
    stage.autoscale.disable(stage.user, app, "worker")
    stage.sources.wishes = AppJson(autoscaling={"web": Autoscale(1, 9, cpu=10), "worker": LOAD})
    stage.deploy(app, B)
    assert formation(stage, app) == {"web": Scale(2, "large", LOAD), "worker": Scale(3)}
    assert "web.autoscaling does nothing: it is for types that are new; web stays 2 to 5 by cpu 70%" in said(stage, app)
    assert "worker stays as it was scaled" in said(stage, app)


def test_when_load_decides_no_longer_as_many_go_on_as_run(stage: Stage, web: App) -> None:
    stage.autoscale.enable(stage.user, web, "web", write(LOAD))
    stage.work()
    assert len(stage.running(web)) == 2
    with stage.ledger.begin() as tx:  # as if load had made four of it
        tx.apps.put_formation(web.id, {"web": Scale(4)})
        tx.jobs.add(JobKind.CONVERGE, web.id, f"app-{web.id}")
    stage.work()
    with stage.ledger.begin() as tx:
        tx.apps.put_formation(web.id, {"web": Scale(2, autoscale=LOAD)})
    stage.autoscale.disable(stage.user, web, "web")
    assert formation(stage, web)["web"] == Scale(4)
    assert stage.events(web)[0] == "autoscaling.disable"
    with pytest.raises(NotFound, match="web is not scaled by load"):
        stage.autoscale.disable(stage.user, web, "web")


def test_a_runtime_that_is_away_keeps_nobody_from_ending_it(stage: Stage, web: App) -> None:
    stage.autoscale.enable(stage.user, web, "web", write(LOAD))
    stage.runtime.fault = PlatformFault("away")
    stage.autoscale.disable(stage.user, web, "web")
    assert formation(stage, web)["web"] == Scale(2)


def test_what_load_decides_nobody_sets_beside_it_but_one_may_stop_it(stage: Stage, web: App) -> None:
    stage.autoscale.enable(stage.user, web, "web", write(LOAD))
    for wanted in (3, "+1", "-1"):
        with pytest.raises(InvalidInput) as caught:
            stage.scale.run(stage.user, web, {"web": (wanted, None), "worker": ("x", None)})
        web_said, worker_said = caught.value.evidence
        assert "web: it is scaled from 2 to 5 by cpu 70%" in web_said
        assert "wherry ps:autoscale:disable web" in web_said
        assert "not a whole number" in worker_said
    stage.scale.run(stage.user, web, {"web": (2, "large")})  # as it is, and another size
    assert formation(stage, web)["web"] == Scale(2, "large", LOAD)
    stage.scale.run(stage.user, web, {"web": (0, None)})
    stage.work()
    assert stage.running(web) == []
    assert formation(stage, web)["web"] == Scale(0, "large", LOAD)
    with pytest.raises(InvalidInput):
        stage.scale.run(stage.user, web, {"web": (6, None)})
    stage.scale.run(stage.user, web, {"web": (3, None)})
    assert formation(stage, web)["web"] == Scale(3, "large", LOAD)


def test_every_process_that_load_may_have_made_can_be_restarted(stage: Stage, web: App) -> None:
    stage.autoscale.enable(stage.user, web, "web", write(LOAD))
    stage.restart.process(stage.user, web, "web.5")
    with pytest.raises(NotFound):
        stage.restart.process(stage.user, web, "web.6")


def test_bad_bounds_are_refused_with_every_fault_and_change_nothing(stage: Stage, web: App) -> None:
    before = formation(stage, web), stage.events(web)
    asked = {"min_quantity": 0, "max_quantity": 101, "triggers": [{"type": "p95", "metadata": {"value": 9}}], "x": 1}
    with pytest.raises(InvalidInput) as caught:
        stage.autoscale.enable(stage.user, web, "web", asked)
    said = "\n".join(caught.value.evidence)
    for word in ("min_quantity", "max_quantity", "triggers[0].type", "autoscaling.x"):
        assert word in said
    with pytest.raises(NotFound, match="no process type"):
        stage.autoscale.enable(stage.user, web, "nope", write(LOAD))
    assert (formation(stage, web), stage.events(web)) == before


def test_a_type_with_a_volume_is_one_process(stage: Stage, app: App) -> None:
    stage.sources.wishes = AppJson(volumes={"web": (Volume("data", "/data", 64),)})
    stage.deploy(app, A)
    with pytest.raises(InvalidInput) as caught:
        stage.autoscale.enable(stage.user, app, "web", write(LOAD))
    assert "one process at a time" in caught.value.evidence[0]
    with pytest.raises(InvalidInput) as caught:
        stage.scale.run(stage.user, app, {"web": ("+1", None), "nope": (1, None)})
    assert [each.partition(":")[0] for each in caught.value.evidence] == ["web", "no process type 'nope' (there are"]
    assert "one process at a time" in caught.value.evidence[0]
    assert "wherry ps:type web=SIZE" in caught.value.evidence[0]
    stage.scale.run(stage.user, app, {"web": (0, None)})
    stage.scale.run(stage.user, app, {"web": (1, "large")})
    replace(stage.scale, has_volumes=False).run(stage.user, app, {"web": (2, None)})  # as without volumes
    stage.scale.run(stage.user, app, {"web": (1, None)})
    stage.autoscale.enable(stage.user, app, "web", write(Autoscale(1, 1, cpu=70)))


def test_a_release_that_brings_a_volume_to_several_processes_is_refused_and_the_old_serves(
    stage: Stage, app: App
) -> None:
    stage.deploy(app, A)
    stage.scale.run(stage.user, app, {"web": (2, None)})
    stage.work()
    stage.sources.wishes = AppJson(volumes={"web": (Volume("data", "/data", 64),)})
    refused = stage.deploy(app, B)
    assert refused
    told = said(stage, app)
    for words in ("web would run more than once", "one process at a time", f"wherry ps:scale web=1 -a {app.name}"):
        assert words in told
    assert stage.running(app) == [(1, "web.1"), (1, "web.2")]
    assert stage.releases(app)[0].failure == "refused"
    stage.runtime.has_volumes = False  # on Docker there are none
    assert stage.deploy(app, C)
    assert stage.running(app) == [(3, "web.1"), (3, "web.2")]


def test_on_docker_load_decides_nothing_and_what_app_json_wishes_waits_unseen(stage: Stage, app: App) -> None:
    stage.runtime.by_load = False
    scale, restart = replace(stage.scale, by_load=False), replace(stage.restart, by_load=False)
    stage.sources.wishes = AppJson(autoscaling={"web": LOAD})
    stage.deploy(app, A)
    with pytest.raises(InvalidInput, match="on a Kubernetes only") as caught:
        stage.autoscale.enable(stage.user, app, "web", write(LOAD))
    assert "wherry ps:scale web=3" in caught.value.hint
    assert "only on a Kubernetes; here: wherry ps:scale web=N" in said(stage, app)
    assert scale.run(stage.user, app, {"web": (7, None)})["web"] == Scale(7)
    assert scale.show(app)[0]["web"] == Scale(7)
    restart.process(stage.user, app, "web.7")
    assert stage.scale.show(app)[0]["web"].autoscale == LOAD  # for the day on which the platform's apps run elsewhere
