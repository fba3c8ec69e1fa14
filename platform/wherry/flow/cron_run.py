"""One run of a cron task. Runs in the worker; a run outlives the worker, and the next one goes on with it."""

from __future__ import annotations

from dataclasses import dataclass

from wherry.domain.cron import FIRST_NUMBER, TYPE, CronRun, RunStatus
from wherry.domain.errors import Cancelled, Conflict, NotFound, RolloutFailed
from wherry.domain.model import App, Job, Release
from wherry.flow.faults import foreseen
from wherry.flow.lanes import cron_stream
from wherry.flow.ledger_ports import Ledger
from wherry.flow.plan import command
from wherry.flow.ports import Cancel, Clock, Logs, Runtime


@dataclass(frozen=True)
class RunCron:
    """`seconds`: the longest that a run may take."""

    ledger: Ledger
    runtime: Runtime
    logs: Logs
    clock: Clock
    seconds: float

    def run(self, job: Job, cancel: Cancel) -> None:
        """Raises PlatformFault while another attempt is due, Conflict when the run is left to the next worker; both
        times the job stays.
        """
        try:
            run, app, release = self._load(job)
        except NotFound:
            self._end(job, None, RunStatus.FAILED)
            return
        if run.status.final:
            self._end(job, run, run.status)
            return
        try:
            with foreseen("the run"):
                code = self._work(run, app, release, cancel)
        except Cancelled as error:
            if not self._is_over(run):
                raise Conflict(f"{run.process} is left running and will be taken up again") from error
            self._end(job, run, self._status(run))
        except NotFound:
            self._end(job, run, RunStatus.FAILED, message="the platform was interrupted as it began or ended")
        except RolloutFailed as error:
            self._end(job, run, RunStatus.FAILED, message=error.message)
        else:
            self._end(job, run, RunStatus.FAILED if code else RunStatus.SUCCEEDED, code)

    def _load(self, job: Job) -> tuple[CronRun, App, Release]:
        with self.ledger.begin(read_only=True) as tx:
            run = tx.crons.run(job.subject)
            return run, tx.apps.by_id(run.app_id), tx.releases.by_number(run.app_id, run.release)

    def _work(self, run: CronRun, app: App, release: Release, cancel: Cancel) -> int:
        """What began already is never begun again."""
        has_begun = run.status is RunStatus.RUNNING
        if not has_begun:
            with self.ledger.begin() as tx:
                tx.crons.start(run.id, self.clock.now())
        kill, leave = Cancel(), Cancel()
        cancel.on_cancel(lambda: (kill if self._is_over(run) else leave).cancel())
        workload = command(app, release, TYPE, run.command, self.seconds)
        stream = cron_stream(run.id)
        return self.runtime.run(
            workload,
            lambda line, mark="": self.logs.append(stream, line, mark),
            kill,
            number=FIRST_NUMBER + run.id,
            leave=leave,
            resume=has_begun,
            heard=self.logs.mark(stream),
        )

    def _is_over(self, run: CronRun) -> bool:
        """Another one took its place, or somebody stopped it."""
        return self._status(run).final

    def _status(self, run: CronRun) -> RunStatus:
        with self.ledger.begin(read_only=True) as tx:
            return tx.crons.run(run.id).status

    def _end(
        self, job: Job, run: CronRun | None, status: RunStatus, code: int | None = None, message: str = ""
    ) -> None:
        with self.ledger.begin() as tx:
            tx.jobs.finish(job)
            if run:
                tx.crons.finish(run.id, status, self.clock.now(), code, message)
        if run:
            if message:
                self.logs.append(cron_stream(run.id), f" !     {message}")
            self.logs.close(cron_stream(run.id), status)
