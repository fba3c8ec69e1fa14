"""What the export will want to know of the registry, asked for while the build's programs run: what the last image is, and
which of its layers are still there.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

from wherry.domain.errors import InvalidInput, NotFound, PlatformFault
from wherry.domain.image import Image
from wherry.images.registry import Registry
from wherry.images.stored import StoredImage, read_image

_AT_ONCE = 4


class Beforehand:
    """`image`: the app's last one, if there is any. Asks from the moment it is made until it is left as a context."""

    def __init__(self, registry: Registry, image: Image | None) -> None:
        self._registry = registry
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="beforehand")
        self._asked: list[Future[str]] = []
        self._previous = self._pool.submit(self._read, image)

    def __enter__(self) -> Beforehand:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def previous(self) -> StoredImage | None:
        """The image that the new one may share layers with; without it the build starts from nothing. Raises
        PlatformFault.
        """
        return self._previous.result()

    def present(self) -> frozenset[str]:
        """The digests of its config, and of its layers that its repository still has."""
        previous = self.previous()
        if previous is None:
            return frozenset()
        return frozenset((previous.config_digest, *(each.result() for each in self._asked))) - {""}

    def _read(self, image: Image | None) -> StoredImage | None:
        if image is None:
            return None
        try:
            found = read_image(self._registry, image.repository, image.digest)
        except (NotFound, InvalidInput):
            return None
        self._asked = [self._pool.submit(self._there, found.repository, each.digest) for each in found.layers]
        return found

    def _there(self, repository: str, digest: str) -> str:
        """The digest when it is there."""
        try:
            return digest if self._registry.has_blob(repository, digest) else ""
        except PlatformFault:  # the export asks again, and tells what is wrong
            return ""
