"""References to images by digest, as engines read them. Pure."""

from __future__ import annotations

import re

from wherry.domain.errors import InvalidInput
from wherry.domain.text import printable

_REFERENCE = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._:/-]*)@(?P<digest>sha256:[0-9a-f]{64})")


def parse_reference(text: str, setting: str) -> tuple[str, str, str]:
    """Registry, name and digest of ``HOST/NAME@sha256:…``, with Docker Hub's short forms. Raises InvalidInput."""
    match = _REFERENCE.fullmatch(text)
    if match is None:
        raise InvalidInput(
            f"{setting} is not an image by digest: '{printable(text)}'",
            hint=f"{setting}=registry.example.com/team/image@sha256:…",
        )
    first, slash, rest = match["name"].partition("/")
    if not slash or not ("." in first or ":" in first or first == "localhost"):
        first, rest = "docker.io", match["name"]
    if first == "docker.io":
        rest = rest if "/" in rest else f"library/{rest}"
        first = "registry-1.docker.io"
    return first, rest, match["digest"]
