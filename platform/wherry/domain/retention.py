"""Which releases can be gone back to: the images of the others are removed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from wherry.domain.formation import RELEASE
from wherry.domain.model import Build, Release, ReleaseStatus

USUAL = 30


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an app stands, in numbers of its releases: `current` serves, `newest` is where it is or on its way to, and
    `oldest` is the oldest whose image is kept. 0: none.
    """

    current: int = 0
    newest: int = 0
    oldest: int = 0

    def eligible(self, release: Release) -> bool:
        """Whether it can be gone back to."""
        return self.kept(release) and release.number != self.newest

    def kept(self, release: Release) -> bool:
        """It has served, and its image is there; so is the current one's, which Heroku's clients count as eligible: they
        go back to the second of those.
        """
        return release.status is ReleaseStatus.SUCCEEDED and release.number >= self.oldest


def kept(releases: Sequence[Release], most: int) -> list[Release]:
    """Those whose image stays, of all releases of an app, the newest first: the newest `most` that served, and what is
    on its way.
    """
    served = [each for each in releases if each.status is ReleaseStatus.SUCCEEDED][:most]
    return [*served, *(each for each in releases if each.status is ReleaseStatus.PENDING)]


def forgotten(releases: Sequence[Release], builds: Sequence[Build], most: int) -> set[tuple[str, str]]:
    """(repository, digest) of the images that nothing needs any more. `builds`: the newest first; the first of them may
    be about to become a release.
    """
    stay = {digest for each in kept(releases, most) for digest in each.image.digests}
    images = [each.image for each in releases] + [each.image for each in builds[1:] if each.image]
    if builds and builds[0].image:
        stay |= builds[0].image.digests
    return {(image.repository, digest) for image in images for digest in image.digests - stay}


def migrated(target: Release, later: Iterable[Release]) -> list[Release]:
    """Those of `later` whose release phase ran other code than `target`'s: what they did to databases, a rollback to
    `target` does not undo. The same build on another base is the same code.
    """
    return [each for each in later if RELEASE in each.image.processes and not _same_code(each, target)]


def _same_code(one: Release, other: Release) -> bool:
    return one.image.digest == other.image.digest or (one.build_id is not None and one.build_id == other.build_id)
