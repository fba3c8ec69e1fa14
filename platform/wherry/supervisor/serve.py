"""One process of the platform as a container's own: what the supervisor would start, in the place of this process."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from wherry.domain.errors import InvalidInput, PlatformFault
from wherry.fittings.stores import migrate
from wherry.home import Home
from wherry.settings import Settings
from wherry.supervisor import ssh
from wherry.supervisor.account import open_account
from wherry.supervisor.registry_store import collect_garbage
from wherry.supervisor.service import Service
from wherry.supervisor.services import listens, service
from wherry.whole import write_whole

Say = Callable[[str], None]
_OF_ONE_MACHINE = ("run", "ssh")
_LARGEST = 64 * 1024


def serve(settings: Settings, home: Home, name: str, given: Path | None, say: Say) -> NoReturn:
    """Becomes the process `name`, which then gets every signal itself. `given`: as of `prepare`, for a process that has
    a data folder of its own.

    Raises PlatformFault when it cannot be started.
    """
    home.prepare()
    if given is not None:
        lay_secrets(given, home.folder / "secrets")
    found = _ssh(settings, home, name, say) if name in ssh.NAMES else service(settings, home, name)
    if name == "registry":
        collect_garbage(found.argv[0], settings.folder / "registry", say)
    os.chdir(found.cwd)
    try:
        os.execvpe(found.argv[0], list(found.argv), dict(found.env))  # noqa: S606 - argv of our own
    except OSError as error:
        raise PlatformFault(f"{name} cannot be started: {found.argv[0]}: {error.strerror}") from error


def prepare(settings: Settings, home: Home, given: Path | None, own: Path | None = None) -> None:
    """All that must be there before the first process: the data folder with the secrets that `given` (a mounted Secret)
    holds, the tables, the local admin. `own`: a folder of this machine alone, when the data folder is shared by several.

    Raises InvalidInput when the folder has another secret of that name, PlatformFault.
    """
    if own is not None:
        keep_apart(home.folder, own)
    home.prepare()
    if given is not None:
        lay_secrets(given, home.folder / "secrets")
        if (given / "platform").exists():
            _lay(home.folder / "run" / "platform", (given / "platform").read_bytes())
    migrate(settings)
    open_account(settings, home)


def keep_apart(folder: Path, own: Path) -> None:
    """What tells of this machine's own processes lies in `own`: every machine has that folder under the same path."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in _OF_ONE_MACHINE:
            (own / name).mkdir(mode=0o755, exist_ok=True)
            link = folder / name
            if link.is_symlink() and link.readlink() == own / name:
                continue
            if link.is_dir() and not link.is_symlink():
                shutil.rmtree(link)
            draft = folder / f".{name}.{os.getpid()}.{secrets.token_hex(4)}"
            draft.symlink_to(own / name)
            draft.replace(link)
    except OSError as error:
        raise PlatformFault(f"the data folder cannot be used: {error}") from error


def lay_secrets(given: Path, folder: Path) -> None:
    """Copies, since a mounted Secret's files belong to root and are read by a group, and a key is its owner's alone.

    Another value in the place of one that is there is refused: what it sealed could not be read any more.
    """
    try:
        wanted = {path.name: path.read_bytes() for path in sorted(given.iterdir()) if path.is_file()}
        for name, content in wanted.items():
            _lay(folder / name, content)
    except OSError as error:
        raise PlatformFault(f"the secrets of {given} cannot be laid out: {error}") from error


def _lay(path: Path, content: bytes) -> None:
    if len(content) > _LARGEST or not content.strip():
        raise InvalidInput(f"the secret {path.name} is empty or larger than {_LARGEST} bytes")
    content = content.strip() + b"\n"
    if path.exists():
        if path.read_bytes().strip() != content.strip():
            raise InvalidInput(
                f"the secret {path.name} is not the one that the data folder has been used with",
                hint=f"Give back the one that it was made with; it also lies in {path}",
            )
        return
    write_whole(path, content, 0o600)


def _ssh(settings: Settings, home: Home, name: str, say: Say) -> Service:
    said: list[str] = []
    for each in ssh.services(settings, home, listens, said.append):
        if each.name == name:
            say(said[-1])
            # In a container sshd may need the libraries that came beside it.
            return Service(each.name, each.argv, {**os.environ, **each.env}, each.cwd, each.ready)
    raise PlatformFault("git over SSH cannot be started", evidence=said)
