"""The ref has moved: its build becomes the next release. Runs in post-receive, and in reconcile for pushes that
were cut off.
"""

from __future__ import annotations

from dataclasses import dataclass

from wherry.domain.errors import Conflict
from wherry.domain.image import Image
from wherry.domain.model import Build, BuildStatus, Release
from wherry.domain.refs import RefUpdate
from wherry.flow.draft import Draft, append
from wherry.flow.ledger_ports import Ledger, Transaction
from wherry.flow.ports import Clock, Sources


@dataclass(frozen=True)
class ReleaseBuild:
    ledger: Ledger
    sources: Sources
    clock: Clock

    def of_update(self, app_id: int, update: RefUpdate) -> Release | None:
        """The release of the build that this update's push made; None when the update deploys nothing."""
        with self.ledger.begin(read_only=True) as tx:
            builds = tx.builds.of_app(app_id)
        for build in builds:
            if build.branch == update.branch and build.source.commit == update.new:
                return self.run(build) if build.status is BuildStatus.SUCCEEDED else None
        return None

    def run(self, build: Build) -> Release:
        """Compare and set: only while the branch points at the commit that was built (an upload has no branch). Asked
        twice, it answers the same release.

        Raises Conflict when the branch has moved on.
        """
        if build.branch and self.sources.head(build.app_id, build.branch) != build.source.commit:
            raise Conflict(f"{build.branch} no longer points at {build.source.commit[:7]}: not released")
        if build.image is None:
            raise Conflict(f"build {build.id} has no image: not released")
        with self.ledger.begin() as tx:
            return tx.releases.of_build(build.id) or self._append(tx, build, build.image)

    def _append(self, tx: Transaction, build: Build, image: Image) -> Release:
        app = tx.apps.by_id(build.app_id)
        commit = build.source.commit
        if build.branch:
            tx.apps.set_deploy_branch(app.id, build.branch)
        config = tx.apps.config(app.id)
        origin = f"build {build.id}"  # whose own event says from where it came
        draft = Draft(app, build.actor, f"Deploy {commit[:8]}", image, config, build.id, commit, origin)
        return append(tx, draft, self.clock.now())
