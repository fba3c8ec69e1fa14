"""What the worker does for nobody's sake (old requests that take long to end, the next build's container) does not hold
up what a user asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Event, Thread

import pytest
from wherry.domain.model import App, Job, JobKind, Release
from wherry.domain.refs import ZERO, RefUpdate
from wherry.flow.converge import Converge
from wherry.flow.lanes import release_stream
from wherry.flow.ports import Cancel
from wherry.flow.work import Story, Worker

from tests.flow.conftest import Stage


@pytest.fixture
def patient(stage: Stage, app: App) -> Iterator[Stage]:
    """With a release that serves, and a worker that waits for old requests longer than any test."""
    stage.deploy(app, "a" * 40)
    patience = replace(stage.patience, drain=3600)
    stage.stories[JobKind.CONVERGE] = Converge(stage.ledger, stage.runtime, stage.router, patience, stage.prune).run
    slots = {(JobKind.ROLLOUT, JobKind.CONVERGE): 2}
    with at_work(stage, Worker("worker", stage.ledger, stage.stories, slots, beat=5, prepare=lambda: None)):
        yield stage


@contextmanager
def at_work(stage: Stage, worker: Worker) -> Iterator[None]:
    stop = Event()
    thread = Thread(target=worker.run, args=(stop,))
    thread.start()
    yield
    stop.set()
    stage.ledger.ring()
    thread.join(20)
    assert not thread.is_alive()


def serves(stage: Stage, release: Release | None) -> None:
    """Returns when its rollout has ended."""
    assert release
    list(stage.logs.follow(release_stream(release.id)))


def test_a_rollback_does_not_wait_for_requests_to_an_older_release(patient: Stage, app: App) -> None:
    with patient.router.request(app.name):
        serves(patient, patient.configure.run(patient.user, app, {"A": "1"}))
        serves(patient, patient.rollback.run(patient.user, app, 1))
        assert [each.number for each in patient.releases(app) if each.status == "succeeded"] == [3, 2, 1]
        assert (1, "web.1") in patient.running(app)  # whose request has not ended
    eventually_only(patient, app, 3)


def eventually_only(stage: Stage, app: App, release: int) -> None:
    """Each look at the jobs waits for the next that ends."""
    while any(number != release for number, _ in stage.running(app)):
        stage.ledger.wait(1)


def test_nothing_is_made_ready_between_a_build_and_its_rollout(stage: Stage, app: App) -> None:
    stage.work()
    happened: list[str] = []
    made = Event()

    def told(kind: JobKind) -> Story:
        def run(job: Job, cancel: Cancel) -> None:
            stage.stories[kind](job, cancel)
            happened.append(kind)

        return run

    def prepare() -> None:
        happened.append("made ready")
        made.set()

    kinds = (JobKind.BUILD, JobKind.ROLLOUT)
    stories = {kind: told(kind) for kind in kinds}
    worker = Worker("worker", stage.ledger, stories, {kinds: 1}, beat=5, prepare=prepare, followed=3600)
    with at_work(stage, worker):
        assert made.wait(20)
        made.clear()
        build = stage.accept(app, "a" * 40)
        assert build
        list(stage.push.follow(build))
        stage.sources.move(app.id, "main", "a" * 40)
        assert stage.release.of_update(app.id, RefUpdate(ZERO, "a" * 40, "refs/heads/main"))
        assert made.wait(20)
    assert happened == ["made ready", JobKind.BUILD, JobKind.ROLLOUT, "made ready"]
