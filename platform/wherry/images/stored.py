"""Whole images: read one from a registry, push one, copy one from another registry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wherry.domain.errors import PlatformFault
from wherry.images.layers import Layer
from wherry.images.manifest import DOCKER_INDEX, INDEX, Document, architecture, layers_of, manifest_for
from wherry.images.registry import Registry

_AT_ONCE = 4
PUSHED = "pushed/{}"
"""The repository of what an app's users push, by its id: apart from what builds make and releases run."""


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image that the registry has in `repository`; `config` is its whole config document."""

    repository: str
    digest: str
    config: Mapping[str, Any]
    layers: tuple[Layer, ...]
    annotations: Mapping[str, str] = field(default_factory=dict, compare=False)
    """Of its manifest."""
    config_digest: str = field(default="", compare=False)

    @property
    def settings(self) -> Mapping[str, Any]:
        """The part that says how it runs: Env, User, Labels, Entrypoint."""
        settings = self.config.get("config")
        return settings if isinstance(settings, Mapping) else {}

    @property
    def labels(self) -> Mapping[str, str]:
        labels = self.settings.get("Labels")
        return labels if isinstance(labels, Mapping) else {}

    @property
    def env(self) -> dict[str, str]:
        lines = self.settings.get("Env") or []
        return {name: value for name, _, value in (str(line).partition("=") for line in lines)}


def read_image(registry: Registry, repository: str, reference: str) -> StoredImage:
    """By digest or tag; of an index, the image for linux on this machine. Raises NotFound, InvalidInput."""
    return _read(registry, repository, _resolve(registry, repository, reference))[0]


def push_image(
    registry: Registry,
    repository: str,
    config: Document,
    layers: Sequence[Layer],
    manifest: Document,
    sources: Sequence[str] = (),
) -> str:
    """The image's digest. Layers without a blob here must be in `repository` or in one of `sources`.

    The manifest goes last: a push that breaks off leaves blobs that the next one finds, and no image.
    """
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="push") as pool:
        waiting: list[Future[object]] = [
            pool.submit(push_layer, registry, repository, each, sources) for each in layers
        ]
        waiting.append(pool.submit(registry.put_blob, repository, config.digest, config.body))
        try:
            for each in waiting:
                each.result()
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return registry.put_manifest(repository, manifest)


def push_layer(
    registry: Registry, repository: str, layer: Layer, sources: Sequence[str] = (), *, ask: bool = True
) -> bool:
    """Whether bytes had to be sent. `ask` as of `Registry.put_blob`. Raises PlatformFault when neither this machine nor the
    registry has the blob.
    """
    if layer.path is not None:
        return registry.put_blob(repository, layer.digest, layer.path, ask=ask)
    if any(registry.mount_blob(repository, layer.digest, source) for source in sources or [repository]):
        return False
    raise PlatformFault(f"the layer {layer.digest} is neither on this machine nor in the registry's {repository}")


def copy_image(source: Registry, name: str, reference: str, target: Registry, repository: str, folder: Path) -> str:
    """Copies `name` of `source` to `repository` of `target`, byte for byte, by way of `folder`; the copy's digest.

    Raises NotFound, InvalidInput (not an image), PlatformFault.
    """
    manifest = _resolve(source, name, reference)
    image, config = _read(source, name, manifest)
    for layer in image.layers:
        if not target.has_blob(repository, layer.digest):
            blob = source.fetch_blob(name, layer.digest, folder)
            try:
                target.put_blob(repository, layer.digest, blob)
            finally:
                blob.unlink()
    target.put_blob(repository, config.digest, config.body)
    return target.put_manifest(repository, manifest)


def mount_image(registry: Registry, source: str, digest: str, repository: str) -> None:
    """Makes `repository` have the image of the repository `source` of the same registry; no byte of a layer moves. The
    manifest goes last. Raises NotFound, InvalidInput, PlatformFault.
    """
    manifest = registry.manifest(source, digest)
    image, config = _read(registry, source, manifest)
    for blob in (*(layer.digest for layer in image.layers), config.digest):
        if not registry.mount_blob(repository, blob, source, ask=False):
            raise PlatformFault(f"the registry cannot give {repository} the blob {blob} of {source}")
    registry.put_manifest(repository, manifest)


def _resolve(registry: Registry, repository: str, reference: str) -> Document:
    document = registry.manifest(repository, reference)
    if document.media_type in (INDEX, DOCKER_INDEX):
        return registry.manifest(repository, manifest_for(document.value(), architecture()))
    return document


def _read(registry: Registry, repository: str, document: Document) -> tuple[StoredImage, Document]:
    manifest = document.value()
    described = manifest.get("config") or {}
    body = registry.blob(repository, str(described.get("digest", "")))
    config = Document(str(described.get("mediaType", "")), body)
    layers = layers_of(manifest, config.value())
    notes = manifest.get("annotations")
    annotations = notes if isinstance(notes, Mapping) else {}
    return StoredImage(repository, document.digest, config.value(), layers, annotations, config.digest), config
