"""How our images are named at a registry. Pure."""

from __future__ import annotations

from dataclasses import dataclass

HUB = "docker.io"
"""As references name Docker Hub; its API answers under another name."""
HUB_API = "registry-1.docker.io"
_HUB = {HUB, HUB_API, "index.docker.io"}


@dataclass(frozen=True, slots=True)
class Place:
    """``HOST[:PORT]`` and the prefix under which our repositories lie: ``ghcr.io`` and ``team/apps``."""

    host: str
    prefix: str = ""

    @classmethod
    def of(cls, address: str) -> Place:
        host, _, prefix = address.rstrip("/").partition("/")
        return cls(HUB if host in _HUB else host, prefix)

    def __str__(self) -> str:
        return f"{self.host}/{self.prefix}" if self.prefix else self.host

    def name(self, repository: str) -> str:
        """The repository's whole name. Docker Hub has accounts and names, and nothing below: ``team/apps-1``."""
        if self.host == HUB and self.prefix:
            return f"{self.prefix}/{repository.replace('/', '-')}"
        return f"{self.prefix}/{repository}" if self.prefix else repository

    def reference(self, repository: str, digest: str) -> str:
        """What an engine or a node pulls."""
        return f"{self.host}/{self.name(repository)}@{digest}"
