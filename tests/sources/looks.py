"""Looks at what a push left behind, and small helpers of these tests."""

from __future__ import annotations

import os
import random
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

from wherry.sources.repositories import Repositories

from tests.sources.door import Door
from tests.sources.workshop import Workshop, clean_environment


def every_ref(repositories: Repositories, app_id: int = 1) -> list[str]:
    argv = ["git", f"--git-dir={repositories.path(app_id)}", "for-each-ref", "--format=%(refname)"]
    return subprocess.run(argv, capture_output=True, check=True, env=clean_environment()).stdout.decode().splitlines()


def leftovers(repositories: Repositories, app_id: int = 1) -> list[str]:
    """Quarantines and half files. git may be removing some of them meanwhile, which os.walk takes as they are gone."""
    stray = []
    for folder, inner, files in os.walk(repositories.path(app_id)):
        half = [*inner, *files] if Path(folder).name in {"objects", "pack"} else []
        stray += [name for name in half if name.startswith("tmp_")]
        stray += [name for name in files if name.endswith(".lock") and name != "wherry.lock"]
    return sorted(stray)


def push_from(workshop: Workshop, folder: Path, door: Door, *arguments: str) -> tuple[int, str]:
    """`git push ARGUMENTS` in another folder, the repository put before the refs."""
    options = [each for each in arguments if each.startswith("--")]
    refs = [each for each in arguments if not each.startswith("--")]
    done = workshop.run("-C", str(folder), "push", "--porcelain", *options, door.repository(), *refs)
    return done.returncode, (done.stderr + done.stdout).decode(errors="replace")


def noise(size: int) -> bytes:
    """Bytes that no compression makes smaller."""
    return random.randbytes(size)


def assert_soon(claim: Callable[[], bool], seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    pause = threading.Event()
    while not claim():
        assert time.monotonic() < until, "it did not come true in time"
        pause.wait(0.02)
