"""What changed in a folder since it was packed: the content of the layer above."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from wherry.images.entries import Pick

Seen = Mapping[str, tuple[int, ...]]


def seen(root: Path, pick: Pick) -> Seen:
    """Every path below `root` that `pick` takes, with what changes when it does."""
    found: dict[str, tuple[int, ...]] = {}
    waiting = [""]
    while waiting:
        below = waiting.pop()
        with os.scandir(root / below) as entries:
            for entry in entries:
                name = f"{below}/{entry.name}" if below else entry.name
                if not pick(name):
                    continue
                status = entry.stat(follow_symlinks=False)
                found[name] = (status.st_ino, status.st_mode, status.st_size, status.st_ctime_ns)
                if stat.S_ISDIR(status.st_mode):
                    waiting.append(name)
    return found


def changes(before: Seen, after: Seen) -> tuple[set[str], list[str]]:
    """What a layer between the two must hold: paths that are new or changed, with their parents; and the topmost paths
    that are gone.
    """
    changed = {name for name, state in after.items() if before.get(name) != state}
    for name in list(changed):
        parent = name.rpartition("/")[0]
        while parent:
            changed.add(parent)
            parent = parent.rpartition("/")[0]
    gone = {name for name in before if name not in after}
    return changed, sorted(name for name in gone if name.rpartition("/")[0] not in gone)
