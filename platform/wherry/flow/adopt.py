"""Takes an app in with the releases that it had elsewhere: its images come to our registry, its history into the ledger,
and its last release that served is released again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from wherry.domain.errors import Conflict, InvalidInput, NotFound
from wherry.domain.history import History, Past
from wherry.domain.image import Image
from wherry.domain.model import Actor, App, Release, ReleaseStatus
from wherry.domain.roles import Permission
from wherry.domain.text import printable
from wherry.flow.access import Access
from wherry.flow.draft import Draft, append
from wherry.flow.image_ports import Images
from wherry.flow.ledger_ports import Ledger, Transaction
from wherry.flow.ports import Clock

GONE = "its image could not be taken in"


@dataclass(frozen=True, slots=True)
class Adopted:
    """`without_image`: numbers of releases that are history only."""

    release: Release
    without_image: tuple[int, ...]


@dataclass(frozen=True)
class AdoptApp:
    """`registry`: as references of our own images begin. `keep`: how many releases can be gone back to."""

    ledger: Ledger
    images: Images
    access: Access
    clock: Clock
    registry: str
    keep: int

    def run(self, actor: Actor, app: App, history: History, origin: str = "") -> Adopted:
        """Into an app that has no release yet. Its domains are to be claimed again, so that nobody takes another's.

        Raises Conflict for an app with releases, and what keeps the last good release from being had: InvalidInput,
        NotFound, Forbidden, PlatformFault; then nothing has changed.
        """
        served = [each for each in history.releases if each.status is ReleaseStatus.SUCCEEDED]
        if not served:
            raise InvalidInput("the history was not taken in", problems=["releases: none of them ever served"])
        with self.ledger.begin(read_only=True) as tx:
            _must_be_new(tx, app)
        last = served[-1]
        taken = {last.number: self._had(actor, app, last.image, history)}
        for each in served[-self.keep : -1]:
            try:
                taken[each.number] = self._had(actor, app, each.image, history)
            except (InvalidInput, NotFound):
                continue  # told by `without_image`
        release = self._write(actor, app, history, last, taken, origin)
        return Adopted(release, tuple(each.number for each in served if each.number not in taken))

    def _had(self, actor: Actor, app: App, image: Image, history: History) -> Image:
        """The image, once it is in the app's own repository. One of our own registry is some app's, which the actor must
        be allowed to deploy.
        """
        if history.registry == self.registry:
            self.access.app(actor, image.repository.partition("/")[2], Permission.DEPLOY)
            return self.images.copy(image, app.id)
        for digest in sorted(image.digests):
            self.images.take_in(app.id, f"{history.registry}/{image.repository}@{digest}")
        return replace(image, repository=f"apps/{app.id}")

    def _write(
        self, actor: Actor, app: App, history: History, last: Past, taken: dict[int, Image], origin: str
    ) -> Release:
        """All at once: the history with its own numbers, and the release that serves from now on."""
        now = self.clock.now()
        with self.ledger.begin() as tx:
            _must_be_new(tx, app)
            tx.apps.put_formation(app.id, history.formation)
            tx.apps.put_config(app.id, last.config)
            tx.releases.begin_at(app.id, history.releases[0].number)
            for each in history.releases:
                _keep(tx, actor, app, each, taken.get(each.number))
            after = {"from": printable(history.app, 100), "releases": len(history.releases)}
            tx.events.add(now, actor, app.name, "app.adopt", after=after, origin=origin)
            described = f"Adopt v{last.number}"
            image = taken[last.number]
            return append(tx, Draft(app, actor, described, image, last.config, commit=last.commit, origin=origin), now)


def _must_be_new(tx: Transaction, app: App) -> None:
    if tx.releases.of_app(app.id, limit=1):
        raise Conflict(f"{app.name} has releases already", hint="To adopt into a new app: wherry adopt FILE NAME")


def _keep(tx: Transaction, actor: Actor, app: App, past: Past, image: Image | None) -> None:
    """One without its image counts as failed, so nobody goes back to it."""
    described = f"{past.description} (by {printable(past.by, 254)})" if past.by else past.description
    made = tx.releases.append(
        app.id, actor, described, image or past.image, past.config, past.created_at, commit=past.commit
    )
    if image:
        tx.releases.finish(made.id, ReleaseStatus.SUCCEEDED, past.created_at)
    else:
        why = GONE if past.status is ReleaseStatus.SUCCEEDED else ""
        tx.releases.finish(made.id, ReleaseStatus.FAILED, past.created_at, "platform" if why else "", why)
