"""Where a push under way keeps its objects, and what is left of it when git was killed (git itself never removes
that).

A push holds a shared lock that its processes inherit, so that the lock lives as long as any of them, orphans
included. Whoever gets it alone knows that nobody pushes.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wherry.domain.errors import PushRefused

_LOCK = "wherry.lock"
_PATTERN = "tmp_objdir-*"
_LOCKED = ("packed-refs", "HEAD")


@contextmanager
def shared_lock(repository: Path) -> Iterator[int]:
    """The descriptor that holds the lock, for git's processes; also for whatever else of ours takes git's locks."""
    with _opened(repository) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield descriptor


def sweep(repository: Path) -> None:
    """Removes the quarantines, and the locks on refs, of pushes that nobody works on any more."""
    if not any(_remains(repository)):
        return
    with _opened(repository) as descriptor:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # a push is under way; the next call finds it ended
        for path in list(_remains(repository)):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def _remains(repository: Path) -> Iterator[Path]:
    yield from (repository / "objects").glob(_PATTERN)
    yield from (repository / "refs").rglob("*.lock")
    yield from (path for name in _LOCKED if (path := repository / f"{name}.lock").exists())


def environment(repository: Path, quarantine: Path | None) -> dict[str, str]:
    """What lets git read the objects of a push under way.

    Raises PushRefused for a folder that is not a quarantine of this repository: the hook's word is not proof.
    """
    if quarantine is None:
        return {}
    objects = (repository / "objects").resolve()
    folder = quarantine.resolve()
    if folder.parent != objects or not folder.match(_PATTERN) or not folder.is_dir():
        raise PushRefused("the pushed objects are not where git keeps them for this repository", hint="Push again.")
    return {"GIT_OBJECT_DIRECTORY": str(folder), "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(objects)}


@contextmanager
def _opened(repository: Path) -> Iterator[int]:
    descriptor = os.open(repository / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
