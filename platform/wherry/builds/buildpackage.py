"""Buildpackages (distribution.md of the buildpacks spec): an image with a buildpack a layer, from a registry or as a
``.cnb`` file, which is the same as an OCI layout in an uncompressed tar.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from wherry.builds.descriptor import BUILDPACKS, ID, VERSION
from wherry.builds.foreign import MOST_PACKED, refused, sha256_of, unpack_archive
from wherry.builds.shelf import Shelf
from wherry.domain.errors import InvalidInput
from wherry.domain.text import printable
from wherry.images.layer_cache import DIGEST
from wherry.images.layers import Layer
from wherry.images.manifest import DOCKER_INDEX, INDEX, Document, architecture, layers_of, manifest_for
from wherry.images.registry import Registry

METADATA = "io.buildpacks.buildpackage.metadata"
LAYERS = "io.buildpacks.buildpack.layers"
_MOST = 200
_DOCUMENT = 8 * 1024 * 1024


class Blobs(Protocol):
    """Where the documents and layers of one image come from, by digest."""

    def manifest(self, reference: str) -> Document: ...

    def small(self, digest: str) -> bytes: ...

    def layer(self, digest: str, folder: Path) -> Path: ...


@dataclass(frozen=True, slots=True)
class RegistryBlobs:
    registry: Registry
    repository: str

    def manifest(self, reference: str) -> Document:
        return self.registry.manifest(self.repository, reference)

    def small(self, digest: str) -> bytes:
        return self.registry.blob(self.repository, digest)

    def layer(self, digest: str, folder: Path) -> Path:
        return self.registry.fetch_blob(self.repository, digest, folder, MOST_PACKED)


@dataclass(frozen=True, slots=True)
class LayoutBlobs:
    """An unpacked OCI layout (image-layout.md). `manifest("")` is the one that its index names."""

    folder: Path

    def manifest(self, reference: str) -> Document:
        if reference:
            return Document("", self.small(reference))
        index = self._read(self.folder / "index.json")
        try:
            (first,) = Document("", index).value()["manifests"]
            media_type, digest = str(first.get("mediaType", "")), str(first["digest"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InvalidInput("its index.json does not name one image") from error
        return Document(media_type, self.small(digest))

    def small(self, digest: str) -> bytes:
        return self._read(self.layer(digest, self.folder))

    def layer(self, digest: str, folder: Path) -> Path:
        if not DIGEST.fullmatch(digest):
            raise InvalidInput(f"'{printable(digest)}' is not a sha256 digest")
        blob = self.folder / "blobs/sha256" / digest.partition(":")[2]
        if not blob.is_file() or blob.is_symlink():
            raise InvalidInput(f"the blob {digest} is not in it")
        if sha256_of(blob) != digest:
            raise InvalidInput(f"the blob {digest} has other bytes than its name says")
        return blob

    def _read(self, path: Path) -> bytes:
        if not path.is_file() or path.is_symlink() or path.stat().st_size > _DOCUMENT:
            raise InvalidInput(f"it has no {path.name} that can be read")
        return path.read_bytes()


def read_package(blobs: Blobs, reference: str, shelf: Shelf) -> tuple[tuple[str, str], list[Path]]:
    """(id, version) of the buildpack that the package is for, and the folders of all that it brings.

    Raises InvalidInput or BuildFailed for what is no buildpackage, NotFound, PlatformFault.
    """
    manifest = blobs.manifest(reference)
    if manifest.media_type in (INDEX, DOCKER_INDEX) or "manifests" in manifest.value():
        manifest = blobs.manifest(manifest_for(manifest.value(), architecture()))
    described = manifest.value()
    about_config = described.get("config")
    digest = str(about_config.get("digest", "")) if isinstance(about_config, dict) else ""
    config = Document("", blobs.small(digest)).value()
    labels = _labels(config)
    about = _json(labels, METADATA)
    layers = {each.diff_id: each for each in layers_of(described, config)}
    found = [_folder(blobs, layers, each, shelf) for each in _listed(_json(labels, LAYERS))]
    return (str(about.get("id", "")), str(about.get("version", ""))), found


def _labels(config: Mapping[str, object]) -> Mapping[str, object]:
    settings = config.get("config")
    labels = settings.get("Labels") if isinstance(settings, dict) else None
    return labels if isinstance(labels, dict) else {}


def _json(labels: Mapping[str, object], name: str) -> dict[str, object]:
    if name not in labels:
        raise InvalidInput(f"it is no buildpackage: it has no label {name}")
    try:
        value = json.loads(str(labels[name]))
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"its label {name} is not JSON") from error
    if not isinstance(value, dict):
        raise InvalidInput(f"its label {name} is not a JSON object")
    return value


def _listed(label: Mapping[str, object]) -> list[tuple[str, str, str]]:
    """(id, version, diffID) of each buildpack."""
    found = []
    for name, versions in label.items():
        for version, about in versions.items() if isinstance(versions, dict) else ():
            diff_id = str(about.get("layerDiffID", "")) if isinstance(about, dict) else ""
            if not (ID.fullmatch(name) and ".." not in name and VERSION.fullmatch(version)):
                raise InvalidInput(f"its label {LAYERS} names '{printable(name, 60)}' {printable(version, 60)}")
            found.append((name, version, diff_id))
    if not 0 < len(found) <= _MOST:
        raise InvalidInput(f"it brings {len(found)} buildpacks; from 1 to {_MOST} can be used")
    return found


def _folder(blobs: Blobs, layers: Mapping[str, Layer], listed: tuple[str, str, str], shelf: Shelf) -> Path:
    name, version, diff_id = listed
    layer = layers.get(diff_id)
    if layer is None:
        raise InvalidInput(f"it has no layer {printable(diff_id, 80)} for {name} {version}")
    if layer.size > MOST_PACKED:
        raise InvalidInput(f"its layer for {name} {version} is larger than {MOST_PACKED // 2**20} MiB")

    def fill(folder: Path) -> None:
        blob = blobs.layer(layer.digest, folder.parent)
        unpack_archive(blob, folder, rooted=True, diff_id=diff_id)

    if not DIGEST.fullmatch(diff_id):
        raise InvalidInput(f"'{printable(diff_id)}' is not a sha256 digest")
    kept = shelf.keep(f"layer-{diff_id.partition(':')[2]}", fill)
    place = kept / BUILDPACKS.lstrip("/") / name.replace("/", "_") / version
    if not place.is_dir():
        raise refused(f"its layer for {name} {version} has no {BUILDPACKS}/{name.replace('/', '_')}/{version}")
    return place
