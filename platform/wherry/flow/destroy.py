"""An app goes: first from the ledger, so that nothing new begins; then, as a job, everything it had."""

from __future__ import annotations

from dataclasses import dataclass, replace

from wherry.domain.model import Actor, App, BuildStatus, Job, JobKind
from wherry.flow.lanes import app_lane, build_stream
from wherry.flow.ledger_ports import Ledger
from wherry.flow.log_ports import AppLogs
from wherry.flow.ports import Builder, Cancel, Clock, Logs, Router, Runtime, Sources


@dataclass(frozen=True)
class DestroyApp:
    ledger: Ledger
    logs: Logs
    clock: Clock

    def run(self, actor: Actor, app: App, origin: str = "") -> None:
        """Its name stays taken for 90 days, so that nobody inherits its visitors."""
        now = self.clock.now()
        with self.ledger.begin() as tx:
            stopped = tx.builds.unfinished(app.id)
            for build in stopped:
                message = "the app was destroyed"
                tx.builds.finish(replace(build, status=BuildStatus.CANCELLED, message=message, finished_at=now))
            tx.events.add(now, actor, app.name, "app.destroy", before={"name": app.name}, origin=origin)
            tx.apps.remove(app.id, now)
            tx.jobs.add(JobKind.DESTROY, app.id, app_lane(app.id))
        for build in stopped:
            self.logs.close(build_stream(build.id), BuildStatus.CANCELLED)


@dataclass(frozen=True)
class RemoveRemains:
    """The job. Its lane is the app's, so it waits for a rollout under way and then takes that away too."""

    ledger: Ledger
    sources: Sources
    builder: Builder
    runtime: Runtime
    router: Router
    app_logs: AppLogs

    def run(self, job: Job, cancel: Cancel) -> None:
        """Raises PlatformFault, and the job stays."""
        self.router.withdraw(job.subject)
        self.runtime.retire(job.subject, (), runs=True)
        self.runtime.end([each.id for each in self.runtime.tasks(job.subject)])
        self.builder.forget(job.subject)
        self.sources.remove(job.subject)
        self.app_logs.remove(job.subject)
        with self.ledger.begin() as tx:
            tx.jobs.finish(job)
