"""Port for builds that run in a cluster, each in a pod of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from wherry.domain.errors import WherryError
from wherry.flow.ports import Cancel, Say


@dataclass(frozen=True, slots=True)
class BuildPod:
    """Three containers, one after another: `fetch`, `build`, `export`. `platform` and `stack` are references that a node
    pulls: of the platform's own image, which fetches and exports, and of the image to build on. `user` is "uid:gid".

    `inputs`: files that fetch and export alone see, in INPUTS. `mounts`: where the build sees folders of GROUND, path to
    (path below GROUND, read-only).

    Caps: `memory` MiB and `cpu` thousandths of a core of the build, `disk` MiB, `seconds` of the build's programs.
    """

    app_id: int
    build_id: int
    attempt: int
    platform: str
    stack: str
    user: str
    inputs: Mapping[str, bytes]
    mounts: Mapping[str, tuple[str, bool]]
    memory: int = 2048
    cpu: int = 2000
    disk: int = 10240
    seconds: int = 900


GROUND = "/wherry"
"""Where fetch and export see the build's folders."""
INPUTS = "/run/wherry-inputs"


class BuildPods(Protocol):
    """Built by a runtime, used by the builder."""

    def run(self, pod: BuildPod, on_line: Callable[[bytes], bool], say: Say, cancel: Cancel) -> WherryError | None:
        """Runs the pod to its end; each line that fetch and then export write goes to `on_line` as it comes, or more than
        once after a broken connection. True of it means: a program's last word, how it ended need not be asked. What
        the cluster says of a pod that did not end by itself; None where it has nothing to say. The pod, and all that was
        made for it, is taken away whatever happens.

        Raises Cancelled, PlatformFault.
        """

    def sweep(self, build_id: int, attempt: int) -> None:
        """Removes what attempts of this build before `attempt` left, and returns when none of it runs any more. Raises
        PlatformFault.
        """
