"""Another base under an image: the layers below its own are swapped, and not a byte of a layer moves.

What labels mean is the caller's to know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wherry.domain.errors import PlatformFault
from wherry.images.layers import Layer
from wherry.images.manifest import CONFIG, EPOCH, Document, image_manifest
from wherry.images.registry import Registry
from wherry.images.stored import StoredImage


@dataclass(frozen=True, slots=True)
class Rebased:
    """The documents of the new image; `base` are the layers that its repository may not have yet."""

    config: Document
    manifest: Document
    base: tuple[Layer, ...]


def rebased(
    image: StoredImage, below: int, base: StoredImage, labels: Mapping[str, str], notes: Mapping[str, str]
) -> Rebased:
    """`image` with the layers of `base` instead of its first `below`. `labels` are all that it has then; `notes` are
    added to the annotations of its manifest. Everything else stays (platform.md "rebaser", Outputs). Pure.
    """
    layers = (*base.layers, *image.layers[below:])
    config = Document.of(
        CONFIG,
        {
            **image.config,
            "config": {**image.settings, "Labels": dict(labels)},
            "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
            "history": [
                *_history(base.config, 0, len(base.layers)),
                *_history(image.config, below, len(image.layers) - below),
            ],
        },
    )
    return Rebased(config, image_manifest(config, layers, {**image.annotations, **notes}), base.layers)


def push_rebased(registry: Registry, repository: str, made: Rebased, source: str) -> str:
    """The new image's digest. Its base is mounted from the repository `source`; its own layers are in `repository`.

    The manifest goes last: whatever breaks off before leaves no image, and doing it again is doing it once. Raises
    PlatformFault.
    """
    for layer in made.base:
        if not registry.mount_blob(repository, layer.digest, source, ask=False):
            raise PlatformFault(f"the registry cannot give {repository} the layer {layer.digest} of {source}")
    registry.put_blob(repository, made.config.digest, made.config.body, ask=False)
    return registry.put_manifest(repository, made.manifest)


def _history(config: Mapping[str, Any], past: int, count: int) -> list[object]:
    """The entries of `count` layers after the first `past`; made up where what is there does not fit the layers."""
    entries = config.get("history")
    found = entries if isinstance(entries, list) else []
    filled = [place for place, entry in enumerate(found) if not (isinstance(entry, dict) and entry.get("empty_layer"))]
    if len(filled) != past + count:
        return [{"created": EPOCH, "created_by": "wherry"}] * count
    return found[filled[past - 1] + 1 :] if past else found
