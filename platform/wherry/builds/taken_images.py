"""Images that were made elsewhere, by digest: looked up in our registry, or copied there from one that the operator
allows. An adapter of the Images port.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import replace
from pathlib import Path

from wherry.builds.container_starts import starts_of
from wherry.builds.disk import need_free
from wherry.builds.heroku_yml import Run
from wherry.domain.buildpacks import allowed
from wherry.domain.errors import BuildFailed, InvalidInput, NotFound, PlatformFault
from wherry.domain.image import Image, Start
from wherry.domain.text import printable
from wherry.images.registry import Registry
from wherry.images.stored import PUSHED, StoredImage, copy_image, mount_image, read_image
from wherry.settings import Settings

_REFERENCE = re.compile(r"(?:(?:docker://)?(?P<name>[a-z0-9][a-z0-9._:/-]{0,253})@)?(?P<digest>sha256:[0-9a-f]{64})")


class TakenImages:
    def __init__(self, registry: Registry, settings: Settings) -> None:
        self._registry = registry
        self._settings = settings

    def take_in(self, app_id: int, reference: str) -> Start:
        found = _REFERENCE.fullmatch(reference)
        if not found:
            raise InvalidInput(
                f"'{printable(reference, 120)}' does not name an image by its digest",
                hint="For example REGISTRY/NAME@sha256:HEX; a push prints the digest",
            )
        repository, name = f"apps/{app_id}", found["name"] or ""
        digest = found["digest"]
        if name not in ("", repository, f"{self._registry.address}/{repository}"):
            digest = self._copied(name, digest, repository)
        return _start(self._known(app_id, repository, digest))

    def _known(self, app_id: int, repository: str, digest: str) -> StoredImage:
        """In the app's repository; one that its users pushed comes there now, and no layer moves."""
        pushed = PUSHED.format(app_id)
        found = self._by_id(pushed, digest)
        if found is None:
            try:
                return read_image(self._registry, repository, digest)
            except NotFound:
                found = self._pushed(pushed, digest)
        mount_image(self._registry, pushed, found.digest, repository)
        return found

    def _by_id(self, repository: str, identity: str) -> StoredImage | None:
        """By the digest of its config, as `docker` and Heroku's tools name an image. Asked first: the registry fails when
        a manifest is asked for by the digest of something else that it has.
        """
        for tag in self._registry.tags(repository):
            try:
                found = read_image(self._registry, repository, tag)
            except (InvalidInput, NotFound):
                continue  # whoever pushed it may: it is not the one that is asked for
            config = self._registry.manifest(repository, found.digest).value().get("config")
            if isinstance(config, dict) and config.get("digest") == identity:
                return found
        return None

    def _pushed(self, repository: str, digest: str) -> StoredImage:
        try:
            return read_image(self._registry, repository, digest)
        except NotFound as error:
            raise NotFound(
                f"neither a build nor a push of this app has the image {digest}",
                hint="To push one: docker push HOST/APP/TYPE; the push prints its digest",
            ) from error

    def copy(self, image: Image, app_id: int) -> Image:
        repository = f"apps/{app_id}"
        for digest in sorted(image.digests):
            mount_image(self._registry, image.repository, digest, repository)
        return replace(image, repository=repository)

    def _copied(self, name: str, digest: str, repository: str) -> str:
        host, _, path = name.partition("/")
        prefixes = self._settings.sources_of_images
        if not path or name.startswith(f"{self._registry.address}/") or not allowed(f"docker://{name}", prefixes):
            have = ", ".join(prefixes) or "none"
            raise InvalidInput(
                f"{printable(name)} is not a place that images may come from here: have {have}",
                hint="The platform's operator can allow it: WHERRY_IMAGE_SOURCES",
            )
        source = Registry(host)
        try:
            self._check_size(read_image(source, path, digest))
            with tempfile.TemporaryDirectory(prefix="image-", dir=self._settings.folder) as folder:
                return copy_image(source, path, digest, self._registry, repository, Path(folder))
        except OSError as error:
            raise PlatformFault(f"the image cannot be copied: {printable(str(error), 300)}") from error
        finally:
            source.close()

    def _check_size(self, image: StoredImage) -> None:
        """It lies here twice while it is copied."""
        size = sum(each.size for each in image.layers) >> 20
        most = self._settings.number("max_image_mb")
        if size > most:
            raise InvalidInput(f"the image has {size} MiB; the most is {most}")
        need_free(self._settings.folder, self._settings.number("build_free_mb") + 2 * size)


def _start(image: StoredImage) -> Start:
    try:
        starts, _ = starts_of({"web": Run((), "web")}, {"web": image}, "", lambda line: None)
    except BuildFailed as error:
        raise InvalidInput(
            f"the image {image.digest} says nothing to run: it has neither ENTRYPOINT nor CMD"
        ) from error
    return starts["web"]
