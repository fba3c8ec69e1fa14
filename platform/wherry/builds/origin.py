"""What an image says of its origin, in OCI's words (image-spec, "Pre-Defined Annotation Keys"). Pure.

Nothing here depends on when or where it is built, or on a release: the same source makes the same image.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from wherry.flow.ports import BuildRequest
from wherry.images.manifest import EPOCH

PREFIX = "org.opencontainers.image."
FROM_PROJECT = {"version": "version", "source-url": "source", "documentation-url": "documentation"}
"""What an author may say of the app in project.toml, and its name here."""

_SHORT = 12


def of_source(request: BuildRequest, said: Mapping[str, str] | None = None) -> dict[str, str]:
    """`said`: what the author says, by OCI's names without their prefix. Without a version of the author's it is the
    commit's.
    """
    commit = request.source.commit
    facts = {"version": commit[:_SHORT], **(said or {}), "revision": commit, "title": request.app_name}
    return {f"{PREFIX}{name}": value for name, value in facts.items()}


def of_base(name: str, digest: str) -> dict[str, str]:
    """Without what is not known."""
    facts = {"base.name": name, "base.digest": digest}
    return {f"{PREFIX}{name}": value for name, value in facts.items() if value}


def of_creation(request: BuildRequest) -> dict[str, str]:
    return {f"{PREFIX}created": created(request)}


def created(request: BuildRequest) -> str:
    """A constant, so that the same input makes the same image; or the app's own SOURCE_DATE_EPOCH, seconds."""
    given = request.config.get("SOURCE_DATE_EPOCH")
    text = given.reveal() if given else ""
    if not (text.isascii() and text.isdecimal() and len(text) <= 11):
        return EPOCH
    return datetime.fromtimestamp(int(text), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
