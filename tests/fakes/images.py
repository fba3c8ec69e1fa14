"""Images without a registry: those by a digest of ones are there, and those of `known`; each starts with its
digest's end.
"""

from __future__ import annotations

from dataclasses import replace

from wherry.domain.errors import InvalidInput, NotFound
from wherry.domain.image import Image, Start


class InMemoryImages:
    def __init__(self) -> None:
        self.known: set[str] = set()
        self.gone: set[str] = set()

    def take_in(self, app_id: int, reference: str) -> Start:
        name, _, digest = reference.rpartition("@")
        if name not in ("", "allowed.example/hello"):
            raise InvalidInput(f"{name} is not a place that images may come from here: have none")
        if not digest.startswith("sha256:1") and digest not in self.known:
            raise NotFound(f"the registry has no image {digest}")
        return Start(("serve", digest[-2:]), "1001:1000", digest)

    def copy(self, image: Image, app_id: int) -> Image:
        """One whose digest ends in "gone", or is among them, is not there any more."""
        if image.digest.endswith("gone") or image.digest in self.gone:
            raise NotFound(f"the registry has no image {image.digest}")
        return replace(image, repository=f"apps/{app_id}")
