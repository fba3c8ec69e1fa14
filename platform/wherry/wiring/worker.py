"""What the worker process is given."""

from __future__ import annotations

import logging
import socket
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event

from wherry.domain.log import PLATFORM, Entry, LogLine
from wherry.domain.model import JobKind
from wherry.domain.text import printable
from wherry.fittings.images import open_builder
from wherry.fittings.runtimes import open_router, open_runtime
from wherry.fittings.stores import open_app_logs, open_ledger, open_sources
from wherry.flow.build import RunBuild
from wherry.flow.converge import Converge
from wherry.flow.cron import ScheduleCron
from wherry.flow.cron_run import RunCron
from wherry.flow.destroy import RemoveRemains
from wherry.flow.domain_upkeep import RecheckDomains
from wherry.flow.ledger_ports import Ledger
from wherry.flow.log_ports import AppLogs
from wherry.flow.maintain import Reroute
from wherry.flow.ports import Runtime
from wherry.flow.prune import PruneImages
from wherry.flow.reconcile import Reconcile
from wherry.flow.release import ReleaseBuild
from wherry.flow.rollback import RollBack
from wherry.flow.rollout import RollOut
from wherry.flow.run import TidyOneOffs
from wherry.flow.watchdog import Watchdog
from wherry.flow.work import Story, Worker
from wherry.home import Home
from wherry.logs.files import FileLogs
from wherry.schedules import CronCalendar
from wherry.settings import Settings
from wherry.wiring.parts import SystemClock, open_texts, patience_of

log = logging.getLogger(__name__)
ROLLOUTS_AT_ONCE = 4


@dataclass(frozen=True)
class Bench:
    """What the worker process is given."""

    settings: Settings
    ledger: Ledger
    runtime: Runtime
    worker: Worker
    reconcile: Reconcile
    watchdog: Watchdog
    cron: ScheduleCron
    app_logs: AppLogs
    one_offs: TidyOneOffs
    domains: RecheckDomains
    one_off_changed: Event = field(default_factory=Event)

    def on_change(self, app_id: int) -> None:
        """A process of the app started or ended by itself."""
        self.watchdog.check(app_id)
        self.reconcile.app(app_id)

    def on_unwell(self, app_id: int, process: str, message: str) -> None:
        """A process of the app failed a liveness check."""
        log.warning("app %s, %s: %s", app_id, process, message)
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        self.app_logs.append(app_id, [Entry(LogLine(at, PLATFORM, process, printable(message, 1000)))])


def wire_worker(settings: Settings, home: Home) -> Bench:
    """For the worker process."""
    ledger, clock, patience = open_ledger(settings), SystemClock(), patience_of(settings)
    sources, logs = open_sources(settings), FileLogs(settings.folder / "logs")
    runtime, router, builder = open_runtime(settings, home), open_router(settings, home), open_builder(settings, home)
    release = ReleaseBuild(ledger, sources, clock)
    prune = PruneImages(ledger, builder, runtime, settings.number("keep_releases"))
    stories: dict[JobKind, Story] = {
        JobKind.BUILD: RunBuild(ledger, builder, logs, clock, release, runtime).run,
        JobKind.ROLLOUT: RollOut(ledger, runtime, router, logs, clock, patience, CronCalendar()).run,
        JobKind.CRON: RunCron(ledger, runtime, logs, clock, settings.number("cron_seconds")).run,
        JobKind.CONVERGE: Converge(ledger, runtime, router, patience, prune).run,
        JobKind.ROUTE: Reroute(ledger, router).run,
        JobKind.DESTROY: RemoveRemains(ledger, sources, builder, runtime, router, open_app_logs(settings)).run,
    }
    slots = {
        (JobKind.BUILD,): settings.number("builds_at_once"),
        (JobKind.ROLLOUT, JobKind.CONVERGE, JobKind.DESTROY): ROLLOUTS_AT_ONCE,
        (JobKind.ROUTE,): 1,
        (JobKind.CRON,): settings.number("cron_at_once"),
    }
    rollback = RollBack(ledger, clock, settings.number("keep_releases"))
    return Bench(
        settings=settings,
        ledger=ledger,
        runtime=runtime,
        worker=Worker(
            f"worker-{home.platform}-{socket.gethostname()}",
            ledger,
            stories,
            slots,
            beat=settings.number("lease_seconds") / 3,
            prepare=builder.prepare,
        ),
        reconcile=Reconcile(ledger, sources, runtime, router, release),
        cron=ScheduleCron(ledger, logs, CronCalendar(), clock),
        app_logs=open_app_logs(settings),
        watchdog=Watchdog(ledger, runtime, rollback, clock, patience),
        one_offs=TidyOneOffs(ledger, runtime, clock),
        domains=RecheckDomains(ledger, clock, open_texts(settings), home.secret("tickets.key")),
    )
