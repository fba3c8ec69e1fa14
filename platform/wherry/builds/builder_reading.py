"""What a builder image says of itself: its users, its run image, the Platform APIs of its lifecycle."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wherry.builds.project import MOST_BYTES, NAME, read_project
from wherry.builds.references import parse_reference
from wherry.domain.errors import InvalidInput
from wherry.flow.ports import BuildRequest
from wherry.images.registry import Registry
from wherry.images.stored import StoredImage, read_image

METADATA = "io.buildpacks.builder.metadata"
_APIS = ("0.14", "0.13", "0.12")
"""The Platform APIs that can export to files, the newest first."""


@dataclass(frozen=True, slots=True)
class BuilderImage:
    """`reference` is what an engine pulls, `name` how the operator wrote it; `run_image` likewise, by `run_digest`."""

    reference: str
    name: str
    uid: int
    gid: int
    env: Mapping[str, str]
    platform_api: str
    run_image: str
    run_digest: str


def allowed(builders: str) -> dict[str, str]:
    """Every name by which an app may ask for one of the operator's `builders`, and the reference by digest it means:
    the reference itself, and its name without the digest, also without Docker Hub's.
    """
    names = {}
    for reference in builders.split():
        name = reference.partition("@")[0]
        for each in (reference, name, name.removeprefix("docker.io/")):
            names[each] = reference
    return names


def chosen_builder(request: BuildRequest, builders: str) -> tuple[str, Mapping[str, str]] | None:
    """The builder that the app asks for, by its project.toml or as its only buildpack, with project.toml's environment;
    None for our own lifecycle. What is not allowed is refused where the app's wishes are settled.
    """
    names = allowed(builders)
    if not names:
        return None
    content = _project_toml(Path(request.source.archive))
    if content is None or b"builder" not in content:
        asked = request.settings.buildpacks
        return (names[asked[0]], {}) if len(asked) == 1 and asked[0] in names else None
    wish = read_project(content, names)
    return (names[wish.builder], wish.env) if wish.builder else None


def _project_toml(archive: Path) -> bytes | None:
    with tarfile.open(archive, "r:") as tar:
        for member in tar:
            if member.name == NAME and member.isfile() and member.size <= MOST_BYTES:
                file = tar.extractfile(member)
                return file.read() if file else None
    return None


@contextmanager
def find(reference: str, ours: Registry) -> Iterator[tuple[Registry, str, str]]:
    """The registry, the name in it, and the digest or tag. Our own login goes to our own registry only."""
    name, _, digest = reference.partition("@")
    tag = ""
    if not digest:
        name, colon, tag = name.rpartition(":")
        if not colon or "/" in tag:
            name, tag = reference, "latest"
    host, path, _ = parse_reference(f"{name}@sha256:{'0' * 64}", "the image")
    if host == ours.address.partition("/")[0]:
        yield ours.whole(), path, digest or tag
        return
    registry = Registry(host)
    try:
        yield registry, path, digest or tag
    finally:
        registry.close()


def read_builder(reference: str, ours: Registry) -> BuilderImage:
    """Raises NotFound, InvalidInput (not a builder that we can use), PlatformFault."""
    with find(reference, ours) as (registry, name, digest):
        image = read_image(registry, name, digest)
        pulled = registry.reference(name, image.digest)
    metadata = _metadata(image)
    run_image = _run_image(metadata)
    with find(run_image, ours) as (registry, name, wanted):
        run_digest = read_image(registry, name, wanted).digest
    uid, gid = (_number(image.env.get(f"CNB_{kind}_ID", "")) for kind in ("USER", "GROUP"))
    if not uid:
        raise InvalidInput("its build user is root, or not said")
    label = reference.partition("@")[0]
    return BuilderImage(pulled, label, uid, gid, image.env, _platform_api(metadata), run_image, run_digest)


def _metadata(image: StoredImage) -> Mapping[str, Any]:
    try:
        metadata = json.loads(image.labels.get(METADATA, ""))
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"it is no builder: it has no label {METADATA}") from error
    if not isinstance(metadata, dict):
        raise InvalidInput(f"its label {METADATA} is not an object")
    return metadata


def _run_image(metadata: Mapping[str, Any]) -> str:
    """The older and the newer place of it in the label."""
    try:
        images = metadata.get("images") or [metadata["stack"]["runImage"]]
        return str(images[0]["image"])
    except (KeyError, IndexError, TypeError) as error:
        raise InvalidInput("it does not say which image apps run on") from error


def _platform_api(metadata: Mapping[str, Any]) -> str:
    try:
        platform = metadata["lifecycle"]["apis"]["platform"]
        spoken = {str(each) for each in (*(platform.get("supported") or ()), *(platform.get("deprecated") or ()))}
    except (KeyError, TypeError, AttributeError):
        spoken = set()
    for api in _APIS:
        if api in spoken:
            return api
    raise InvalidInput(f"its lifecycle speaks none of the Platform APIs {', '.join(_APIS)}")


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 8 else 0
