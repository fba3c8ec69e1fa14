"""What keeps a repository small and quick, off the push path."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wherry.domain.errors import PlatformFault
from wherry.sources import git
from wherry.sources.faults import disk_faults
from wherry.sources.quarantine import shared_lock, sweep

log = logging.getLogger(__name__)

MOST_PACKS = 50  # one a push; the bound of git's own gc --auto
GC_SECONDS = 3600.0
DEPLOY_BRANCHES = ("main", "master")

_one_at_a_time = threading.Lock()


def after_push(repository: Path) -> None:
    """Returns at once; what takes time goes on in a thread, which nobody waits for."""
    with _reported(repository):
        sweep(repository)
        if _gc_is_due(repository) or _head_is_unborn(repository):
            threading.Thread(target=_tend, args=(repository,), name="upkeep", daemon=True).start()


def _tend(repository: Path) -> None:
    with _one_at_a_time, _reported(repository), shared_lock(repository):
        if _head_is_unborn(repository):
            _point_head(repository)
        if _gc_is_due(repository):
            gc = git.command(repository, ["gc", "--quiet"])
            git.run(["nice", "-n", "10", *gc], seconds=GC_SECONDS)


@contextmanager
def _reported(repository: Path) -> Iterator[None]:
    """The push has its answer already; the log is all that is left to tell."""
    try:
        with disk_faults(f"look after {repository}"):
            yield
    except PlatformFault as error:
        log.warning("upkeep of %s: %s", repository, " / ".join(error.lines()))


def _gc_is_due(repository: Path) -> bool:
    return sum(1 for _ in (repository / "objects/pack").glob("*.pack")) > MOST_PACKS


def _head_is_unborn(repository: Path) -> bool:
    """A clone checks out what HEAD names; as long as that is no branch, another deploy branch is better."""
    packed = repository / "packed-refs"
    head = (repository / "HEAD").read_text().removeprefix("ref: ").strip()
    return not (repository / head).exists() and not (packed.exists() and f" {head}\n" in packed.read_text())


def _point_head(repository: Path) -> None:
    found = git.run(git.command(repository, ["for-each-ref", "--format=%(refname)", "refs/heads/"])).decode().split()
    for ref in (f"refs/heads/{name}" for name in DEPLOY_BRANCHES):
        if ref in found:
            git.run(git.command(repository, ["symbolic-ref", "HEAD", ref]))
            return
