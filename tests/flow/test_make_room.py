"""Requests of an old release may take long to end; what a user asks for meanwhile does not wait for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from threading import Event, Thread

import pytest
from wherry.domain.model import App, JobKind, Release
from wherry.flow.converge import Converge
from wherry.flow.lanes import release_stream
from wherry.flow.work import Worker

from tests.flow.conftest import Stage


@pytest.fixture
def patient(stage: Stage, app: App) -> Iterator[Stage]:
    """With a release that serves, and a worker that waits for old requests longer than any test."""
    stage.deploy(app, "a" * 40)
    patience = replace(stage.patience, drain=3600)
    stage.stories[JobKind.CONVERGE] = Converge(stage.ledger, stage.runtime, stage.router, patience, stage.prune).run
    slots = {(JobKind.ROLLOUT, JobKind.CONVERGE): 2}
    worker, stop = Worker("worker", stage.ledger, stage.stories, slots, beat=5, prepare=lambda: None), Event()
    thread = Thread(target=worker.run, args=(stop,))
    thread.start()
    yield stage
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
