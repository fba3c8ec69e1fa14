"""From a push to what serves, story by story."""

from __future__ import annotations

from contextlib import suppress

import pytest
from wherry.domain.errors import BuildFailed, BuildFailure, Cancelled, Conflict, PlatformFault, PushRefused
from wherry.domain.image import Image
from wherry.domain.model import App, BuildStatus, Job, JobKind, ReleaseStatus
from wherry.domain.refs import ZERO, RefUpdate
from wherry.flow.cancel import CancelBuild
from wherry.flow.lanes import build_stream, release_stream
from wherry.flow.ports import BuildRequest, Cancel, Push
from wherry.flow.work import Worker

from tests.flow.conftest import Stage

A, B, C = "a" * 40, "b" * 40, "c" * 40


def test_a_new_app_has_a_route_that_says_nothing_runs(stage: Stage, app: App) -> None:
    stage.work()
    assert stage.router.routes[app.id].hosts == ("hello",)
    assert stage.router.routes[app.id].endpoints == ()


def test_a_push_becomes_v1_and_serves(stage: Stage, app: App) -> None:
    release = stage.deploy(app, A)
    assert release is not None
    current = stage.current(app)
    assert current is not None
    assert (current.name, current.status, current.commit) == ("v1", ReleaseStatus.SUCCEEDED, A)
    assert stage.running(app) == [(1, "web.1")]
    assert stage.router.routes[app.id].release == 1
    assert len(stage.router.routes[app.id].endpoints) == 1
    assert "       Released v1" in stage.logs.read(release_stream(release.id))


def test_a_second_push_replaces_the_first_and_stops_it(stage: Stage, app: App) -> None:
    stage.deploy(app, A)
    stage.deploy(app, B)
    assert stage.running(app) == [(2, "web.1")]
    assert stage.runtime.stopped == [(app.id, 1, "web.1")]


def test_a_failed_build_refuses_the_push_and_releases_nothing(stage: Stage, app: App) -> None:
    stage.builder.failures[A] = [
        BuildFailed(BuildFailure.BUILDPACK_FAILED, "it broke", evidence=["line"], hint="mend it")
    ]
    build = stage.accept(app, A)
    assert build
    stage.work()
    with pytest.raises(BuildFailed, match="main did not move: the build failed"):
        list(stage.push.follow(build))
    assert stage.build_of(build).status is BuildStatus.FAILED
    said = stage.logs.read(build_stream(build.id))
    assert said[-3:] == [" !     it broke", " !     line", " !     mend it"]
    assert (stage.releases(app), stage.runtime.fetched) == ([], [])


def test_a_build_is_not_released_before_its_ref_has_moved(stage: Stage, app: App) -> None:
    build = stage.accept(app, A)
    assert build
    stage.work()
    assert [each.digest for each in stage.runtime.fetched] == [f"sha256:{A}"]  # already on its way
    with pytest.raises(Conflict, match="no longer points"):
        stage.release.run(stage.build_of(build))
    assert stage.releases(app) == []


def test_a_push_knows_how_many_builds_take_their_turn_before_it(stage: Stage, app: App) -> None:
    first = stage.accept(app, A)
    second = stage.accept(stage.create.run(stage.user, "other"), B)
    assert first
    assert second
    assert (stage.push.before(first), stage.push.before(second)) == (0, 1)
    stage.work()
    assert stage.push.before(second) == 0


def test_releasing_a_build_twice_is_one_release(stage: Stage, app: App) -> None:
    release = stage.deploy(app, A)
    again = stage.release.of_update(app.id, RefUpdate(ZERO, A, "refs/heads/main"))
    assert again is not None
    assert release is not None
    assert again.id == release.id


def test_a_release_that_does_not_start_fails_and_the_old_one_serves(stage: Stage, app: App) -> None:
    stage.deploy(app, A)
    stage.configure.run(stage.user, app, {"MODE": "exits"})
    stage.work()
    newest = stage.releases(app)[0]
    assert (newest.number, newest.status, newest.failure) == (2, ReleaseStatus.FAILED, "exited")
    assert stage.running(app) == [(1, "web.1")]
    assert stage.router.routes[app.id].release == 1


def test_a04_a05_the_newest_push_wins_and_both_are_recorded(stage: Stage, app: App, worker: Worker) -> None:
    stage.builder.held.add(A)
    first = stage.accept(app, A)
    assert first
    assert stage.builder.is_building.wait(10)
    second = stage.accept(app, B, old=ZERO)
    assert second
    with pytest.raises(Cancelled, match="newer push"):
        list(stage.push.follow(first))
    list(stage.push.follow(second))
    assert stage.build_of(first).status is BuildStatus.CANCELLED
    assert stage.build_of(second).status is BuildStatus.SUCCEEDED


def test_b26_a_commit_that_serves_is_not_built_again(stage: Stage, app: App) -> None:
    stage.deploy(app, A)
    said: list[str] = []
    update = RefUpdate(B, A, "refs/heads/main")
    assert stage.push.run(Push(app.id, stage.user, (update,), None), said.append) is None
    assert said == ["aaaaaaa is already v1: nothing to build."]


def test_a_refused_tree_leaves_no_build(stage: Stage, app: App) -> None:
    stage.sources.refuse(A, PushRefused("nothing to build"))
    with pytest.raises(PushRefused):
        stage.accept(app, A)
    with stage.ledger.begin(read_only=True) as tx:
        assert tx.builds.of_app(app.id) == []


def test_a_fault_of_ours_is_tried_three_times_and_then_told(stage: Stage, app: App) -> None:
    stage.builder.failures[A] = [PlatformFault("the registry is down") for _ in range(3)]
    build = stage.accept(app, A)
    assert build
    for attempt in (1, 2, 3):
        for _ in range(4):  # workers that were killed
            stage.ledger.free("worker")
            job = stage.ledger.claim("worker", [JobKind.BUILD])
        assert job
        assert job.attempt == attempt * 4
        if attempt < 3:
            with pytest.raises(PlatformFault):
                stage.run(job)
        else:
            stage.run(job)
    with pytest.raises(BuildFailed, match="did not move"):
        list(stage.push.follow(build))
    assert stage.build_of(build).failure == "platform"
    steps = [line for line in stage.logs.read(build_stream(build.id)) if "again" in line]
    assert steps == [f"-----> Building again{text}" for text in ("", " (attempt 2 of 3)", " (attempt 3 of 3)")]


def test_what_nobody_foresaw_is_told_after_three_tries(stage: Stage, app: App) -> None:
    stage.builder.failures[A] = [KeyError("oops") for _ in range(3)]
    build = stage.accept(app, A)
    assert build
    for _ in range(3):
        stage.ledger.free("worker")
        job = stage.ledger.claim("worker", [JobKind.BUILD])
        assert job
        with suppress(PlatformFault):
            stage.run(job)
    ended = stage.build_of(build)
    assert (ended.status, ended.message) == (BuildStatus.FAILED, "the build failed: KeyError")


def test_a09_a_late_workers_result_is_refused(stage: Stage, app: App) -> None:
    build = stage.accept(app, A)
    assert build
    stage.ledger.free("worker")
    late = stage.ledger.claim("worker", [JobKind.BUILD])
    assert late
    stage.ledger.free("worker")
    newer = stage.ledger.claim("other", [JobKind.BUILD])
    assert newer
    with pytest.raises(Conflict):
        stage.stories[JobKind.BUILD](late, Cancel())
    assert stage.build_of(build).status is BuildStatus.RUNNING
    stage.run(newer)
    assert stage.build_of(build).status is BuildStatus.SUCCEEDED


def test_a_build_whose_worker_stops_is_left_to_the_next(stage: Stage, app: App) -> None:
    stage.builder.held.add(A)
    build = stage.accept(app, A)
    assert build
    job = stage.ledger.claim("worker", [JobKind.BUILD])
    assert isinstance(job, Job)
    cancel = Cancel()
    cancel.cancel()
    with pytest.raises(Conflict, match="taken up again"):
        stage.stories[JobKind.BUILD](job, cancel)
    assert stage.build_of(build).status is BuildStatus.RUNNING


def test_a09_the_next_worker_knows_which_lines_of_the_build_are_there(stage: Stage, app: App) -> None:
    build = stage.accept(app, A)
    assert build
    stage.ledger.claim("worker", [JobKind.BUILD])
    stage.logs.append(build_stream(build.id), "a line of the build", "000001/1/000000007")
    stage.ledger.free("worker")
    stage.work()
    assert [each.heard for each in stage.builder.requests] == ["000001/1/000000007"]
    assert stage.builder.swept == [build.id], "not tidied after its verdict"


def test_a09_what_a_dead_worker_left_of_a_cancelled_build_is_removed(stage: Stage, app: App) -> None:
    build = stage.accept(app, A)
    assert build
    stage.ledger.claim("worker", [JobKind.BUILD])
    CancelBuild(stage.ledger, stage.logs, stage.clock).run(stage.user, app, build)
    stage.ledger.free("worker")
    stage.work()
    assert (stage.builder.swept, stage.builder.requests) == ([build.id], [])


@pytest.mark.parametrize("is_cancelled", [True, False])
def test_a_build_is_ended_for_its_user_and_left_for_the_next_worker(stage: Stage, app: App, is_cancelled: bool) -> None:
    build = stage.accept(app, A)
    assert build
    job = stage.ledger.claim("worker", [JobKind.BUILD])
    assert job
    told: list[bool] = []

    def building(request: BuildRequest, say: object, cancel: Cancel, leave: Cancel) -> Image:
        if is_cancelled:
            CancelBuild(stage.ledger, stage.logs, stage.clock).run(stage.user, app, build)
        worker.cancel()
        told.extend([cancel.cancelled, leave.cancelled])
        raise Cancelled("stopped")

    stage.builder.build = building  # type: ignore[method-assign,assignment]
    worker = Cancel()
    with suppress(Conflict):
        stage.stories[JobKind.BUILD](job, worker)
    assert told == [is_cancelled, not is_cancelled]
    assert stage.builder.swept == ([build.id] if is_cancelled else [])
