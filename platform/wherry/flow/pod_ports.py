"""Port for builds that run in a cluster, each in a pod of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from wherry.domain.errors import PlatformFault, WherryError
from wherry.flow.ports import Cancel, Say


@dataclass(frozen=True, slots=True)
class Caps:
    """`memory` MiB and `cpu` thousandths of a core of the build, `disk` MiB, `seconds` of the build's programs."""

    memory: int = 2048
    cpu: int = 2000
    disk: int = 10240
    seconds: int = 900


@dataclass(frozen=True, slots=True)
class BuildPod:
    """Three containers, one after another: `fetch`, `build`, `export`. `platform` and `stack` are references that a node
    pulls: of the platform's own image, which fetches and exports, and of the image to build on. `user` is "uid:gid".

    `inputs`: files that fetch and export alone see, in INPUTS. `mounts`: where the build sees folders of GROUND, path to
    (path below GROUND, read-only).
    """

    app_id: int
    build_id: int
    attempt: int
    platform: str
    stack: str
    user: str
    inputs: Mapping[str, bytes]
    mounts: Mapping[str, tuple[str, bool]]
    caps: Caps = field(default_factory=Caps)


GROUND = "/wherry"
"""Where fetch and export see the build's folders."""
INPUTS = "/run/wherry-inputs"


class Away(PlatformFault):
    """The cluster does not answer; the pod may go on, and can be followed again."""


@dataclass(frozen=True, slots=True)
class Ears:
    """Who follows a pod. `line`: takes each line that fetch and then export write, from the first one on, and again after
    a broken connection; True of it means a program's last word, how it ended need not be asked. `say`: for the pusher.
    `cancel`: the build ends. `leave`: the pod goes on without us.
    """

    line: Callable[[bytes], bool]
    say: Say
    cancel: Cancel
    leave: Cancel


class BuildPods(Protocol):
    """Built by a runtime, used by the builder. A pod, once begun, needs no worker; whoever follows it may go, and another
    one come.
    """

    def begin(self, pod: BuildPod) -> None:
        """Makes it; one of this very attempt that is there already is taken for it. Raises PlatformFault."""

    def left(self, build_id: int) -> int | None:
        """The newest attempt of which there is a pod that can be followed, also one that has ended. Raises
        PlatformFault.
        """

    def follow(self, build_id: int, attempt: int, caps: Caps, ears: Ears) -> WherryError | None:
        """Until the pod's end. What the cluster says of a pod that did not end by itself; None where it has nothing to say.
        It stays until `sweep`, but for one that is cancelled. Raises Cancelled (also when it was left), Away, PlatformFault.
        """

    def sweep(self, build_id: int, *, wait: bool = False) -> None:
        """Removes all that there is of this build; with `wait` none of it runs any more afterwards. Raises
        PlatformFault.
        """
