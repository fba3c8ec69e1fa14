"""An app's cached layers between builds in a cluster: kept in the registry, as an image of one layer for each of them.

A registry is there on every cluster, and a build may run on any node. What a build fetches is a copy: whatever becomes
of it, the registry has the last cache that was kept whole. A layer that nothing has changed since it was fetched is
not sent again, nor packed again for the app's image.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wherry.builds import pod_tar
from wherry.builds.disk import remove
from wherry.builds.export import RECORDS
from wherry.builds.export_sbom import FORMATS
from wherry.builds.layers import LAYERS
from wherry.builds.unpack import Owner
from wherry.domain.errors import InvalidInput, NotFound, PlatformFault
from wherry.domain.text import printable
from wherry.flow.ports import Say
from wherry.flow.talk import detail
from wherry.images.entries import Tree
from wherry.images.layer_cache import LayerCache, fingerprint
from wherry.images.layers import Layer
from wherry.images.manifest import image_config, image_manifest
from wherry.images.registry import Registry
from wherry.images.stored import StoredImage, push_image, read_image

REPOSITORY = "builds/{}"
"""By the app's id: its cache, and the source of a build under way."""
TAG = "cache"
_LABEL = "dev.wherry.cache"
_RECORDS_PLACE = "."
_KEPT = ("blob-", "note-")
"""Records that mean something on another disk."""


@dataclass(slots=True)
class PodCache:
    """`home`: the app's folder of caches, as on a machine: the layers in `good/BUILDPACK/LAYER`, the records beside; the
    cache of a builder image's lifecycle is one more of them. `drafts`: a folder on the same disk. `owner`: the build
    user's ids.
    """

    registry: Registry
    app_id: int
    home: Path
    drafts: Path
    _fetched: StoredImage | None = None
    _known: dict[str, tuple[str, Layer]] = field(default_factory=dict)

    def fetch(self, owner: Owner, say: Say) -> None:
        """Afterwards `home` has what the last build kept. A cache that cannot be read counts as none."""
        try:
            image = read_image(self.registry, self._repository, TAG)
            with self._draft() as folder:
                for layer, place in zip(image.layers, _places(image), strict=True):
                    blob = self.registry.fetch_blob(self._repository, layer.digest, folder)
                    pod_tar.unpack(blob, self.home if place == _RECORDS_PLACE else self.home / "good")
                    blob.unlink()
        except NotFound:
            return
        except (InvalidInput, ValueError) as error:
            detail(say, f"The build cache cannot be read, and is left: {printable(str(error), 300)}")
            remove(self.home)
            return
        self._fetched = image
        self._recognise(image, owner)

    def keep(self, owner: Owner, say: Say) -> None:
        """The registry has what `home` has. A cache that cannot be kept costs the next build its time, and no more."""
        try:
            with self._draft() as folder:
                self._push(owner, folder)
        except (PlatformFault, InvalidInput, OSError) as error:
            detail(say, f"The build cache was not kept: {printable(str(error), 300)}")

    # -- fetched

    def _recognise(self, image: StoredImage, owner: Owner) -> None:
        """What was fetched is what was packed then: both for the cache, and for the app's image."""
        records = LayerCache(self.home / RECORDS)
        packed = _label(image).get("packed")
        for layer, place in zip(image.layers, _places(image), strict=True):
            if place == _RECORDS_PLACE:
                continue
            seen = self._seen(place, owner)
            self._known[place] = (seen + self._beside(place), layer)
            for_image = records.of(str(packed[place])) if isinstance(packed, dict) and place in packed else None
            if for_image:
                records.remember(for_image, seen)

    def _seen(self, place: str, owner: Owner) -> str:
        """As the export sees it: the same records serve both."""
        return fingerprint(Tree(self.home / "good" / place, f"{LAYERS}/{place}", owner))

    # -- kept

    def _push(self, owner: Owner, folder: Path) -> None:
        layers: list[Layer] = []
        places: list[str] = []
        packed: dict[str, str] = {}
        records = LayerCache(self.home / RECORDS)
        for place in self._here():
            seen = self._seen(place, owner)
            before = self._known.get(place)
            if before and before[0] == seen + self._beside(place):
                layers.append(before[1])
            else:
                layers.append(pod_tar.pack(self.home / "good", self._files(place), folder))
            places.append(place)
            if known := records.known(seen):
                packed[place] = known.diff_id
        if (self.home / RECORDS).is_dir():
            kept = sorted(each.name for each in (self.home / RECORDS).iterdir() if each.name.startswith(_KEPT))
            names = [f"{RECORDS}/{name}" for name in kept]
            layers.append(pod_tar.pack(self.home, names, folder, timeless=True))
            places.append(_RECORDS_PLACE)
        if not places and self._fetched is None:
            return
        label = json.dumps({"places": places, "packed": packed}, sort_keys=True)
        config = image_config(layers, {"Labels": {_LABEL: label}})
        manifest = image_manifest(config, layers, {"org.opencontainers.image.title": "build cache"})
        if self._fetched and self._fetched.digest == manifest.digest:
            return
        push_image(self.registry, self._repository, config, layers, manifest)
        self.registry.put_manifest(self._repository, manifest, TAG)
        if self._fetched:
            self.registry.delete_manifest(self._repository, self._fetched.digest)

    def _here(self) -> list[str]:
        good = self.home / "good"
        folders = sorted(path for path in good.glob("*/*") if path.is_dir() and not path.is_symlink())
        return [str(path.relative_to(good)) for path in folders]

    # -- both

    def _files(self, place: str) -> list[str]:
        """The layer's folder, and what the lifecycle keeps beside it."""
        parent, _, name = place.rpartition("/")
        beside = [f"{name}.toml", *(f"{name}.sbom.{kind}" for kind in FORMATS)]
        there = [f"{parent}/{each}" for each in beside if (self.home / "good" / parent / each).is_file()]
        return [place, *there]

    def _beside(self, place: str) -> str:
        digest = hashlib.sha256()
        for name in self._files(place)[1:]:
            content = (self.home / "good" / name).read_bytes()
            digest.update(f"\n{name} {len(content)}\n".encode() + content)
        return digest.hexdigest()

    @property
    def _repository(self) -> str:
        return REPOSITORY.format(self.app_id)

    @contextmanager
    def _draft(self) -> Iterator[Path]:
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix="cache-", dir=self.drafts) as folder:
                yield Path(folder)
        except OSError as error:
            raise PlatformFault(f"the build cache cannot be stored: {printable(str(error), 300)}") from error


def _label(image: StoredImage) -> Mapping[str, Any]:
    try:
        found = json.loads(image.labels.get(_LABEL, ""))
    except (ValueError, RecursionError) as error:
        raise InvalidInput("it is no cache of ours") from error
    return found if isinstance(found, dict) else {}


def _places(image: StoredImage) -> list[str]:
    """Of each layer. Raises InvalidInput."""
    places = _label(image).get("places")
    if not isinstance(places, list) or len(places) != len(image.layers):
        raise InvalidInput("it does not say what it has")
    return [str(each) for each in places]
