"""The newest base under an app, without a build: its image on that base, with the config as it is, as a new release."""

from __future__ import annotations

from dataclasses import dataclass

from wherry.domain.errors import Conflict
from wherry.domain.model import Actor, App, Release
from wherry.flow.draft import Draft, append, newest
from wherry.flow.image_ports import Bases, OnBase
from wherry.flow.ledger_ports import Ledger
from wherry.flow.ports import Clock

_TRIES = 3
_SHOWN = len("sha256:") + 12


@dataclass(frozen=True, slots=True)
class Rebased:
    """`base`: the digest of the newest base; `release` None when the app was on it already."""

    base: str
    release: Release | None


@dataclass(frozen=True)
class Rebase:
    ledger: Ledger
    bases: Bases
    clock: Clock

    def run(self, actor: Actor, app: App, origin: str = "") -> Rebased:
        """Raises Conflict for an app that has nothing to rebase or cannot be rebased, PlatformFault; then nothing has
        changed.
        """
        for _ in range(_TRIES):
            before = self._newest(app)
            _check(app, before)
            found = self._on_base(app, before)
            if found.image == before.image:
                return Rebased(found.base, None)
            if release := self._release(actor, app, before, found, origin):
                return Rebased(found.base, release)
        raise Conflict(f"{app.name} is being released again and again", hint="Try again: wherry rebase")

    def _newest(self, app: App) -> Release:
        with self.ledger.begin(read_only=True) as tx:
            found = newest(tx, app.id)
        if found is None:
            raise Conflict(f"{app.name} has no release yet", hint="To make one: git push wherry main")
        return found

    def _on_base(self, app: App, release: Release) -> OnBase:
        try:
            return self.bases.rebase(release.image)
        except Conflict as error:
            message = f"{app.name} {release.name} cannot be rebased: {error.message}"
            raise Conflict(message, evidence=error.evidence, hint=error.hint) from error

    def _release(self, actor: Actor, app: App, before: Release, found: OnBase, origin: str) -> Release | None:
        """None when another image was released meanwhile: then that one is to be rebased."""
        with self.ledger.begin() as tx:
            now = newest(tx, app.id)
            if now is None or now.image != before.image:
                return None
            described = f"Rebase onto {found.base[:_SHOWN]}"
            config = tx.apps.config(app.id)
            draft = Draft(app, actor, described, found.image, config, now.build_id, now.commit, origin, now.settings)
            return append(tx, draft, self.clock.now())


def _check(app: App, release: Release) -> None:
    """Only an image that starts by the launcher of buildpacks; one FROM such an image would have its labels too."""
    if release.image.starts:
        raise Conflict(
            f"{app.name} {release.name} cannot be rebased: a Dockerfile or another builder made its image",
            hint="To build it again on a newer base: git push wherry main",
        )
