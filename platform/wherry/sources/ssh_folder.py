"""What sshd and its forced command read, in a folder that the user of SSH can enter. All of it is made anew at each start.

authorized_keys   a line a key; each may do one thing: run `serve` with the key's number
serve             the forced command (hook/serve)
door              port and secret of the process that `serve` talks to; for the user of SSH alone
sshd_config
"""

from __future__ import annotations

import fcntl
import json
import os
import pwd
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from wherry.domain.ssh_keys import UserKey
from wherry.sources.faults import disk_faults
from wherry.whole import write_whole


@dataclass(frozen=True, slots=True)
class SshAddress:
    """Where git over SSH answers; `fingerprint`: of its host key."""

    user: str
    port: int
    fingerprint: str

    @classmethod
    def read(cls, home: Path) -> SshAddress | None:
        """None while there is none."""
        try:
            return cls(**json.loads(_note(home).read_text()))
        except FileNotFoundError:
            return None

    def write(self, home: Path) -> None:
        write_whole(_note(home), json.dumps(asdict(self)).encode() + b"\n", 0o644)

    @classmethod
    def forget(cls, home: Path) -> None:
        _note(home).unlink(missing_ok=True)

    def url(self, host: str, app: str) -> str:
        return f"ssh://{self.user}@{host}:{self.port}/{app}.git"


@dataclass(frozen=True)
class SshFolder:
    path: Path

    @classmethod
    def of(cls, home: Path, platform: str) -> SshFolder:
        """As root, the user of SSH is another, who may not be able to enter our data folder."""
        return cls(Path("/run/wherry") / platform if os.geteuid() == 0 else home / "ssh")

    @property
    def keys(self) -> Path:
        return self.path / "authorized_keys"

    @property
    def config(self) -> Path:
        return self.path / "sshd_config"

    @property
    def door(self) -> Path:
        return self.path / "door"

    @property
    def serve(self) -> Path:
        return self.path / "serve"

    def make(self, serve: Path, config: str) -> None:
        """Raises PlatformFault."""
        with disk_faults("make the folder of sshd"):
            self.path.mkdir(mode=0o755, parents=True, exist_ok=True)
            self.path.chmod(0o755)
            write_whole(self.serve, serve.read_bytes(), 0o755)
            write_whole(self.config, config.encode(), 0o644)

    def refresh(self, keys: Sequence[UserKey]) -> None:
        """Without the folder there is no sshd to tell; it is told at its start."""
        if self.path.is_dir():
            self.rewrite(lambda: keys)

    def rewrite(self, keys: Callable[[], Sequence[UserKey]]) -> None:
        lines = (f'restrict,command="{self.serve} {each.id:d}" {each.key.line}\n' for each in keys())
        with disk_faults("write the keys for sshd"), self._alone():
            write_whole(self.keys, "".join(lines).encode("ascii"), 0o644)

    def open_door(self, port: int, user: str) -> str:
        """The secret that `serve` will prove itself by."""
        secret = secrets.token_hex(32)
        with disk_faults("write the door's secret"):
            owner = pwd.getpwnam(user)
            write_whole(self.door, f"{port} {secret}\n".encode(), 0o400, owner.pw_uid)
        return secret

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self.path / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _note(home: Path) -> Path:
    return home / "run" / "ssh.json"
