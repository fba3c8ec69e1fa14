"""What all apps of a platform have in common in its cluster. A value, from the settings."""

from __future__ import annotations

from dataclasses import dataclass, field

from wherry.domain.registry_names import Place
from wherry.logins import FixedLogin, Logins


@dataclass(frozen=True, slots=True)
class Pulls:
    """The registry as the nodes name it: ``registry.example.com/team``. `logins`: what they need there."""

    address: str
    logins: Logins = field(default_factory=FixedLogin)

    def reference(self, repository: str, digest: str) -> str:
        return Place.of(self.address).reference(repository, digest)


@dataclass(frozen=True, slots=True)
class Ground:
    """`platform`: the random id of this platform; two in one cluster do not see each other. `reach`: networks (CIDR) that
    apps may reach though they are private. `drain`: seconds that a web process goes on serving after it was told to
    end, so that every router has heard of it. `storage_class` of volumes; "" is the cluster's default. `unschedulable`:
    seconds that a process may wait for room on a node (one may be on its way).
    """

    platform: str
    pulls: Pulls
    reach: tuple[str, ...] = ()
    drain: int = 5
    storage_class: str = ""
    unschedulable: float = 60.0
