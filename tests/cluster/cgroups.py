"""The control groups of one cluster's pods: a folder of its own in every hierarchy, so that no kubelet sweeps another's."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")


def make(name: str) -> None:
    for hierarchy in _hierarchies():
        folder = hierarchy / name
        _delegate(hierarchy)
        folder.mkdir(exist_ok=True)
        _delegate(folder)
        for needed in ("cpuset.cpus", "cpuset.mems"):  # version 1 takes no process into a set of none
            if (folder / needed).exists() and not (folder / needed).read_text().strip():
                (folder / needed).write_text((hierarchy / needed).read_text())


def remove(name: str) -> None:
    """Its processes are dead or dying."""
    deadline = time.monotonic() + 60
    for hierarchy in _hierarchies():
        while (hierarchy / name).exists():
            for folder in sorted((hierarchy / name).glob("**/"), reverse=True):
                with contextlib.suppress(OSError):  # one is busy until its last process is gone
                    folder.rmdir()
            if time.monotonic() > deadline:
                raise TimeoutError(f"{hierarchy / name} still has processes: {processes(name)}")
            time.sleep(0.01)


def processes(name: str) -> set[int]:
    found: set[int] = set()
    for hierarchy in _hierarchies():
        for listed in (hierarchy / name).glob("**/cgroup.procs"):
            with contextlib.suppress(OSError):
                found.update(int(each) for each in listed.read_text().split())
    return found


def exists(name: str) -> bool:
    return any((hierarchy / name).exists() for hierarchy in _hierarchies())


def _hierarchies() -> set[Path]:
    """Of version 2 the one; of version 1 all, some of which are joined under two names."""
    if (_ROOT / "cgroup.controllers").exists():
        return {_ROOT}
    return {folder.resolve() for folder in _ROOT.iterdir() if (folder / "cgroup.procs").exists()}


def _delegate(folder: Path) -> None:
    """Version 2 only: what the folder has, its children may have."""
    offered = folder / "cgroup.controllers"
    if offered.exists():
        for controller in offered.read_text().split():
            with contextlib.suppress(OSError):  # a folder with processes of its own keeps some for itself
                (folder / "cgroup.subtree_control").write_text(f"+{controller}")
