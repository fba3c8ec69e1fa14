"""Which releases can be gone back to: the images of the others are removed. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from wherry.domain.model import Build, Release, ReleaseStatus

USUAL = 30


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
