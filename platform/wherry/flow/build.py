"""One build job: source in, image out, the verdict written once. Runs in the worker."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

from wherry.domain.errors import BuildFailed, BuildFailure, Cancelled, Conflict, PlatformFault
from wherry.domain.image import Image
from wherry.domain.model import Build, BuildStatus, Job
from wherry.flow.faults import foreseen, is_due_again
from wherry.flow.lanes import build_stream
from wherry.flow.ledger_ports import Ledger
from wherry.flow.ports import Builder, BuildRequest, Cancel, Clock, Logs, Runtime
from wherry.flow.release import ReleaseBuild
from wherry.flow.talk import trouble

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunBuild:
    ledger: Ledger
    builder: Builder
    logs: Logs
    clock: Clock
    release: ReleaseBuild
    runtime: Runtime

    def run(self, job: Job, cancel: Cancel) -> None:
        """Raises PlatformFault while another attempt is due (the job stays), Conflict when another worker holds the
        job now.
        """
        request = self._begin(job)
        if request is None:
            return
        verdict = self._attempt(job, request, cancel)
        self._conclude(job, verdict)
        self._tidy(verdict)

    def _begin(self, job: Job) -> BuildRequest | None:
        with self.ledger.begin() as tx:
            build = tx.builds.by_id(job.subject)
            if not build.status.final:
                tx.builds.start(build.id)
                app = tx.apps.by_id(build.app_id)
                current = tx.releases.current(app.id)
                config = tx.apps.config(app.id)
        if build.status.final:
            self._drop(job)
            return None
        previous = current.image if current else None
        heard = self.logs.mark(build_stream(build.id)) if job.attempt > 1 else ""
        return BuildRequest(
            app.id, app.name, build.id, job.attempt, build.source, config, previous, app.build, heard, job.faults
        )

    def _drop(self, job: Job) -> None:
        """Its build was cancelled while no worker had it: what an earlier worker left of it may run on."""
        if job.attempt > 1:
            self.builder.sweep(job.subject)
        with self.ledger.begin() as tx:
            tx.jobs.finish(job)

    def _attempt(self, job: Job, request: BuildRequest, cancel: Cancel) -> Build:
        stream = build_stream(request.build_id)
        kill, leave = Cancel(), Cancel()
        cancel.on_cancel(lambda: (kill if self._is_over(request) else leave).cancel())

        def say(line: str, mark: str = "") -> None:
            self.logs.append(stream, line, mark)

        try:
            with foreseen("the build"):
                image = self.builder.build(request, say, kill, leave)
                image = replace(image, wishes=request.source.wishes)
        except Cancelled as error:
            return self._cancelled(request, error)
        except BuildFailed as error:
            trouble(say, error)
            return self._verdict(request, BuildStatus.FAILED, failure=error.kind, message=error.message)
        except PlatformFault as error:
            trouble(say, error)
            if is_due_again(self.ledger, job):
                raise
            return self._verdict(request, BuildStatus.FAILED, failure=BuildFailure.PLATFORM, message=error.message)
        self.runtime.fetch(image)  # it comes while git moves the ref
        return self._verdict(request, BuildStatus.SUCCEEDED, image=image)

    def _cancelled(self, request: BuildRequest, error: Cancelled) -> Build:
        """A cancelled build has its verdict already. Any other was left by its worker: the next one takes it up."""
        build = self._build(request)
        if build.status is not BuildStatus.CANCELLED:
            raise Conflict(f"build {build.id} was interrupted and will be taken up again") from error
        return build

    def _is_over(self, request: BuildRequest) -> bool:
        return self._build(request).status.final

    def _build(self, request: BuildRequest) -> Build:
        with self.ledger.begin(read_only=True) as tx:
            return tx.builds.by_id(request.build_id)

    def _verdict(
        self,
        request: BuildRequest,
        status: BuildStatus,
        image: Image | None = None,
        failure: BuildFailure | None = None,
        message: str = "",
    ) -> Build:
        return replace(
            self._build(request),
            status=status,
            image=image,
            failure=failure or "",
            message=message,
            finished_at=self.clock.now(),
        )

    def _conclude(self, job: Job, verdict: Build) -> None:
        with self.ledger.begin() as tx:
            tx.jobs.finish(job)
            ended = tx.builds.finish(verdict)
            if ended:
                after = {"build": verdict.id, "status": str(verdict.status), "failure": str(verdict.failure)}
                name = tx.apps.by_id(verdict.app_id).name
                tx.events.add(self.clock.now(), verdict.actor, name, "build.finish", after=after, origin="worker")
        if ended and verdict.status is BuildStatus.SUCCEEDED and not verdict.branch:
            self.release.run(verdict)  # no ref has to move first; when we die here, reconcile does it
        self.logs.close(build_stream(verdict.id), verdict.status)

    def _tidy(self, verdict: Build) -> None:
        """Not before the verdict stands: until then another worker may need what is there."""
        try:
            self.builder.sweep(verdict.id)
        except PlatformFault as error:  # it ends and goes by itself, later
            log.warning("build %s left something behind: %s", verdict.id, " | ".join(error.lines()))
