"""Images: what a build makes and a release runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Image:
    """An OCI image by digest.

    `repository` is the name inside the registry (``apps/17``), `digest` ``sha256:…`` of the manifest. `processes`
    maps each process type to the command as its author wrote it (for people); the image's own
    ``/cnb/process/<type>`` starts it.
    """

    repository: str
    digest: str
    processes: Mapping[str, str] = field(default_factory=dict)
