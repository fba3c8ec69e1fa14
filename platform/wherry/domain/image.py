"""Images: what a build makes and a release runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from wherry.domain.app_json import NOTHING, AppJson


@dataclass(frozen=True, slots=True)
class Start:
    """How one process type of an image starts that buildpacks did not make: `argv` whole, by `user` ("" for the image's
    own). `digest`: of the image it runs, when that is another one of the same repository.
    """

    argv: tuple[str, ...]
    user: str = ""
    digest: str = ""

    def written(self) -> dict[str, object]:
        """As JSON keeps it."""
        return {"argv": list(self.argv), "user": self.user, "digest": self.digest}


@dataclass(frozen=True, slots=True)
class Image:
    """An OCI image by digest.

    `repository` is the name inside the registry (``apps/17``), `digest` ``sha256:…`` of the manifest. `processes`
    maps each process type to the command as its author wrote it (for people); the image's own
    ``/cnb/process/<type>`` starts it, unless `starts` says how. `wishes`: of the app.json that its source had.
    """

    repository: str
    digest: str
    processes: Mapping[str, str] = field(default_factory=dict)
    starts: Mapping[str, Start] = field(default_factory=dict)
    wishes: AppJson = NOTHING

    def of(self, type: str) -> Image:
        """With the digest that a process of that type runs."""
        start = self.starts.get(type)
        return replace(self, digest=start.digest) if start and start.digest else self

    @property
    def digests(self) -> frozenset[str]:
        """Of all images that it takes."""
        return frozenset({self.digest, *(each.digest for each in self.starts.values() if each.digest)})
