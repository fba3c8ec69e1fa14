"""Bring a release to serve: start the new beside the old, switch, write it down. What is left of the old is
`converge`'s.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from wherry.domain.cron import FIRST_NUMBER
from wherry.domain.errors import (
    Cancelled,
    Conflict,
    NotFound,
    PlatformFault,
    RolloutFailed,
    RolloutFailure,
    WherryError,
)
from wherry.domain.formation import Formation
from wherry.domain.model import App, Job, JobKind, Release, ReleaseStatus
from wherry.domain.restarts import Wish
from wherry.domain.text import printable
from wherry.domain.workload import Workload
from wherry.flow.cron import set_tasks
from wherry.flow.cron_ports import Calendar
from wherry.flow.draft import latest
from wherry.flow.faults import foreseen, is_due_again
from wherry.flow.lanes import app_lane, release_stream
from wherry.flow.ledger_ports import Ledger
from wherry.flow.plan import Patience, check_volumes, command, left_alone, release_phase, route, workloads
from wherry.flow.ports import Cancel, Clock, Logs, Router, Runtime, Say
from wherry.flow.talk import detail, step, trouble

_EVIDENCE = 10
POSTDEPLOY = "postdeploy"


@dataclass(frozen=True)
class RollOut:
    ledger: Ledger
    runtime: Runtime
    router: Router
    logs: Logs
    clock: Clock
    patience: Patience
    calendar: Calendar

    def run(self, job: Job, cancel: Cancel) -> None:
        """Raises PlatformFault while another attempt is due (the job stays), Conflict when another worker holds the
        job now.
        """
        try:
            app, release, formation, wishes = self._load(job)
        except NotFound:
            self._drop(job)
            return
        if release.status is not ReleaseStatus.PENDING:
            self._drop(job)
            return
        try:
            with foreseen("the rollout"):
                wanted = workloads(app, release, formation, self.patience, wishes)
                if self.runtime.has_volumes:
                    check_volumes(app, wanted)
                self._release_phase(job, app, release, cancel)
                self._start(release, formation, wanted)
                self._switch(app, release)
                self._postdeploy(app, release, cancel)
        except Cancelled as error:
            raise Conflict(f"the rollout of {release.name} was interrupted and will be taken up again") from error
        except (RolloutFailed, PlatformFault) as error:
            self._give_up(job, app, release, error)
        else:
            self._succeed(job, app, release)

    def _load(self, job: Job) -> tuple[App, Release, Formation, list[Wish]]:
        with self.ledger.begin(read_only=True) as tx:
            release = tx.releases.by_id(job.subject)
            app = tx.apps.by_id(release.app_id)
            return app, release, tx.apps.formation(app.id), tx.restarts.of_app(app.id)

    def _release_phase(self, job: Job, app: App, release: Release, cancel: Cancel) -> None:
        """It outlives this worker, and the next one goes on with it, from the last line that the log has. Begun again only
        when nothing is left of it, so what it does must bear being done twice.
        """
        workload = release_phase(app, release, self.patience)
        if workload is None:
            return
        stream, last = release_stream(release.id), deque[str](maxlen=_EVIDENCE)

        def hear(line: str, mark: str = "") -> None:
            last.append(line)
            detail(lambda text: self.logs.append(stream, text, mark), line)

        again = ", taken up again" if job.attempt > 1 else ""
        step(self._say(release), f"Release phase{again}: {release.image.processes[workload.type]}")
        if code := self.runtime.run(workload, hear, Cancel(), leave=cancel, heard=self.logs.mark(stream)):
            raise RolloutFailed(
                RolloutFailure.RELEASE_PHASE,
                f"the release phase ended with exit code {code}",
                evidence=list(last),
                hint="Nothing was switched. Mend it and push again, or: wherry releases:rollback",
            )

    def _start(self, release: Release, formation: Formation, wanted: Sequence[Workload]) -> None:
        step(self._say(release), "Launching...")
        for line in left_alone(release, formation, self.runtime.by_load):
            detail(self._say(release), line)
        self.runtime.start(wanted, self._say(release))

    def _switch(self, app: App, release: Release) -> None:
        processes = self.runtime.processes(app.id)
        self.router.publish(route(latest(self.ledger, app), release, processes))

    def _postdeploy(self, app: App, release: Release, cancel: Cancel) -> None:
        """Of the first release that serves; again after an interruption. Its failure is told, and changes nothing: the
        app serves.
        """
        line = release.image.wishes.postdeploy
        with self.ledger.begin(read_only=True) as tx:
            is_first = tx.releases.current(app.id) is None
        if not line or not is_first:
            return
        say = self._say(release)
        step(say, f"Running postdeploy: {printable(line, 500)}")
        workload = command(app, release, POSTDEPLOY, line, self.patience.release)
        try:
            code = self.runtime.run(workload, lambda text, _="": detail(say, text), cancel, number=FIRST_NUMBER)
        except RolloutFailed as error:
            trouble(say, error)
        else:
            if code:
                detail(say, f"postdeploy ended with exit code {code}. The release serves all the same.")

    def _succeed(self, job: Job, app: App, release: Release) -> None:
        self._finish(job, app, release, ReleaseStatus.SUCCEEDED)
        detail(self._say(release), f"Released {release.name}")
        self.logs.close(release_stream(release.id), ReleaseStatus.SUCCEEDED)

    def _give_up(self, job: Job, app: App, release: Release, error: WherryError) -> None:
        if isinstance(error, PlatformFault) and is_due_again(self.ledger, job):
            detail(self._say(release), f"{error.message}; trying again")
            raise error
        self._finish(job, app, release, ReleaseStatus.FAILED, error)
        trouble(self._say(release), error)
        self.logs.close(release_stream(release.id), ReleaseStatus.FAILED)

    def _finish(
        self, job: Job, app: App, release: Release, status: ReleaseStatus, error: WherryError | None = None
    ) -> None:
        now = self.clock.now()
        failure = getattr(error, "kind", "platform") if error else ""
        with self.ledger.begin() as tx:
            tx.jobs.finish(job)
            tx.releases.finish(release.id, status, now, failure, error.message if error else "")
            if status is ReleaseStatus.SUCCEEDED:
                set_tasks(tx, release, self.calendar, now)
            after = {"release": release.name, "status": str(status), "failure": str(failure)}
            after |= {"message": printable(error.message, 300)} if error else {}
            tx.events.add(now, release.actor, app.name, "release.finish", after=after, origin="worker")
            tx.jobs.add(JobKind.CONVERGE, app.id, app_lane(app.id))

    def _drop(self, job: Job) -> None:
        with self.ledger.begin() as tx:
            tx.jobs.finish(job)

    def _say(self, release: Release) -> Say:
        return lambda line: self.logs.append(release_stream(release.id), line)
