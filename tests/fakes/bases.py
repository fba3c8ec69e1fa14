"""Bases in memory: a digest stands for its image, and `on` knows which base each is on."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from wherry.domain.errors import Conflict
from wherry.domain.image import Image
from wherry.flow.image_ports import Below, OnBase


class InMemoryBases:
    """`newest`: the digest of the base that apps are put on; unknown images are on another. `fixed`: digests of images
    whose base cannot be exchanged.
    """

    def __init__(self) -> None:
        self.newest = "sha256:" + "b" * 64
        self.on: dict[str, str] = {}
        self.fixed: dict[str, str] = {}

    def rebase(self, image: Image) -> OnBase:
        if image.digest in self.fixed:
            raise Conflict(self.fixed[image.digest])
        if self.on.get(image.digest) == self.newest:
            return OnBase(image, self.newest)
        made = "sha256:" + hashlib.sha256(f"{image.digest} on {self.newest}".encode()).hexdigest()
        self.on[made] = self.newest
        return OnBase(replace(image, digest=made), self.newest)

    def below(self, image: Image) -> Below:
        if image.digest in self.fixed:
            raise Conflict(self.fixed[image.digest])
        return Below(self.on.get(image.digest, "sha256:" + "a" * 64), self.newest)
