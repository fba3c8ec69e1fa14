"""The space of images that were removed from our own registry is given back before it starts: its own collector must
not run while anything uploads.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

EVERY = 86_400.0
_SECONDS = 600


def collect_garbage(program: str, folder: Path, say: Callable[[str], None]) -> None:
    """At most once a day, in `folder`, which has config.yml and data. A collector that fails costs space only."""
    stamp = folder / "collected"
    if not (folder / "data/docker").is_dir() or (stamp.exists() and stamp.stat().st_mtime > time.time() - EVERY):
        return
    say("registry: giving back the space of removed images")
    argv = [program, "garbage-collect", str(folder / "config.yml")]
    try:
        done = subprocess.run(argv, capture_output=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        say(f"registry: that took longer than {_SECONDS} s and was stopped")
        return
    if done.returncode:
        say(
            f"registry: its garbage collector ended with {done.returncode}: {done.stderr[-200:].decode('utf-8', 'replace')!a}"
        )
        return
    stamp.touch()
