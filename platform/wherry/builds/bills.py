"""Bills of materials of images in the registry: what buildpacks wrote, and what the base says of itself. An adapter of the
Bills port.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from wherry.builds.debian_bill import BASE_FOLDER, BASE_LABEL
from wherry.builds.earlier import LABEL, LAUNCH_SBOMS, Earlier, sboms_in, table
from wherry.domain.bill import Bill, Part
from wherry.domain.errors import InvalidInput, NotFound, PlatformFault
from wherry.domain.image import Image
from wherry.domain.text import printable
from wherry.images.registry import Registry
from wherry.images.stored import StoredImage, read_image

_MOST_PACKED = 64 * 1024 * 1024
_CYCLONEDX = ".cdx.json"
_BUILD_SBOMS = "layers/sbom/build/"


class ImageBills:
    """`folder`: where layers are brought to while they are read."""

    def __init__(self, registry: Registry, folder: Path) -> None:
        self._registry = registry
        self._folder = folder

    def of(self, image: Image) -> Bill:
        """The whole of the images that make one release; each part once."""
        found: list[Part] = []
        unread: list[str] = []
        made_by_buildpacks = bare = False
        for digest in (image.digest, *sorted(image.digests - {image.digest})):
            stored = self._stored(image.repository, digest)
            if LABEL not in stored.labels:
                continue
            made_by_buildpacks = True
            base = list(self._base(stored))
            bare |= not base
            for part in (*base, *self._layers(stored)):
                if isinstance(part, str):
                    unread.append(part)
                else:
                    found.append(part)
        if not made_by_buildpacks:
            raise NotFound(
                "its image has no bill of materials: buildpacks write one, a Dockerfile or another builder does not",
                hint="Tools that read images (syft, trivy) can make one of the image itself.",
            )
        return Bill(tuple(found), tuple(dict.fromkeys(unread)), base=not bare)

    def _stored(self, repository: str, digest: str) -> StoredImage:
        try:
            return read_image(self._registry, repository, digest)
        except InvalidInput as error:
            raise PlatformFault(f"the image {digest} cannot be read: {error.message}") from error

    def _base(self, image: StoredImage) -> Iterator[Part | str]:
        for path, content in self._files(image, image.labels.get(BASE_LABEL), BASE_FOLDER).items():
            yield _part("base", f"/{BASE_FOLDER}{path}", content)

    def _layers(self, image: StoredImage) -> Iterator[Part | str]:
        """A CycloneDX document stands for those in other formats beside it."""
        earlier = Earlier(image.labels, image.layers)
        ids = {name.replace("/", "_"): name for name in earlier.buildpacks}
        diff_id = table(earlier.metadata, "sbom").get("sha")
        for below, runs in ((LAUNCH_SBOMS, True), (_BUILD_SBOMS, False)):
            files = self._files(image, diff_id, below)
            for path, content in sorted(files.items()):
                if not path.endswith(_CYCLONEDX) and f"{path.rpartition('/')[0]}/sbom{_CYCLONEDX}" in files:
                    continue
                buildpack, _, layer = path.rpartition("/")[0].partition("/")
                origin = f"{ids.get(buildpack, buildpack)} {layer}".strip()
                yield _part(origin, f"/{below}{path}", content, runs=runs)

    def _files(self, image: StoredImage, diff_id: object, below: str) -> Mapping[str, bytes]:
        layer = next((each for each in image.layers if each.diff_id == diff_id), None)
        if layer is None:
            return {}
        try:
            with tempfile.TemporaryDirectory(prefix="bill-", dir=self._folder) as folder:
                blob = self._registry.fetch_blob(image.repository, layer.digest, Path(folder), _MOST_PACKED)
                return sboms_in(blob, below)
        except InvalidInput as error:
            raise PlatformFault(error.message) from error
        except OSError as error:
            raise PlatformFault(f"the image's bills cannot be read: {printable(str(error), 300)}") from error


def _part(origin: str, path: str, content: bytes, *, runs: bool = True) -> Part | str:
    """`path`, printable, for what is no CycloneDX."""
    try:
        document = json.loads(content) if path.endswith(_CYCLONEDX) else None
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or document.get("bomFormat") != "CycloneDX":
        return printable(path, 300)
    return Part(printable(origin, 300), document, runs)
