"""Did the kernel stop a process of a container for its memory? Read from its cgroup, as the engine tells only of the
first process, and only at its end.
"""

from __future__ import annotations

from pathlib import Path


def oom_kills(pid: int) -> int:
    """How many processes of `pid`'s cgroup the kernel has stopped for memory since its start; 0 where `pid` is gone."""
    try:
        groups = Path(f"/proc/{pid}/cgroup").read_text()
    except OSError:
        return 0
    for candidate in counters(groups):
        try:
            return _count(candidate.read_text())
        except OSError:
            continue
    return 0


def counters(groups: str) -> list[Path]:
    """Files that may hold the count, for the text of /proc/PID/cgroup: version 1's memory hierarchy, then version 2."""
    found = []
    for line in sorted(groups.splitlines(), reverse=True):  # "0::/…", the unified one, last
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            found.append(Path("/sys/fs/cgroup/memory" + path) / "memory.oom_control")
        elif not controllers:
            found.append(Path("/sys/fs/cgroup" + path) / "memory.events")
    return found


def _count(text: str) -> int:
    return sum(int(words[1]) for line in text.splitlines() if (words := line.split())[0] == "oom_kill")
