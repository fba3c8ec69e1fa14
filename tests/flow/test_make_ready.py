"""What can be done ahead of the next build does not stand in the way of what the last one made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from queue import Queue
from threading import Event, Thread

import pytest
from wherry.domain.model import App, Job, JobKind
from wherry.flow import work
from wherry.flow.ports import Cancel
from wherry.flow.work import Worker

from tests.flow.conftest import Stage

WAIT = 20


@pytest.fixture(autouse=True)
def nobody_cancels(monkeypatch: pytest.MonkeyPatch) -> None:
    """The jobs here are of no build."""
    monkeypatch.setattr(Worker, "_cancelled", lambda self, job: False)


@contextmanager
def working(stage: Stage, done: Queue[str]) -> Iterator[None]:
    """`done` tells what ended, in order. A converge lasts until it is cancelled."""

    def story(job: Job, cancel: Cancel) -> None:
        if job.kind is JobKind.CONVERGE:
            cancelled = Event()
            cancel.on_cancel(cancelled.set)
            cancelled.wait(WAIT)
        with stage.ledger.begin() as tx:
            tx.jobs.finish(job)
        done.put(job.kind)

    kinds = (JobKind.BUILD, JobKind.ROLLOUT, JobKind.CONVERGE)
    slots = {(kind,): 1 for kind in kinds}
    worker = Worker("worker", stage.ledger, dict.fromkeys(kinds, story), slots, 5, lambda: done.put("ready"))
    stop = Event()
    thread = Thread(target=worker.run, args=(stop,))
    thread.start()
    yield
    stop.set()
    stage.ledger.ring()
    thread.join(WAIT)
    assert not thread.is_alive()


def asked(stage: Stage, kind: JobKind, app: App) -> None:
    with stage.ledger.begin() as tx:
        tx.jobs.add(kind, app.id, f"{kind}-{app.id}")


def test_after_a_build_its_rollout_comes_first_and_old_requests_hold_nothing_up(
    stage: Stage, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "_AFTER_BUILD", 3600)
    done: Queue[str] = Queue()
    with working(stage, done):
        assert done.get(timeout=WAIT) == "ready"
        asked(stage, JobKind.BUILD, app)
        assert done.get(timeout=WAIT) == "build"
        stage.ledger.ring()  # the worker looks again, as it does at any event
        asked(stage, JobKind.CONVERGE, app)
        asked(stage, JobKind.ROLLOUT, app)
        assert [done.get(timeout=WAIT) for _ in range(2)] == ["rollout", "ready"]
    assert done.get(timeout=WAIT) == "converge"


def test_after_a_build_that_nobody_releases_the_next_is_made_ready_all_the_same(
    stage: Stage, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "_AFTER_BUILD", 0.05)
    done: Queue[str] = Queue()
    with working(stage, done):
        assert done.get(timeout=WAIT) == "ready"
        asked(stage, JobKind.BUILD, app)
        assert [done.get(timeout=WAIT) for _ in range(2)] == ["build", "ready"]
