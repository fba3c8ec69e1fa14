from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

import pytest
from wherry.domain.errors import PlatformFault
from wherry.domain.model import App, Build, Job, JobKind, Release
from wherry.domain.refs import ZERO, RefUpdate
from wherry.domain.workload import AppRoute
from wherry.flow.autoscale import AutoscaleApp
from wherry.flow.build import RunBuild
from wherry.flow.configure import Configure
from wherry.flow.converge import Converge
from wherry.flow.create import CreateApp
from wherry.flow.cron import CronTab, ScheduleCron
from wherry.flow.cron_run import RunCron
from wherry.flow.destroy import DestroyApp, RemoveRemains
from wherry.flow.maintain import Maintain, Reroute
from wherry.flow.plan import Patience
from wherry.flow.ports import Cancel, Push
from wherry.flow.prune import PruneImages
from wherry.flow.push import AcceptPush
from wherry.flow.reconcile import Reconcile
from wherry.flow.release import ReleaseBuild
from wherry.flow.rename import RenameApp
from wherry.flow.restart import RestartProcesses
from wherry.flow.rollback import RollBack
from wherry.flow.rollout import RollOut
from wherry.flow.run import AttachOneOff, Limits, RunOneOff, TidyOneOffs
from wherry.flow.scale import ScaleApp
from wherry.flow.watchdog import Watchdog
from wherry.flow.work import Worker
from wherry.ledger.ledger import SqlLedger
from wherry.schedules import CronCalendar

from tests.fakes.app_logs import MemoryAppLogs
from tests.fakes.builder import InMemoryBuilder
from tests.fakes.logs import MemoryLogs
from tests.fakes.router import MemoryRouter
from tests.fakes.runtime import InMemoryRuntime
from tests.fakes.sources import InMemorySources

KEEP = 4


class TurningClock:
    """Stands still until it is turned."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def turn(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class FallibleRouter(MemoryRouter):
    """With `fault` set, nothing can be published."""

    fault: PlatformFault | None = None

    def publish(self, route: AppRoute) -> None:
        if self.fault:
            raise self.fault
        super().publish(route)


class Stage:
    """All stories over a real ledger and in-memory adapters; `work` runs the jobs one by one, as the worker would."""

    def __init__(self, folder: Path) -> None:
        self.ledger = SqlLedger(f"sqlite:///{folder}/ledger.db", bytes(32), folder, lease_seconds=15)
        self.ledger.migrate()
        self.sources, self.builder, self.runtime = InMemorySources(), InMemoryBuilder(), InMemoryRuntime()
        self.router, self.logs, self.clock = FallibleRouter(), MemoryLogs(), TurningClock()
        self.patience = Patience(boot=1, drain=1, stop=1, watch=300)
        self.app_logs = MemoryAppLogs()
        ledger, clock = self.ledger, self.clock
        self.create = CreateApp(ledger, self.sources, clock)
        self.push = AcceptPush(ledger, self.sources, self.logs, clock)
        self.release = ReleaseBuild(ledger, self.sources, clock)
        self.rollback = RollBack(ledger, clock, KEEP)
        self.configure = Configure(ledger, clock)
        self.restart = RestartProcesses(ledger, clock, self.runtime.by_load)
        self.schedule = ScheduleCron(ledger, self.logs, CronCalendar(), clock)
        self.cron = CronTab(ledger, clock)
        self.maintain = Maintain(ledger, clock)
        self.scale = ScaleApp(ledger, clock, self.runtime.by_load, self.runtime.has_volumes)
        self.autoscale = AutoscaleApp(ledger, self.runtime, clock)
        self.rename = RenameApp(ledger, clock)
        self.destroy = DestroyApp(ledger, self.logs, clock)
        self.reconcile = Reconcile(ledger, self.sources, self.runtime, self.router, self.release)
        self.watchdog = Watchdog(ledger, self.runtime, self.rollback, clock, self.patience)
        self.runtime.time = clock.now
        self.one_offs = RunOneOff(ledger, self.runtime, clock, Limits(most=2, seconds=3600))
        self.terminal = AttachOneOff(ledger, self.runtime, clock)
        self.tidy = TidyOneOffs(ledger, self.runtime, clock)
        self.prune = PruneImages(ledger, self.builder, self.runtime, keep=KEEP)
        self.stories = {
            JobKind.BUILD: RunBuild(ledger, self.builder, self.logs, clock, self.release, self.runtime).run,
            JobKind.ROLLOUT: RollOut(
                ledger, self.runtime, self.router, self.logs, clock, self.patience, CronCalendar()
            ).run,
            JobKind.CRON: RunCron(ledger, self.runtime, self.logs, clock, 60).run,
            JobKind.CONVERGE: Converge(ledger, self.runtime, self.router, self.patience, self.prune).run,
            JobKind.ROUTE: Reroute(ledger, self.router).run,
            JobKind.DESTROY: RemoveRemains(
                ledger, self.sources, self.builder, self.runtime, self.router, self.app_logs
            ).run,
        }
        with ledger.begin() as tx:
            self.user = tx.accounts.ensure("user@example.org", admin=False)

    def work(self) -> None:
        """Until no job is left."""
        while job := self.ledger.claim("worker", list(JobKind)):
            self.run(job)

    def run(self, job: Job) -> None:
        self.stories[job.kind](job, Cancel())

    def accept(self, app: App, commit: str, old: str | None = None, branch: str = "main") -> Build | None:
        """What pre-receive does; the ref has not moved."""
        old = old or self.sources.head(app.id, branch) or ZERO
        update = RefUpdate(old, commit, f"refs/heads/{branch}")
        return self.push.run(Push(app.id, self.user, (update,), None), lambda line: None)

    def deploy(self, app: App, commit: str) -> Release | None:
        """A whole push: build, ref, release, rollout."""
        build = self.accept(app, commit)
        assert build is not None
        self.work()
        for _ in self.push.follow(build):
            pass
        self.sources.move(app.id, "main", commit)
        release = self.release.of_update(app.id, RefUpdate(ZERO, commit, "refs/heads/main"))
        self.work()
        return release

    def current(self, app: App) -> Release | None:
        with self.ledger.begin(read_only=True) as tx:
            return tx.releases.current(app.id)

    def releases(self, app: App) -> list[Release]:
        with self.ledger.begin(read_only=True) as tx:
            return tx.releases.of_app(app.id)

    def build_of(self, build: Build) -> Build:
        with self.ledger.begin(read_only=True) as tx:
            return tx.builds.by_id(build.id)

    def events(self, app: App) -> list[str]:
        with self.ledger.begin(read_only=True) as tx:
            return [event.action for event in tx.events.of_app(app.name)]

    def running(self, app: App) -> list[tuple[int, str]]:
        return sorted((each.release, each.name) for each in self.runtime.processes(app.id))


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.runtime.end_all()
    stage.ledger.close()


@pytest.fixture
def app(stage: Stage) -> App:
    return stage.create.run(stage.user, "hello")


@pytest.fixture
def worker(stage: Stage) -> Iterator[Worker]:
    """A worker that runs in its own thread while the test goes on."""
    kinds = (JobKind.ROLLOUT, JobKind.CONVERGE, JobKind.DESTROY)
    worker = Worker(
        "worker", stage.ledger, stage.stories, {(JobKind.BUILD,): 1, kinds: 2}, beat=5, prepare=stage.builder.prepare
    )
    stop = Event()
    thread = Thread(target=worker.run, args=(stop,))
    thread.start()
    yield worker
    stop.set()
    stage.ledger.ring()
    thread.join(20)
    assert not thread.is_alive()
