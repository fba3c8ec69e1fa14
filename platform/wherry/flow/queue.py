"""A build takes its place in the queue, and those before it leave it: the newest wins."""

from __future__ import annotations

from dataclasses import dataclass, replace

from wherry.domain.model import Actor, App, Build, BuildStatus, JobKind, Source
from wherry.flow.first_deploy import set_env
from wherry.flow.lanes import build_lane, build_stream
from wherry.flow.ledger_ports import Ledger, Transaction
from wherry.flow.ports import Clock, Logs

SUPERSEDED = "a newer push superseded this build"


@dataclass(frozen=True, slots=True)
class Asked:
    """`branch` and `previous` (the commit before) are empty for a source that no push brought."""

    app: App
    actor: Actor
    source: Source
    branch: str = ""
    previous: str = ""
    origin: str = ""


@dataclass(frozen=True)
class QueueBuild:
    ledger: Ledger
    logs: Logs
    clock: Clock

    def run(self, asked: Asked) -> Build:
        """Raises PushRefused when its app.json requires what is not there."""
        app, source, now = asked.app, asked.source, self.clock.now()
        with self.ledger.begin() as tx:
            set_env(tx, asked.actor, app, source, now, asked.origin)
            superseded = [older for older in tx.builds.unfinished(app.id) if self._cancel(tx, app, older)]
            build = tx.builds.add(app.id, asked.actor, asked.branch, asked.previous, source, now)
            tx.jobs.add(JobKind.BUILD, build.id, build_lane(app.id))
            after = {"branch": asked.branch, "commit": source.commit, "build": build.id}
            action = "push" if asked.branch else "build.create"
            tx.events.add(now, asked.actor, app.name, action, {"commit": asked.previous}, after, asked.origin)
        for older in superseded:
            self._announce(older, build)
        return build

    def _cancel(self, tx: Transaction, app: App, build: Build) -> bool:
        """The worker that has the older build sees its status and stops."""
        tx.jobs.drop(JobKind.BUILD, build.id)
        now = self.clock.now()
        if not tx.builds.finish(replace(build, status=BuildStatus.CANCELLED, message=SUPERSEDED, finished_at=now)):
            return False
        after = {"build": build.id, "status": str(BuildStatus.CANCELLED), "failure": ""}
        tx.events.add(now, build.actor, app.name, "build.finish", after=after, origin="push")
        return True

    def _announce(self, older: Build, newer: Build) -> None:
        stream = build_stream(older.id)
        self.logs.append(stream, f" !     Superseded by the push of {newer.source.commit[:7]}.")
        self.logs.close(stream, BuildStatus.CANCELLED)
