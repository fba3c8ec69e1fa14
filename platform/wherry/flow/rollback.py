"""Back to an earlier release: its image and its config as a new release. Nothing is built; quantities stay."""

from __future__ import annotations

from dataclasses import dataclass

from wherry.domain.errors import Conflict
from wherry.domain.model import Actor, App, Release, ReleaseStatus
from wherry.domain.retention import USUAL, kept
from wherry.flow.draft import Draft, append, newest
from wherry.flow.ledger_ports import Ledger, Transaction
from wherry.flow.ports import Clock


@dataclass(frozen=True)
class RollBack:
    """`keep`: how many releases can be gone back to."""

    ledger: Ledger
    clock: Clock
    keep: int = USUAL

    def run(self, actor: Actor, app: App, number: int | None = None, origin: str = "", reason: str = "") -> Release:
        """To v`number`, or to the release before the newest. Raises NotFound, or Conflict when there is nothing to
        go back to.
        """
        with self.ledger.begin() as tx:
            target = self._target(tx, app, number)
            description = f"Rollback to {target.name}" + (f": {reason}" if reason else "")
            draft = Draft(app, actor, description, target.image, target.config, target.build_id, target.commit, origin)
            tx.apps.put_config(app.id, target.config)
            return append(tx, draft, self.clock.now())

    def _target(self, tx: Transaction, app: App, number: int | None) -> Release:
        latest = newest(tx, app.id)
        if latest is None:
            raise Conflict(f"{app.name} has no release yet", hint="To make one: git push wherry main")
        if number is None:
            return self._before(tx, app, latest)
        target = tx.releases.by_number(app.id, number)
        if target.status is not ReleaseStatus.SUCCEEDED:
            raise Conflict(
                f"{target.name} is {target.status}: only a release that has served can be gone back to",
                hint="To see them: wherry releases",
            )
        if target not in kept(tx.releases.of_app(app.id, limit=latest.number), self.keep):
            raise Conflict(
                f"the image of {target.name} is not kept any more: only the newest {self.keep} that served are",
                hint=f"Its commit can be pushed again: git push -f wherry {target.commit[:8]}:{app.deploy_branch}",
            )
        if target.id == latest.id:
            raise Conflict(f"{target.name} is the current release")
        return target

    def _before(self, tx: Transaction, app: App, latest: Release) -> Release:
        for release in tx.releases.of_app(app.id):
            if release.number < latest.number and release.status is ReleaseStatus.SUCCEEDED:
                return release
        raise Conflict(f"{app.name} has no earlier release to go back to", hint="To see them: wherry releases")
