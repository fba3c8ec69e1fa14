"""Images as files (OCI image-layout): written for a lifecycle, and read back from where a build could write anything."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wherry.builds import beneath
from wherry.domain.errors import BuildFailed, BuildFailure, InvalidInput
from wherry.domain.image import Image
from wherry.domain.procfile import TYPE
from wherry.images.manifest import MANIFEST, Document
from wherry.images.registry import Registry

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_MOST_BYTES = 4 * 1024 * 1024
_BUILD_METADATA = "io.buildpacks.build.metadata"


def write_layout(registry: Registry, name: str, digest: str, folder: Path) -> None:
    """The image of one platform, with all its layers. Raises NotFound, PlatformFault."""
    blobs = folder / "blobs/sha256"
    blobs.mkdir(parents=True)
    manifest = registry.manifest(name, digest)
    (blobs / _hex(manifest.digest)).write_bytes(manifest.body)
    described = manifest.value()
    config = str(described["config"]["digest"])
    (blobs / _hex(config)).write_bytes(registry.blob(name, config))
    for layer in described["layers"]:
        registry.fetch_blob(name, str(layer["digest"]), blobs).rename(blobs / _hex(str(layer["digest"])))
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    index = {"schemaVersion": 2, "manifests": [manifest.descriptor]}
    (folder / "index.json").write_text(json.dumps(index))


def publish(folder: Path, base: Path, registry: Registry, repository: str, notes: Mapping[str, str]) -> Image:
    """Pushes what a lifecycle left in `folder`, with `notes` as annotations; layers of the run image, which it may leave
    out, are in `base`. Raises BuildFailed for what is no image that may run, PlatformFault.
    """
    try:
        index = json.loads(_small(folder, "index.json"))
        manifest = Document(MANIFEST, _small(folder, _blob(index["manifests"][0])))
        described = manifest.value()
        manifest = Document.of(
            MANIFEST, {**described, "annotations": {**(described.get("annotations") or {}), **notes}}
        )
        config = Document("", _small(folder, _blob(described["config"])))
        processes = _processes(config.value())
        for layer in described["layers"]:
            registry.put_blob(repository, str(layer["digest"]), _file(base, folder, _blob(layer)))
    except (InvalidInput, ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
        message = f"the builder left no image that can be used: {error}"
        raise BuildFailed(BuildFailure.BUILDPACK_FAILED, message) from error
    registry.put_blob(repository, config.digest, config.body)
    return Image(repository, registry.put_manifest(repository, manifest), processes)


def _processes(config: dict[str, Any]) -> dict[str, str]:
    """Commands by type, from the label that every lifecycle writes. Raises InvalidInput for an image that runs as root,
    or has nothing to run.
    """
    settings = config["config"]
    if str(settings.get("User", "")).partition(":")[0] in ("", "0", "root"):
        raise InvalidInput("its user is root")
    metadata = json.loads(settings["Labels"][_BUILD_METADATA])
    found = {}
    for each in metadata["processes"]:
        command = each["command"] if isinstance(each["command"], list) else [each["command"]]
        if TYPE.fullmatch(each["type"]):
            found[each["type"]] = " ".join(map(str, [*command, *(each.get("args") or [])]))
    if not found:
        raise InvalidInput("it has nothing to run: add a Procfile")
    return found


def _small(folder: Path, path: str) -> bytes:
    content = beneath.read(folder, path, _MOST_BYTES)
    if content is None:
        raise InvalidInput(f"{path} is missing")
    return content


def _file(base: Path, folder: Path, path: str) -> Path:
    if (base / path).exists():
        return base / path
    if not stat.S_ISREG(beneath.mode(folder, path)):
        raise InvalidInput(f"{path} is not a file")
    return folder / path


def _blob(descriptor: dict[str, Any]) -> str:
    return f"blobs/sha256/{_hex(str(descriptor['digest']))}"


def _hex(digest: str) -> str:
    match = _DIGEST.fullmatch(digest)
    if match is None:
        raise InvalidInput("a digest is not sha256")
    return match[1]
