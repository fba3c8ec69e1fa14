"""Workload: one process type of one release, as a runtime must run it; and what a runtime reports back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from wherry.domain.autoscale import Autoscale
from wherry.domain.formation import DEFAULT_SIZE, SIZES, Size
from wherry.domain.health import Check
from wherry.domain.image import Image, Start
from wherry.domain.restarts import Turn
from wherry.domain.secret import Secret
from wherry.domain.text import printable
from wherry.domain.volume import Volume


@dataclass(frozen=True, slots=True)
class Workload:
    """`quantity` processes of `type`, from `image` with `env`; `start` says how, where buildpacks did not make the image.
    Seconds: `boot_limit` until it must listen, `stop_grace` from SIGTERM to SIGKILL.

    A web process gets ``$PORT`` from its runtime and is ready when it accepts a connection there; any other type is
    ready when it has lived through `settle` seconds. `turns`: of the processes, by index, that were to be restarted.
    `checks`: what else makes it ready, and what shows that it lives. `autoscale`: load decides on the quantity, where the
    runtime lets it; `volumes`: folders that outlive it.
    """

    app_id: int
    app_name: str
    release: int
    type: str
    image: Image
    env: Mapping[str, Secret] = field(default_factory=dict)
    quantity: int = 1
    size: Size = SIZES[DEFAULT_SIZE]
    boot_limit: float = 60.0
    settle: float = 1.0
    stop_grace: float = 30.0
    start: Start | None = None
    turns: Mapping[int, Turn] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    autoscale: Autoscale | None = None
    volumes: tuple[Volume, ...] = ()

    @property
    def listens(self) -> bool:
        return self.type == "web"

    @property
    def most(self) -> int:
        """How many there may be at a time."""
        return self.autoscale.most if self.autoscale else self.quantity


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the router reaches one web process."""

    address: str
    port: int


class ProcessState(StrEnum):
    STARTING = "starting"
    UP = "up"
    CRASHED = "crashed"


@dataclass(frozen=True, slots=True)
class Process:
    """One copy as it is: ``web.1`` of release 12. `endpoint` only where it listens; `detail` says why
    it is not up, `restarts` how often the runtime has started it again."""

    app_id: int
    release: int
    type: str
    index: int
    state: ProcessState
    since: datetime
    endpoint: Endpoint | None = None
    detail: str = ""
    restarts: int = 0

    @property
    def name(self) -> str:
        return f"{self.type}.{self.index}"


_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class AppRoute:
    """What the router serves for one app: its host labels (``NAME`` of ``NAME.localhost``), its custom domains (whole
    names; ``*.NAME`` for all under one), and the endpoints of one release.

    No endpoints means the app is known and has no web process: the router answers 503 with a page, not 404. So it does
    in `maintenance`, whatever runs.
    """

    app_id: int
    hosts: tuple[str, ...]
    release: int = 0
    endpoints: tuple[Endpoint, ...] = ()
    maintenance: bool = False
    domains: tuple[str, ...] = ()

    def wrong_names(self) -> list[str]:
        """A sentence for each name that no host can have."""
        return [f"host '{printable(host, 80)}' is not a label" for host in self.hosts if not _LABEL.fullmatch(host)] + [
            f"domain '{printable(name, 80)}' is not a domain"
            for name in self.domains
            if not all(_LABEL.fullmatch(label) for label in name.removeprefix("*.").split("."))
        ]
