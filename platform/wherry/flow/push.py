"""A push arrives: judge its refs, keep its tree, queue its build. Runs while git waits in pre-receive; no ref has
moved.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from wherry.domain.errors import BuildFailed, BuildFailure, Cancelled
from wherry.domain.model import App, Build, BuildStatus, JobKind, Source
from wherry.domain.refs import RefUpdate, judge
from wherry.flow.lanes import build_lane, build_stream
from wherry.flow.ports import Clock, Ledger, Logs, Push, Say, Sources, Transaction


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
        build, superseded = self._queue(app, push, verdict.deploy, source)
        for older in superseded:
            self._announce(older, build)
        return build

    def follow(self, build: Build) -> Iterator[str | None]:
        """The build's log from its first line, as it is written, until it ends; None when idle.

        Then raises BuildFailed or Cancelled unless the build succeeded.
        """
        yield from self.logs.follow(build_stream(build.id))
        with self.ledger.begin(read_only=True) as tx:
            ended = tx.builds.by_id(build.id)
        if ended.status is BuildStatus.CANCELLED:
            raise Cancelled(ended.message, hint="Fetch first: git fetch wherry")
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

    def _queue(self, app: App, push: Push, update: RefUpdate, source: Source) -> tuple[Build, list[Build]]:
        now = self.clock.now()
        with self.ledger.begin() as tx:
            superseded = [older for older in tx.builds.unfinished(app.id) if self._cancel(tx, older)]
            branch = update.branch or ""
            build = tx.builds.add(app.id, push.actor, branch, update.old, source, now)
            tx.jobs.add(JobKind.BUILD, build.id, build_lane(app.id))
            after = {"branch": branch, "commit": source.commit, "build": build.id}
            tx.events.add(now, push.actor, app.name, "push", {"commit": update.old}, after, push.origin)
        return build, superseded

    def _cancel(self, tx: Transaction, build: Build) -> bool:
        """The newest push wins; the worker that has the older build sees its status and stops."""
        tx.jobs.drop(JobKind.BUILD, build.id)
        message = "a newer push superseded this build"
        now = self.clock.now()
        return tx.builds.finish(replace(build, status=BuildStatus.CANCELLED, message=message, finished_at=now))

    def _announce(self, older: Build, newer: Build) -> None:
        stream = build_stream(older.id)
        self.logs.append(stream, f" !     Superseded by the push of {newer.source.commit[:7]}.")
        self.logs.close(stream, BuildStatus.CANCELLED)
