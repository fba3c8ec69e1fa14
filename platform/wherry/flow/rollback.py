"""Back to an earlier release: its image and its config as a new release. Nothing is built; quantities stay."""

from __future__ import annotations

from dataclasses import dataclass

from wherry.domain.errors import Conflict, RollbackRisk
from wherry.domain.model import Actor, App, Release, ReleaseStatus
from wherry.domain.paging import Window
from wherry.domain.retention import USUAL, migrated
from wherry.flow.draft import Draft, append
from wherry.flow.ledger_ports import Ledger, Transaction
from wherry.flow.ports import Clock

_LOOKED_AT = 1000
_NAMED = 5


@dataclass(frozen=True)
class RollBack:
    """`keep`: how many releases can be gone back to."""

    ledger: Ledger
    clock: Clock
    keep: int = USUAL

    def run(
        self,
        actor: Actor,
        app: App,
        number: int | None = None,
        origin: str = "",
        reason: str = "",
        force: bool = False,
    ) -> Release:
        """To v`number`, or to the release before the newest. Raises NotFound, Conflict when there is nothing to go back
        to; and, without `force`, RollbackRisk when a release phase has run other code since.
        """
        with self.ledger.begin() as tx:
            target = self._target(tx, app, number)
            if not force and (ran := self._risk(tx, target)):
                raise _risky(app, target, ran)
            description = f"Rollback to {target.name}" + (f": {reason}" if reason else "")
            draft = Draft(
                app,
                actor,
                description,
                target.image,
                target.config,
                target.build_id,
                target.commit,
                origin,
                target.settings,
            )
            tx.apps.put_config(app.id, target.config)
            return append(tx, draft, self.clock.now())

    def risk(self, app: App, number: int) -> list[Release]:
        """The releases since v`number` whose release phase ran other code, the newest first. Raises NotFound."""
        with self.ledger.begin(read_only=True) as tx:
            return self._risk(tx, tx.releases.by_number(app.id, number))

    def _risk(self, tx: Transaction, target: Release) -> list[Release]:
        later = Window(end=target.number + 1, most=_LOOKED_AT, descending=True)
        return migrated(target, tx.releases.page(target.app_id, later))

    def _target(self, tx: Transaction, app: App, number: int | None) -> Release:
        standing = tx.releases.standing(app.id, self.keep)
        if not standing.newest:
            raise Conflict(f"{app.name} has no release yet", hint="To make one: git push wherry main")
        if number is None:
            return self._before(tx, app, standing.newest)
        target = tx.releases.by_number(app.id, number)
        if target.status is not ReleaseStatus.SUCCEEDED:
            raise Conflict(
                f"{target.name} is {target.status}: only a release that has served can be gone back to",
                hint="To see them: wherry releases",
            )
        if target.number == standing.newest:
            raise Conflict(f"{target.name} is the current release")
        if not standing.eligible(target):
            raise Conflict(
                f"the image of {target.name} is not kept any more: only the newest {self.keep} that served are",
                hint=f"Its commit can be pushed again: git push -f wherry {target.commit[:8]}:{app.deploy_branch}",
            )
        return target

    def _before(self, tx: Transaction, app: App, newest: int) -> Release:
        found = tx.releases.before(app.id, newest)
        if found is None:
            raise Conflict(f"{app.name} has no earlier release to go back to", hint="To see them: wherry releases")
        return found


def _risky(app: App, target: Release, ran: list[Release]) -> RollbackRisk:
    named = ", ".join(each.name for each in reversed(ran[:_NAMED])) + (" and earlier ones" if ran[_NAMED:] else "")
    return RollbackRisk(
        f"since {target.name}, the release phase of {named} ran other code; what it did to databases is not undone",
        evidence=[f"{each.name}: {each.image.processes['release']} ({each.description})" for each in ran[:_NAMED]],
        hint=f"If {target.name} can live with that: wherry releases:rollback {target.name} -a {app.name} --force",
    )
