"""The one folder of all state: its layout, and the secrets that its first use makes."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from wherry.domain.errors import PlatformFault
from wherry.domain.secret import Secret


@dataclass(frozen=True)
class Home:
    """Made by `prepare`; readable by its owner only, since repositories and the registry lie in it too."""

    folder: Path

    def prepare(self) -> None:
        """Raises PlatformFault when the folder cannot be made or is someone else's."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for name in (
                "run",
                "log",
                "secrets",
                "repos",
                "sources",
                "builds",
                "buildpacks",
                "caches",
                "stacks",
                "registry",
                "router",
                "logs",
            ):
                (self.folder / name).mkdir(exist_ok=True)
            self.folder.chmod(0o711)
            (self.folder / "secrets").chmod(0o700)
            (self.folder / "run").chmod(0o755)
        except OSError as error:
            raise PlatformFault(
                f"the data folder cannot be used: {error}", hint="Choose another: WHERRY_HOME=/some/folder wherry up"
            ) from error

    def secret(self, name: str) -> Secret:
        """The 256-bit secret `name`, made on its first use."""
        path = self.folder / "secrets" / name
        try:
            _write_once(path, secrets.token_urlsafe(32))
            return Secret(path.read_text().strip())
        except OSError as error:
            raise PlatformFault(
                f"{path} cannot be read: {error.strerror}", hint="Are you the platform's owner?"
            ) from error

    @property
    def platform(self) -> str:
        """A short random id: labels what this platform owns on an engine that it shares with others."""
        path = self.folder / "run" / "platform"
        _write_once(path, secrets.token_hex(4))
        return path.read_text().strip()


def _write_once(path: Path, text: str) -> None:
    """Whole or not at all, and never over an older one, whoever else tries at the same time."""
    if path.exists():
        return
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # another process was first, and its text counts
    finally:
        draft.unlink()
