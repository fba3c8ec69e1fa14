"""A release once more: its image with the config of now, as a new release. Its release phase runs again."""

from __future__ import annotations

from dataclasses import dataclass

from wherry.domain.errors import Conflict
from wherry.domain.model import Actor, App, Release
from wherry.domain.retention import USUAL
from wherry.flow.draft import Draft, append
from wherry.flow.ledger_ports import Ledger, Transaction
from wherry.flow.ports import Clock

_LONGEST = 250


@dataclass(frozen=True)
class RetryRelease:
    """`keep`: of how many releases that served the images are kept."""

    ledger: Ledger
    clock: Clock
    keep: int = USUAL

    def run(self, actor: Actor, app: App, number: int, description: str = "", origin: str = "") -> Release:
        """Raises NotFound, or Conflict when its image is not kept any more."""
        with self.ledger.begin() as tx:
            release = tx.releases.by_number(app.id, number)
            if not release.image.digests <= self._images(tx, app):
                raise Conflict(
                    f"the image of {release.name} is not kept any more",
                    hint="To build it again: git push wherry main",
                )
            said = (description or f"Retry of {release.name}: {release.description}")[:_LONGEST]
            config = tx.apps.config(app.id)
            draft = Draft(
                app, actor, said, release.image, config, release.build_id, release.commit, origin, release.settings
            )
            return append(tx, draft, self.clock.now())

    def _images(self, tx: Transaction, app: App) -> set[str]:
        """As pruning leaves them: of the releases that are kept, and of the newest build."""
        images = [each.image for each in tx.releases.kept(app.id, self.keep)]
        images += [each.image for each in tx.builds.of_app(app.id, limit=1) if each.image]
        return {digest for image in images for digest in image.digests}
