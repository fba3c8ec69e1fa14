"""Commands on a schedule: each is run once, as its policy says, whatever happens to the platform."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from threading import Thread

import pytest
from wherry.domain.app_json import NOTHING, AppJson
from wherry.domain.cron import CronRun, CronTask, Policy, RunStatus
from wherry.domain.errors import Conflict, NotFound, RolloutFailed
from wherry.domain.model import App, Job, JobKind
from wherry.flow.ports import Cancel

from tests.flow.conftest import Stage
from tests.runtimes.machine_world import eventually

A, B = "a" * 40, "b" * 40
TIDY = CronTask("bin/tidy", "*/5 * * * *")


def deploy(stage: Stage, app: App, *tasks: CronTask, commit: str = A) -> None:
    stage.sources.wishes = AppJson(cron=tasks) if tasks else NOTHING
    stage.deploy(app, commit)


def tick(stage: Stage, seconds: float) -> None:
    stage.clock.turn(seconds)
    while stage.schedule.run() == 0:
        pass


def runs(stage: Stage, app: App) -> list[RunStatus]:
    return [run.status for run in stage.cron.runs(app, 100)]


def claimed(stage: Stage) -> Job:
    job = stage.ledger.claim("worker", [JobKind.CRON])
    assert job
    return job


def begun(stage: Stage, app: App) -> tuple[Job, Cancel, Thread, CronRun]:
    """A run that is under way in a worker of its own."""
    job, cancel = claimed(stage), Cancel()
    thread = Thread(target=_quietly, args=(stage, job, cancel))
    thread.start()
    return job, cancel, thread, next(run for run in stage.cron.runs(app, 100) if run.id == job.subject)


def _quietly(stage: Stage, job: Job, cancel: Cancel) -> None:
    try:
        stage.stories[JobKind.CRON](job, cancel)
    except Conflict:
        return


@pytest.fixture
def slow(stage: Stage, app: App) -> App:
    stage.configure.run(stage.user, app, {"MODE": "slow"})
    return app


def test_a_task_runs_when_it_is_due_and_its_run_is_kept(stage: Stage, app: App) -> None:
    deploy(stage, app, TIDY)
    assert stage.clock.now() == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert stage.schedule.run() == 55
    tick(stage, 55)
    stage.work()
    (run,) = stage.cron.runs(app, 10)
    assert (run.status, run.exit_code, run.command, run.release) == (RunStatus.SUCCEEDED, 0, "bin/tidy", 1)
    assert run.due_at == datetime(2026, 1, 2, 3, 5, tzinfo=UTC)
    assert stage.logs.read(f"cron-{run.id}") == ["migrated"]
    assert stage.runtime.ran == [(app.id, 1, "cron")]
    ((due, last),) = stage.cron.tasks(app)
    assert (due.next_at, last) == (datetime(2026, 1, 2, 3, 10, tzinfo=UTC), run)


def test_a_run_that_fails_is_told_with_its_code(stage: Stage, app: App) -> None:
    deploy(stage, app, TIDY)
    stage.runtime.run_exits = 7
    tick(stage, 60)
    stage.work()
    assert [(run.status, run.exit_code) for run in stage.cron.runs(app, 10)] == [(RunStatus.FAILED, 7)]


def test_two_workers_that_look_at_once_queue_one_run(stage: Stage, app: App) -> None:
    deploy(stage, app, TIDY)
    stage.clock.turn(60)
    threads = [Thread(target=stage.schedule.run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert runs(stage, app) == [RunStatus.PENDING]


def test_what_was_due_while_the_platform_was_down_is_one_missed_run_and_no_stampede(stage: Stage, app: App) -> None:
    deploy(stage, app, TIDY)
    tick(stage, 3600 * 24)
    stage.work()
    assert runs(stage, app) == [RunStatus.MISSED]
    tick(stage, 60)
    stage.work()
    assert runs(stage, app) == [RunStatus.SUCCEEDED, RunStatus.MISSED]


def test_a_run_that_is_a_little_late_is_made_up_for(stage: Stage, app: App) -> None:
    deploy(stage, app, TIDY)
    tick(stage, 55 + 80)
    assert runs(stage, app) == [RunStatus.PENDING]


def test_a_paused_task_runs_by_hand_only(stage: Stage, app: App) -> None:
    deploy(stage, app, replace(TIDY, paused=True))
    tick(stage, 3600)
    assert runs(stage, app) == []
    stage.cron.run(stage.user, app, 1)
    stage.work()
    assert runs(stage, app) == [RunStatus.SUCCEEDED]
    assert "cron.run" in stage.events(app)
    with pytest.raises(NotFound):
        stage.cron.run(stage.user, app, 2)


def test_forbid_leaves_the_second_run_out(stage: Stage, slow: App) -> None:
    deploy(stage, slow, replace(TIDY, policy=Policy.FORBID))
    tick(stage, 60)
    tick(stage, 300)
    assert runs(stage, slow) == [RunStatus.SKIPPED, RunStatus.PENDING]
    with pytest.raises(Conflict, match="still runs"):
        stage.cron.run(stage.user, slow, 1)


def test_allow_lets_both_run(stage: Stage, app: App) -> None:
    deploy(stage, app, TIDY)
    tick(stage, 60)
    tick(stage, 300)
    assert runs(stage, app) == [RunStatus.PENDING, RunStatus.PENDING]


def test_replace_stops_the_run_before(stage: Stage, slow: App) -> None:
    deploy(stage, slow, replace(TIDY, policy=Policy.REPLACE))
    tick(stage, 60)
    _, cancel, thread, first = begun(stage, slow)
    tick(stage, 300)
    cancel.cancel()  # as the worker does when it sees the status
    thread.join(20)
    assert runs(stage, slow) == [RunStatus.PENDING, RunStatus.REPLACED]
    assert stage.logs.outcome(f"cron-{first.id}") == "replaced"
    assert stage.runtime.left == set(), "it was killed, not left"


def test_a_run_is_stopped_by_hand_whether_it_began_or_not(stage: Stage, slow: App) -> None:
    deploy(stage, slow, replace(TIDY, policy=Policy.FORBID))
    tick(stage, 60)
    _, cancel, thread, run = begun(stage, slow)
    assert stage.cron.stop(stage.user, slow, run.process)
    cancel.cancel()
    thread.join(20)
    assert not stage.cron.stop(stage.user, slow, run.process), "it has ended"
    waiting = stage.cron.run(stage.user, slow, 1)
    assert stage.cron.stop(stage.user, slow, waiting.process)
    assert stage.ledger.claim("worker", [JobKind.CRON]) is None
    assert runs(stage, slow) == [RunStatus.STOPPED, RunStatus.STOPPED]
    assert stage.logs.outcome(f"cron-{run.id}") == "stopped"
    assert stage.events(slow)[:3] == ["cron.stop", "cron.run", "cron.stop"]
    assert not stage.cron.stop(stage.user, stage.create.run(stage.user, "other"), waiting.process)


def test_a_run_outlives_its_worker_and_the_next_one_goes_on_with_it(stage: Stage, slow: App) -> None:
    deploy(stage, slow, TIDY)
    tick(stage, 60)
    stage.runtime.printed = ["one"]
    _, cancel, thread, run = begun(stage, slow)
    eventually(lambda: stage.logs.read(f"cron-{run.id}") == ["one"])
    cancel.cancel()  # the worker stops
    thread.join(20)
    assert runs(stage, slow) == [RunStatus.RUNNING]
    assert len(stage.runtime.left) == 1
    stage.ledger.free("worker")
    stage.runtime.printed += ["two", "three"]  # while no worker lives
    _, cancel, thread, _ = begun(stage, slow)
    eventually(lambda: stage.logs.read(f"cron-{run.id}") == ["one", "two", "three"])
    cancel.cancel()
    thread.join(20)
    assert len(stage.runtime.ran) == 1, "it began once"


def test_a_run_of_which_nothing_is_left_is_not_begun_again(stage: Stage, slow: App) -> None:
    deploy(stage, slow, TIDY)
    tick(stage, 60)
    _, cancel, thread, _ = begun(stage, slow)
    cancel.cancel()
    thread.join(20)
    stage.runtime.left.clear()  # the machine was reset
    stage.ledger.free("worker")
    stage.run(claimed(stage))
    (run,) = stage.cron.runs(slow, 10)
    assert (run.status, run.message) == (RunStatus.FAILED, "the platform was interrupted as it began or ended")
    assert len(stage.runtime.ran) == 1


def test_the_tasks_are_those_of_the_release_that_serves(stage: Stage, app: App) -> None:
    deploy(stage, app, TIDY)
    before = stage.cron.tasks(app)[0][0].next_at
    deploy(stage, app, replace(TIDY, command="bin/tidy -v"), CronTask("bin/bill", "0 0 * * *"), commit=B)
    assert [due.task.command for due, _ in stage.cron.tasks(app)] == ["bin/tidy -v", "bin/bill"]
    assert stage.cron.tasks(app)[0][0].next_at == before
    stage.rollback.run(stage.user, app, 1)
    stage.work()
    assert [due.task.command for due, _ in stage.cron.tasks(app)] == ["bin/tidy"]
    stage.configure.run(stage.user, app, {"MODE": "exits"})
    stage.work()
    assert len(stage.cron.tasks(app)) == 1, "a failed release changes nothing"


def test_a_destroyed_app_runs_nothing_more(stage: Stage, app: App) -> None:
    deploy(stage, app, TIDY)
    tick(stage, 60)
    stage.destroy.run(stage.user, app)
    tick(stage, 600)
    stage.work()
    assert stage.runtime.ran == []


def test_old_runs_are_forgotten_with_their_logs(stage: Stage, app: App) -> None:
    deploy(stage, app, CronTask("bin/tidy", "* * * * *"))
    for _ in range(104):
        tick(stage, 60)
        stage.work()
    kept = stage.cron.runs(app, 1000)
    assert 100 <= len(kept) <= 101
    assert stage.logs.read("cron-1") == []


def test_another_apps_run_is_not_found(stage: Stage, app: App) -> None:
    deploy(stage, app, TIDY)
    tick(stage, 60)
    other = stage.create.run(stage.user, "other")
    run = stage.cron.runs(app, 1)[0]
    assert stage.cron.one(app, run.id) == run
    with pytest.raises(NotFound):
        stage.cron.one(other, run.id)


def test_an_image_that_cannot_be_had_fails_the_run(stage: Stage, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    from wherry.domain.errors import RolloutFailure

    def gone(*args: object, **named: object) -> int:
        raise RolloutFailed(RolloutFailure.IMAGE_PULL, "the image is gone")

    deploy(stage, app, TIDY)
    monkeypatch.setattr(stage.runtime, "run", gone)
    tick(stage, 60)
    stage.work()
    assert [(run.status, run.message) for run in stage.cron.runs(app, 10)] == [(RunStatus.FAILED, "the image is gone")]
