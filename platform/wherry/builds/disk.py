"""Folders of a build on this machine: removed whatever a build left in them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from wherry.domain.errors import PlatformFault
from wherry.domain.text import printable


def need_free(folder: Path, least: int) -> None:
    """Raises PlatformFault when the disk of `folder` has less than `least` MiB free."""
    free = shutil.disk_usage(folder).free >> 20
    if free < least:
        raise PlatformFault(
            f"the disk of {folder} has {free} MiB free, and builds begin with {least} MiB at least",
            hint="Make room on the machine; what takes it: du -xh / --max-depth 2 | sort -h | tail",
        )


def remove(folder: Path) -> None:
    """The folder and all below; nothing when it is not there. Raises PlatformFault when something stays.

    A build may nest folders deeper than a recursion goes, or take away its own permission to list them.
    """
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except (OSError, RecursionError):
        _remove_anyway(folder)


def _remove_anyway(folder: Path) -> None:
    subprocess.run(["chmod", "-R", "u+rwX", "--", folder], capture_output=True, check=False)
    done = subprocess.run(["rm", "-rf", "--", folder], capture_output=True, check=False)
    if done.returncode != 0:
        raise PlatformFault(
            f"{folder} cannot be removed", evidence=[printable(line) for line in done.stderr.split(b"\n")[:3] if line]
        )
