"""A pusher's own repository, and the means to put anything into it that git can hold."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

IDENTITY = {
    "GIT_AUTHOR_NAME": "Ann",
    "GIT_AUTHOR_EMAIL": "ann@example.com",
    "GIT_COMMITTER_NAME": "Ann",
    "GIT_COMMITTER_EMAIL": "ann@example.com",
}


def clean_environment() -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_TERMINAL_PROMPT": "0",
        **IDENTITY,
    }


class Workshop:
    """In a new folder, or straight in a repository that exists."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if not folder.exists():
            folder.mkdir()
            self.git("init", "--quiet", "--initial-branch=main")
            self.git("config", "core.compression", "0")
            self.git("config", "core.bigFileThreshold", "64k")  # no search for likeness in noise

    def argv(self, *arguments: str) -> list[str]:
        return ["git", "-C", str(self.folder), *arguments]

    def git(self, *arguments: str, stdin: bytes = b"") -> str:
        return self.run(*arguments, stdin=stdin, check=True).stdout.decode().strip()

    def run(
        self, *arguments: str, stdin: bytes = b"", check: bool = False, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            self.argv(*arguments),
            input=stdin,
            capture_output=True,
            env={**clean_environment(), **(env or {})},
            check=check,
        )

    def push(self, url: str, *refs: str) -> tuple[int, str]:
        """(exit code, what the pusher reads)."""
        done = self.run("push", "--porcelain", url, *(refs or ("main",)))
        return done.returncode, (done.stderr + done.stdout).decode(errors="replace")

    def blob(self, content: bytes) -> str:
        return self.git("hash-object", "-w", "--stdin", stdin=content)

    def tree(self, entries: Mapping[str | bytes, bytes | tuple[str, str]]) -> str:
        """A tree of one level, written as git would never let one: name → content, or (mode, object id)."""
        raw = b""
        for name, value in entries.items():
            mode, object_id = ("100644", self.blob(value)) if isinstance(value, bytes) else value
            name = name.encode() if isinstance(name, str) else name
            raw += mode.lstrip("0").encode() + b" " + name + b"\0" + bytes.fromhex(object_id)
        return self.git("hash-object", "-w", "-t", "tree", "--literally", "--stdin", stdin=raw)

    def commit(self, tree: str, branch: str | None = "main", *parents: str) -> str:
        commit = self.git("commit-tree", tree, "-m", "a commit", *(f"-p{parent}" for parent in parents))
        if branch:
            self.git("update-ref", f"refs/heads/{branch}", commit)
        return commit

    def files(self, files: Mapping[str, bytes], branch: str | None = "main", *parents: str) -> str:
        """A commit of ordinary files, by path."""
        index = {"GIT_INDEX_FILE": str(self.folder / "index-of-files")}
        (self.folder / "index-of-files").unlink(missing_ok=True)
        listed = "".join(f"100644 {self.blob(content)}\t{path}\n" for path, content in files.items())
        self.run("update-index", "--add", "--index-info", stdin=listed.encode(), check=True, env=index)
        tree = self.run("write-tree", check=True, env=index).stdout.decode().strip()
        return self.commit(tree, branch, *parents)
