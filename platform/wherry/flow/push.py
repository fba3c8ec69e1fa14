"""A push arrives: judge its refs, keep its tree, queue its build. Runs while git waits in pre-receive; no ref has
moved.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from wherry.domain.errors import BuildFailed, BuildFailure, Cancelled
from wherry.domain.model import App, Build, BuildStatus, JobKind
from wherry.domain.refs import RefUpdate, judge
from wherry.flow.lanes import build_stream
from wherry.flow.ledger_ports import Ledger
from wherry.flow.ports import Clock, Logs, Push, Say, Sources
from wherry.flow.queue import SUPERSEDED, Asked, QueueBuild


@dataclass(frozen=True)
class AcceptPush:
    ledger: Ledger
    sources: Sources
    logs: Logs
    clock: Clock

    def run(self, push: Push, say: Say) -> Build | None:
        """The build that was queued, or None when nothing of this push deploys. Raises PushRefused, and changes
        nothing.
        """
        app = self._app(push)
        verdict = judge(push.updates, app.deploy_branch)
        for remark in verdict.remarks:
            say(remark)
        if verdict.deploy is None or self._already_serves(app, verdict.deploy, say):
            return None
        source = self.sources.export(app.id, verdict.deploy.new, push.quarantine)
        for remark in source.remarks:
            say(remark)
        update = verdict.deploy
        asked = Asked(app, push.actor, source, update.branch or "", update.old, push.origin)
        return QueueBuild(self.ledger, self.logs, self.clock).run(asked)

    def before(self, build: Build) -> int:
        """Builds that were queued earlier and are not done: they take their turn first."""
        with self.ledger.begin(read_only=True) as tx:
            return sum(job.kind is JobKind.BUILD and job.subject < build.id for job in tx.jobs.waiting())

    def follow(self, build: Build) -> Iterator[str | None]:
        """The build's log from its first line, as it is written, until it ends; None when idle.

        Then raises BuildFailed or Cancelled unless the build succeeded.
        """
        yield from self.logs.follow(build_stream(build.id))
        with self.ledger.begin(read_only=True) as tx:
            ended = tx.builds.by_id(build.id)
        if ended.status is BuildStatus.CANCELLED:
            newer = ended.message == SUPERSEDED
            hint = "Fetch first: git fetch wherry" if newer else f"{ended.branch} did not move."
            raise Cancelled(ended.message, hint=hint)
        if ended.status is not BuildStatus.SUCCEEDED:
            raise BuildFailed(
                BuildFailure(ended.failure), f"{ended.branch} did not move: the build failed ({ended.failure})"
            )

    def _app(self, push: Push) -> App:
        with self.ledger.begin(read_only=True) as tx:
            return tx.apps.by_id(push.app_id)

    def _already_serves(self, app: App, update: RefUpdate, say: Say) -> bool:
        with self.ledger.begin(read_only=True) as tx:
            current = tx.releases.current(app.id)
        if current is None or current.commit != update.new:
            return False
        say(f"{update.new[:7]} is already {current.name}: nothing to build.")
        return True
