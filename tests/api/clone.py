"""A user's repository that pushes to a house with a real git."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.api.house import House


class Clone:
    """A user's repository, whose git knows the token by a credential helper of its own."""

    def __init__(self, house: House, folder: Path, app: str, by: str = "owner") -> None:
        self.folder, self.name = folder, app
        folder.mkdir()
        self.git("init", "-q", "-b", "main")
        store = folder / ".git" / "token"
        store.write_text(f"http://any:{house.token(by)}@localhost:{house.port}\n")
        self.git("config", f"credential.{house.url}.helper", f"store --file={store}")
        self.git("remote", "add", "wherry", f"{house.url}/{app}.git")

    def git(self, *args: str) -> subprocess.CompletedProcess[str]:
        names = {f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        env = {"PATH": "/usr/bin:/bin", "HOME": str(self.folder), "GIT_TERMINAL_PROMPT": "0", **names}
        return subprocess.run(
            ["git", *args], cwd=self.folder, env=env, capture_output=True, text=True, timeout=60, check=False
        )

    def commit(self, **files: str) -> str:
        for name, content in files.items():
            (self.folder / name).write_text(content)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "A change")
        return self.git("rev-parse", "HEAD").stdout.strip()

    def push(self, *refs: str) -> tuple[int, str]:
        done = self.git("push", "wherry", *(refs or ("main",)))
        return done.returncode, done.stderr
