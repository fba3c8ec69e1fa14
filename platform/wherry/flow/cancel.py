"""A build is stopped by its user."""

from __future__ import annotations

from dataclasses import dataclass, replace

from wherry.domain.errors import Conflict
from wherry.domain.model import Actor, App, Build, BuildStatus, JobKind
from wherry.flow.lanes import build_stream
from wherry.flow.ledger_ports import Ledger
from wherry.flow.ports import Clock, Logs


@dataclass(frozen=True)
class CancelBuild:
    ledger: Ledger
    logs: Logs
    clock: Clock

    def run(self, actor: Actor, app: App, build: Build, origin: str = "") -> Build:
        """Raises Conflict for one that has ended. A push that waits for it is refused, its branch stays."""
        now = self.clock.now()
        message = f"cancelled by {actor.email}"
        ended = replace(build, status=BuildStatus.CANCELLED, message=message, finished_at=now)
        with self.ledger.begin() as tx:
            if not tx.builds.finish(ended):
                status = tx.builds.by_id(build.id).status
                raise Conflict(f"build {build.id} has ended: {status}", hint=f"To see it: wherry builds -a {app.name}")
            tx.jobs.drop(JobKind.BUILD, build.id)
            tx.events.add(now, actor, app.name, "build.cancel", after={"build": build.id}, origin=origin)
        self.logs.append(build_stream(build.id), f" !     Build {message}.")
        self.logs.close(build_stream(build.id), BuildStatus.CANCELLED)
        return ended
