"""Whether a folder is shared with other machines: the kernel tells nobody here what they write."""

from __future__ import annotations

import os
from pathlib import Path

_SHARED = {"9p", "afs", "ceph", "cifs", "glusterfs", "lustre", "nfs", "nfs4", "smb3", "virtiofs"}
_MOUNTS = Path("/proc/self/mountinfo")


def is_shared(folder: Path, mounts: Path = _MOUNTS) -> bool:
    """By the type of the innermost mount that holds it (proc(5), "mountinfo"); FUSE counts, whatever is behind it."""
    found = ""
    longest = -1
    for line in mounts.read_text(errors="replace").splitlines():
        before, _, after = line.partition(" - ")
        point = before.split()[4].encode().decode("unicode_escape")  # \\040 for a blank
        if len(point) > longest and os.path.commonpath([point, folder.absolute()]) == point:
            longest, found = len(point), after.split()[0]
    return found in _SHARED or found.startswith("fuse")
