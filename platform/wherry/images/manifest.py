"""Image config and manifest as OCI writes them (image-spec 1.0). Pure: values in, values out.

Docker's media types, whose documents have the same fields, are read too, and written as OCI's.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wherry.domain.errors import InvalidInput
from wherry.images.layers import MEDIA_TYPE, Layer

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
READABLE = (MANIFEST, INDEX, DOCKER_MANIFEST, DOCKER_INDEX)

EPOCH = "1980-01-01T00:00:01Z"
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
_LAYER_TYPES = {
    "application/vnd.docker.image.rootfs.diff.tar.gzip": MEDIA_TYPE,
    "application/vnd.docker.image.rootfs.diff.tar": MEDIA_TYPE.removesuffix("+gzip"),
}


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON document as the bytes that its digest is of."""

    media_type: str
    body: bytes

    @classmethod
    def of(cls, media_type: str, value: object) -> Document:
        """The same value gives the same bytes."""
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return cls(media_type, text.encode("utf-8", "backslashreplace"))

    @property
    def digest(self) -> str:
        return digest_of(self.body)

    @property
    def descriptor(self) -> dict[str, object]:
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.body)}

    def value(self) -> dict[str, Any]:
        """Raises InvalidInput when it is no JSON object."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise InvalidInput(f"a document of an image is not JSON: {error}") from error
        if not isinstance(value, dict):
            raise InvalidInput("a document of an image is not a JSON object")
        return value


def digest_of(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def architecture() -> str:
    """This machine's, in OCI's words."""
    return _MACHINES.get(platform.machine(), platform.machine())


def image_config(
    layers: Sequence[Layer],
    settings: Mapping[str, object],
    base: Mapping[str, object] | None = None,
    created: str = EPOCH,
) -> Document:
    """The config of an image of `layers`, the base's first. `settings` is its ``config`` object (Env, Labels, …).

    From `base`, the whole config of the image below, come architecture, os and the history of its layers.
    """
    below = base or {}
    kept = {key: below[key] for key in ("architecture", "os", "os.version", "variant") if key in below}
    history = below.get("history")
    past = list(history) if isinstance(history, list) else []
    mine = len([each for each in past if not (isinstance(each, dict) and each.get("empty_layer"))])
    past += [{"created": created, "created_by": layer.note or "wherry"} for layer in layers[mine:]]
    return Document.of(
        CONFIG,
        {
            "architecture": architecture(),
            "os": "linux",
            **kept,
            "created": created,
            "config": dict(settings),
            "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
            "history": past,
        },
    )


def image_manifest(config: Document, layers: Sequence[Layer], annotations: Mapping[str, str]) -> Document:
    return Document.of(
        MANIFEST,
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": config.descriptor,
            "layers": [{"mediaType": layer.media_type, "digest": layer.digest, "size": layer.size} for layer in layers],
            **({"annotations": dict(annotations)} if annotations else {}),
        },
    )


def manifest_for(index: Mapping[str, Any], machine: str) -> str:
    """The digest of the manifest in `index` for linux on `machine`. Raises InvalidInput when there is none."""
    try:
        for each in index["manifests"]:
            if (each["platform"]["os"], each["platform"]["architecture"]) == ("linux", machine):
                return str(each["digest"])
    except (KeyError, TypeError) as error:
        raise InvalidInput(f"not an index of images: {type(error).__name__} {error}") from error
    raise InvalidInput(f"the image has no variant for linux/{machine}")


def layers_of(manifest: Mapping[str, Any], config: Mapping[str, Any]) -> tuple[Layer, ...]:
    """The layers that a manifest and its config describe together. Raises InvalidInput when they disagree."""
    try:
        pairs = list(zip(manifest["layers"], config["rootfs"]["diff_ids"], strict=True))
        return tuple(
            Layer(
                str(diff_id),
                str(each["digest"]),
                int(each["size"]),
                media_type=_LAYER_TYPES.get(each["mediaType"], each["mediaType"]),
            )
            for each, diff_id in pairs
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput(f"not an image that can be read: {type(error).__name__} {error}") from error
