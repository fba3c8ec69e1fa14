"""A worker that is killed in the middle: the next one ends what it began, and the old release serves until then."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from wherry.domain.model import App, Job, JobKind, ReleaseStatus
from wherry.flow.plan import Patience
from wherry.flow.rollout import RollOut
from wherry.schedules import CronCalendar

from tests.flow.conftest import Stage

A, B = "a" * 40, "b" * 40


class Killed(BaseException):
    """As kill -9: no line of ours runs after it."""


@pytest.fixture
def two(stage: Stage, app: App) -> App:
    """With two releases that served, each with a release phase."""
    stage.builder.processes = {"web": "serve", "release": "migrate"}
    stage.deploy(app, A)
    stage.deploy(app, B)
    return app


def claimed(stage: Stage) -> Job:
    job = stage.ledger.claim("worker", [JobKind.ROLLOUT])
    assert job
    return job


def killed_at(stage: Stage, monkeypatch: pytest.MonkeyPatch, who: str, method: str, edge: str) -> None:
    owner = getattr(stage, who)
    real = getattr(owner, method)

    def cut(*args: Any, **named: Any) -> None:
        if edge == "after":
            real(*args, **named)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(owner, method, cut)
        with pytest.raises(Killed):
            stage.run(claimed(stage))


EDGES = (
    ("runtime", "run", "before"),
    ("runtime", "run", "after"),
    ("runtime", "start", "after"),
    ("router", "publish", "before"),
    ("router", "publish", "after"),
    ("logs", "close", "before"),
)


@pytest.mark.parametrize(("who", "method", "edge"), EDGES)
def test_a46_a_rollback_that_is_killed_at_any_edge_is_ended_by_the_next_worker(
    stage: Stage, two: App, monkeypatch: pytest.MonkeyPatch, who: str, method: str, edge: str
) -> None:
    stage.rollback.run(stage.user, two, 1, force=True)
    killed_at(stage, monkeypatch, who, method, edge)
    assert (2, "web.1") in stage.running(two)
    if who != "logs" and (who, edge) != ("router", "after"):
        assert stage.router.routes[two.id].release == 2
    stage.ledger.free("worker")
    stage.work()
    current = stage.current(two)
    assert current is not None
    assert (current.number, current.image.digest) == (3, f"sha256:{A}")
    assert stage.running(two) == [(3, "web.1")]
    assert stage.router.routes[two.id].release == 3
    assert [each.status for each in stage.releases(two)] == [ReleaseStatus.SUCCEEDED] * 3
    with stage.ledger.begin(read_only=True) as tx:
        assert tx.jobs.waiting() == []


def test_a44_a_release_phase_that_was_killed_before_it_was_marked_runs_once_more(
    stage: Stage, two: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """docs/app-contract.md tells its author so."""
    stage.configure.run(stage.user, two, {"A": "1"})
    killed_at(stage, monkeypatch, "runtime", "run", "after")
    stage.ledger.free("worker")
    stage.work()
    assert stage.runtime.ran.count((two.id, 3, "release")) == 2
    assert stage.running(two) == [(3, "web.1")]


def test_a44_a_release_phase_that_hangs_ends_at_its_limit_and_the_old_release_serves(stage: Stage, two: App) -> None:
    short: Patience = replace(stage.patience, release=1)
    rollout = RollOut(stage.ledger, stage.runtime, stage.router, stage.logs, stage.clock, short, CronCalendar())
    stage.stories[JobKind.ROLLOUT] = rollout.run
    stage.configure.run(stage.user, two, {"MODE": "slow"})
    stage.work()
    failed = stage.releases(two)[0]
    assert (failed.status, failed.failure) == (ReleaseStatus.FAILED, "release-phase")
    assert stage.running(two) == [(2, "web.1")]
