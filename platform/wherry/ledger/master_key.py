"""The file of the master key: 64 hex digits, readable by its owner only, kept apart from the database."""

from __future__ import annotations

import os
import re
import secrets
import stat
from pathlib import Path

from wherry.domain.errors import PlatformFault
from wherry.ledger.sealing import KEY_BYTES
from wherry.whole import fsync_path

_CONTENT = re.compile(rb"[0-9a-f]{%d}\n?" % (2 * KEY_BYTES))


def load_or_create_key(path: Path) -> bytes:
    """The 32 bytes of the key; a new one when there is no file, complete or not at all, also when two processes ask
    at once.

    Raises PlatformFault for a file that others may read, that is not ours, or that holds anything else.
    """
    try:
        try:
            return _read(path)
        except FileNotFoundError:
            _create(path)
            return _read(path)
    except OSError as error:
        raise PlatformFault("the master key cannot be read", evidence=[str(error)]) from error


def _read(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor, not a path
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
            raise PlatformFault(f"{path} is not a file of ours", hint=f"chown {os.geteuid()} {path}")
        if status.st_mode & 0o077:
            raise PlatformFault(f"others may read the master key {path}", hint=f"chmod 600 {path}")
        content = file.read(1024)
    if not _CONTENT.fullmatch(content):
        raise PlatformFault(f"{path} does not hold a master key", hint="Restore it from a backup.")
    return bytes.fromhex(content.decode("ascii"))


def _create(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor, not a path
            file.write(secrets.token_bytes(KEY_BYTES).hex().encode() + b"\n")
            file.flush()
            os.fsync(descriptor)
        try:
            os.link(draft, path)  # unlike a rename, never over another process's key
        except FileExistsError:
            return
        fsync_path(path.parent)
    finally:
        draft.unlink()
