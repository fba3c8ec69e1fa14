"""What can go wrong with the cluster itself, in words that say what to do."""

from __future__ import annotations

from pathlib import Path


class Unfit(Exception):
    """This machine cannot run the cluster. The message names everything that is missing."""


class ClusterFailed(Exception):
    """A component did not do its part. The message has the last lines of its log."""


def last_lines(log: Path, count: int = 15) -> str:
    """With the log's path, for the whole of it."""
    if not log.exists():
        return f"(it has no log at {log})"
    lines = log.read_text(errors="replace").splitlines()[-count:]
    return "\n".join([f"The last lines of {log}:", *(f"  {line[:400]}" for line in lines)])
