"""What happens to an app that runs: rollback, config, scale, rename, destroy, repair."""

from __future__ import annotations

from threading import Thread

import pytest
from wherry.domain.errors import Conflict, InvalidInput, NotFound, PlatformFault
from wherry.domain.model import App, Job, JobKind, ReleaseStatus
from wherry.domain.refs import ZERO, RefUpdate
from wherry.flow.ports import Cancel

from tests.flow.conftest import Stage
from tests.runtimes.machine_world import eventually

A, B = "a" * 40, "b" * 40


@pytest.fixture
def two(stage: Stage, app: App) -> App:
    stage.deploy(app, A)
    stage.deploy(app, B)
    return app


def test_a_rollback_is_a_new_release_of_the_old_image_without_a_build(stage: Stage, two: App) -> None:
    stage.rollback.run(stage.user, two, 1)
    stage.work()
    current = stage.current(two)
    assert current is not None
    assert (current.number, current.image.digest, current.commit) == (3, f"sha256:{A}", A)
    assert current.description == "Rollback to v1"
    assert stage.builder.built == [A, B]
    assert stage.running(two) == [(3, "web.1")]


def test_a_rollback_brings_back_the_config_of_its_release(stage: Stage, app: App) -> None:
    stage.configure.run(stage.user, app, {"COLOUR": "blue"})
    stage.deploy(app, A)
    stage.configure.run(stage.user, app, {"COLOUR": "red"})
    stage.work()
    stage.rollback.run(stage.user, app, 1)
    assert stage.configure.show(app)["COLOUR"].reveal() == "blue"


def test_without_a_number_the_release_before_is_meant(stage: Stage, two: App) -> None:
    assert stage.rollback.run(stage.user, two).description == "Rollback to v1"


def test_a46_a_rollback_to_what_never_served_is_refused(stage: Stage, two: App) -> None:
    stage.configure.run(stage.user, two, {"MODE": "exits"})
    stage.work()
    with pytest.raises(Conflict, match="v3 is failed"):
        stage.rollback.run(stage.user, two, 3)
    with pytest.raises(NotFound):
        stage.rollback.run(stage.user, two, 99)
    with pytest.raises(Conflict, match="current"):
        stage.rollback.run(stage.user, two, 2)


def test_an_app_without_releases_has_nothing_to_go_back_to(stage: Stage, app: App) -> None:
    with pytest.raises(Conflict, match="no release yet"):
        stage.rollback.run(stage.user, app)


def test_several_keys_are_one_release_with_the_same_image(stage: Stage, two: App) -> None:
    stage.configure.run(stage.user, two, {"GONE": "1", "SAME": "1"})
    release = stage.configure.run(stage.user, two, {"B": "2", "A": "1", "GONE": None, "NEVER": None, "SAME": "1"})
    assert release is not None
    assert release.number == 4
    assert release.image.digest == f"sha256:{B}"
    assert release.description == "Set A, B config vars; Unset GONE config vars"


def test_a_change_that_changes_nothing_is_no_release(stage: Stage, two: App) -> None:
    stage.configure.run(stage.user, two, {"A": "1"})
    assert stage.configure.run(stage.user, two, {"A": "1"}) is None
    assert len(stage.releases(two)) == 3


def test_config_before_the_first_push_waits_for_it(stage: Stage, app: App) -> None:
    assert stage.configure.run(stage.user, app, {"A": "1"}) is None
    stage.deploy(app, A)
    current = stage.current(app)
    assert current is not None
    assert (current.number, current.config["A"].reveal()) == (1, "1")


def test_a_bad_key_changes_nothing(stage: Stage, two: App) -> None:
    with pytest.raises(InvalidInput):
        stage.configure.run(stage.user, two, {"GOOD": "1", "not good": "2"})
    assert dict(stage.configure.show(two)) == {}


def test_scaling_changes_what_runs_and_makes_no_release(stage: Stage, two: App) -> None:
    stage.scale.run(stage.user, two, {"web": ("3", None)})
    stage.work()
    assert stage.running(two) == [(2, "web.1"), (2, "web.2"), (2, "web.3")]
    assert len(stage.router.routes[two.id].endpoints) == 3
    stage.scale.run(stage.user, two, {"web": ("-2", None)})
    stage.work()
    assert stage.running(two) == [(2, "web.1")]
    assert len(stage.releases(two)) == 2


def test_zero_survives_a_deploy(stage: Stage, app: App) -> None:
    stage.deploy(app, A)
    stage.scale.run(stage.user, app, {"web": (0, None)})
    stage.work()
    stage.deploy(app, B)
    assert stage.running(app) == []
    assert stage.router.routes[app.id].endpoints == ()


def test_a_type_that_goes_and_comes_back_keeps_its_quantity(stage: Stage, app: App) -> None:
    stage.builder.processes = {"web": "serve", "worker": "work"}
    stage.deploy(app, A)
    stage.scale.run(stage.user, app, {"worker": (2, None)})
    stage.builder.processes = {"web": "serve"}
    stage.deploy(app, B)
    assert (2, "worker.1") not in stage.running(app)
    stage.builder.processes = {"web": "serve", "worker": "work"}
    stage.deploy(app, "c" * 40)
    assert (3, "worker.2") in stage.running(app)


def test_a_renamed_app_is_routed_by_its_new_name(stage: Stage, two: App) -> None:
    stage.rename.run(stage.user, two, "other")
    stage.work()
    assert stage.router.routes[two.id].hosts == ("other",)
    assert stage.running(two) == [(2, "web.1")]


def test_a07_a_destroyed_app_leaves_nothing_and_its_name_stays_taken(stage: Stage, two: App) -> None:
    stage.destroy.run(stage.user, two)
    stage.work()
    assert stage.running(two) == []
    assert two.id not in stage.router.routes
    assert stage.builder.forgotten == [two.id]
    with pytest.raises(Conflict):
        stage.create.run(stage.user, "hello")


def test_a07_a_rollout_of_a_destroyed_app_ends_without_a_trace(stage: Stage, app: App) -> None:
    stage.deploy(app, A)
    stage.configure.run(stage.user, app, {"A": "1"})
    stage.destroy.run(stage.user, app)
    stage.work()
    assert stage.running(app) == []


def test_a08_a_push_that_nobody_released_is_released_once(stage: Stage, app: App) -> None:
    stage.accept(app, A)
    stage.work()
    stage.sources.move(app.id, "main", A)
    stage.reconcile.pushes()
    stage.reconcile.pushes()
    stage.work()
    assert [release.number for release in stage.releases(app)] == [1]
    assert stage.running(app) == [(1, "web.1")]


def test_a02_a_build_whose_ref_never_moved_is_not_released(stage: Stage, app: App) -> None:
    stage.accept(app, A)
    stage.work()
    stage.reconcile.pushes()
    assert stage.releases(app) == []


def test_a18_a45_a_rollout_that_was_cut_off_is_finished_by_the_next_worker(stage: Stage, two: App) -> None:
    release = stage.configure.run(stage.user, two, {"A": "1"})
    assert release is not None
    job = stage.ledger.claim("worker", [JobKind.ROLLOUT])
    assert job
    stage.router.fault = PlatformFault("the router is gone")
    with pytest.raises(PlatformFault):
        stage.run(job)
    stage.router.fault = None
    stage.ledger.free("worker")
    stage.work()
    current = stage.current(two)
    assert current is not None
    assert current.number == 3
    assert stage.running(two) == [(3, "web.1")]


def test_a06_a_push_and_a_rollback_at_once_take_turns_and_the_last_accepted_serves(stage: Stage, two: App) -> None:
    build = stage.accept(two, "c" * 40)
    assert build
    stage.rollback.run(stage.user, two, 1)
    stage.work()
    stage.sources.move(two.id, "main", "c" * 40)
    stage.release.of_update(two.id, RefUpdate(B, "c" * 40, "refs/heads/main"))
    stage.rollback.run(stage.user, two, 2)
    stage.work()
    assert [release.description for release in stage.releases(two)][:3] == [
        "Rollback to v2",
        "Deploy cccccccc",
        "Rollback to v1",
    ]
    assert {release.status for release in stage.releases(two)} == {ReleaseStatus.SUCCEEDED}
    assert stage.running(two) == [(5, "web.1")]


def test_everything_is_brought_back_after_a_restart(stage: Stage, two: App) -> None:
    stage.runtime.retire(two.id, ())
    stage.router.withdraw(two.id)
    stage.reconcile.everything()
    stage.work()
    assert stage.running(two) == [(2, "web.1")]
    assert len(stage.router.routes[two.id].endpoints) == 1


def test_a38_a_release_that_keeps_crashing_goes_back_by_itself(stage: Stage, two: App) -> None:
    stage.runtime.crash(two.id, "web.1")
    assert stage.watchdog.check(two.id) is None, "once may be chance"
    stage.runtime.crash(two.id, "web.1")
    release = stage.watchdog.check(two.id)
    assert release is not None
    stage.work()
    current = stage.current(two)
    assert current is not None
    assert current.description == "Rollback to v1: v2 kept crashing"
    assert stage.running(two) == [(3, "web.1")]


def test_a38_a_crash_after_the_watch_time_changes_nothing(stage: Stage, two: App) -> None:
    for _ in range(3):
        stage.runtime.crash(two.id, "web.1")
    stage.clock.turn(301)
    assert stage.watchdog.check(two.id) is None
    assert stage.releases(two)[0].status is ReleaseStatus.SUCCEEDED


def test_a38_a_rollback_is_never_rolled_back_by_itself(stage: Stage, two: App) -> None:
    stage.rollback.run(stage.user, two, 1)
    stage.work()
    for _ in range(3):
        stage.runtime.crash(two.id, "web.1")
    assert stage.watchdog.check(two.id) is None


def test_every_change_is_an_event(stage: Stage, two: App) -> None:
    stage.scale.run(stage.user, two, {"web": (2, None)})
    stage.rename.run(stage.user, two, "other")
    assert stage.events(two)[0] == "formation.change"
    assert {"app.create", "push", "release.create", "release.finish", "formation.change"} <= set(stage.events(two))


def test_a_job_of_an_unknown_subject_ends(stage: Stage, two: App) -> None:
    with stage.ledger.begin() as tx:
        tx.jobs.add(JobKind.CONVERGE, 999, "app-999")
    job = stage.ledger.claim("worker", [JobKind.CONVERGE])
    assert job
    stage.stories[JobKind.CONVERGE](job, Cancel())
    assert stage.ledger.claim("worker", [JobKind.CONVERGE]) is None


def test_another_branch_deploys_nothing(stage: Stage, two: App) -> None:
    assert stage.accept(two, "d" * 40, branch="feature") is None
    assert stage.release.of_update(two.id, RefUpdate(ZERO, "d" * 40, "refs/heads/feature")) is None


def test_images_beyond_the_retention_are_removed_and_cannot_be_gone_back_to(stage: Stage, app: App) -> None:
    commits = [f"{number:040x}" for number in range(1, 7)]
    for commit in commits:
        stage.deploy(app, commit)
    stage.work()
    assert stage.builder.discarded == {(f"apps/{app.id}", f"sha256:{commit}") for commit in commits[:2]}
    with pytest.raises(Conflict, match="the image of v2 is not kept any more"):
        stage.rollback.run(stage.user, app, 2)
    assert stage.rollback.run(stage.user, app, 3).image.digest == f"sha256:{commits[2]}"


def test_the_release_phase_runs_before_anything_starts_and_its_failure_leaves_the_old_serving(
    stage: Stage, app: App
) -> None:
    stage.builder.processes = {"web": "serve", "release": "migrate"}
    stage.deploy(app, A)
    assert stage.runtime.ran == [(app.id, 1, "release")]
    assert [name for _, name in stage.running(app)] == ["web.1"]
    stage.configure.run(stage.user, app, {"MODE": "exits"})
    stage.work()
    failed = stage.releases(app)[0]
    assert (failed.status, failed.failure) == (ReleaseStatus.FAILED, "release-phase")
    assert stage.running(app) == [(1, "web.1")]
    log = stage.logs.read(f"release-{failed.id}")
    assert log[:2] == ["-----> Release phase: migrate", "       no table"]
    assert " !     the release phase ended with exit code 5" in log


def _until_left(stage: Stage, job: Job, cancel: Cancel) -> None:
    with pytest.raises(Conflict, match="taken up again"):
        stage.stories[JobKind.ROLLOUT](job, cancel)


def test_a_release_phase_outlives_its_worker_and_is_not_begun_again(stage: Stage, app: App) -> None:
    stage.deploy(app, A)
    stage.configure.run(stage.user, app, {"MODE": "slow"})
    stage.work()
    stage.builder.processes = {"web": "serve", "release": "migrate"}
    assert stage.accept(app, B)
    stage.work()
    stage.sources.move(app.id, "main", B)
    release = stage.release.of_update(app.id, RefUpdate(ZERO, B, "refs/heads/main"))
    assert release
    for count in (2, 5):
        job = stage.ledger.claim("worker", [JobKind.ROLLOUT])
        assert job
        stage.runtime.printed = [f"table {each}" for each in range(count)]  # the last ones while no worker lived
        stopping = Cancel()
        thread = Thread(target=_until_left, args=(stage, job, stopping))
        thread.start()
        eventually(lambda last=f"       table {count - 1}": last in stage.logs.read(f"release-{release.id}"))
        stopping.cancel()
        thread.join(20)
        stage.ledger.free("worker")
    assert stage.runtime.ran == [(app.id, release.number, "release")]
    assert stage.logs.read(f"release-{release.id}") == [
        "-----> Release phase: migrate",
        "       table 0",
        "       table 1",
        "-----> Release phase, taken up again: migrate",
        "       table 2",
        "       table 3",
        "       table 4",
    ]
