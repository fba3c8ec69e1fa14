"""Bare repositories, one an app, under a folder of ours: made, mended, read, removed."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wherry.domain.errors import PlatformFault
from wherry.domain.model import Source
from wherry.domain.refs import BRANCH
from wherry.sources import export, git, intake, quarantine, upkeep
from wherry.sources.faults import disk_faults
from wherry.sources.policy import Limits, config
from wherry.sources.stable import write_durably
from wherry.whole import fsync_path

HOOKS = ("pre-receive", "post-receive")


class Repositories:
    """flow.ports.Sources on `folder`: `<app id>.git`, and the archives of exported trees in `<app id>.trees`.

    `hooks` is the folder of the two hooks that git runs on a push.
    """

    def __init__(self, folder: Path, hooks: Path, limits: Limits | None = None) -> None:
        self.folder = folder
        self.hooks = hooks
        self.limits = limits or Limits()
        self._config = config(self.limits, hooks).encode()

    def path(self, app_id: int) -> Path:
        return self.folder / f"{app_id:d}.git"

    def create(self, app_id: int) -> None:
        """Makes the repository, or mends it: our configuration, and what killed pushes left behind."""
        repository = self.path(app_id)
        with disk_faults(f"make the repository of app {app_id}"):
            if not repository.exists():
                self._make(repository)
        self.mend(app_id)

    def mend(self, app_id: int) -> bool:
        """Makes sure of what a push relies on; False where there is no repository.

        Raises PlatformFault when a hook cannot run: git would take the push without asking anyone.
        """
        repository = self.path(app_id)
        if not repository.exists():
            return False
        with disk_faults(f"mend the repository of app {app_id}"):
            if not _holds(repository / "config", self._config):
                write_durably(repository / "config", self._config)
            quarantine.sweep(repository)
        for hook in (self.hooks / name for name in HOOKS):
            if not os.access(hook, os.X_OK):
                raise PlatformFault(f"the hook {hook} is not there or not executable", hint=f"chmod 755 {hook}")
        return True

    def free_bytes(self) -> int:
        """What the disk of the repositories still takes."""
        with disk_faults("look at the disk"):
            disk = os.statvfs(self.folder)
        return disk.f_bavail * disk.f_frsize

    def tend(self, app_id: int) -> None:
        """After a push: work that no pusher should wait for, in a thread of its own where there is any."""
        upkeep.after_push(self.path(app_id))

    def remove(self, app_id: int) -> None:
        with disk_faults(f"remove the repository of app {app_id}"):
            for path in (self.path(app_id), self._trees(app_id)):
                if path.exists():
                    path.rename(self._aside(app_id, "gone"))
            for leftover in self.folder.glob(f".{app_id:d}-*"):
                shutil.rmtree(leftover)

    def head(self, app_id: int, branch: str) -> str | None:
        repository = self.path(app_id)
        if not BRANCH.fullmatch(branch) or not repository.exists():
            return None
        ref = f"refs/heads/{branch}"
        asked = ["for-each-ref", "--format=%(objectname) %(refname)", "--", ref]
        # The pattern also finds what lies below the ref's name.
        refs = [line.split(" ", 1) for line in git.run(git.command(repository, asked)).decode().splitlines()]
        return next((commit for commit, name in refs if name == ref), None)

    def export(self, app_id: int, commit: str, quarantine: Path | None) -> Source:
        with disk_faults(f"keep the source tree of app {app_id}"):
            return export.export(self.path(app_id), self._trees(app_id), commit, quarantine, self.limits)

    def take_in(self, app_id: int, archive: Path, message: str) -> Source:
        self.create(app_id)
        with (
            disk_faults(f"take an upload for app {app_id}"),
            intake.take_in(self.path(app_id), archive, message, self.limits) as commit,
        ):
            source = self.export(app_id, commit, None)
        self.tend(app_id)
        return source

    @contextmanager
    def pushing(self, app_id: int) -> Iterator[int]:
        """Marks a push as under way; the descriptor goes to git, and the mark ends with git's last process."""
        with quarantine.shared_lock(self.path(app_id)) as descriptor:
            yield descriptor

    def _trees(self, app_id: int) -> Path:
        return self.folder / f"{app_id:d}.trees"

    def _make(self, repository: Path) -> None:
        """Under another name, then renamed: a repository is whole or not there."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = self._aside(int(repository.stem), "new")
        git.run(["git", "init", "--quiet", "--bare", "--template=", "--initial-branch=main", str(fresh)])
        write_durably(fresh / "config", self._config)
        fsync_path(fresh / "HEAD")
        try:
            fresh.rename(repository)
        except OSError:
            shutil.rmtree(fresh)
            if not repository.exists():  # else another was faster, and made the same
                raise
        fsync_path(self.folder)

    def _aside(self, app_id: int, why: str) -> Path:
        return self.folder / f".{app_id:d}-{why}-{secrets.token_hex(6)}"


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.read_bytes() == content
    except FileNotFoundError:
        return False
