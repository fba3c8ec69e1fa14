"""Files that are there whole, or not at all, whatever ends the writer."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def write_whole(
    path: Path, content: bytes, mode: int = 0o600, owner: int | None = None, *, durable: bool = True
) -> None:
    """A reader sees the old file or the new one, and others see neither where `mode` keeps them out. `owner`: whose it is,
    when not ours. `durable`: it also survives a power cut from now on. Raises OSError.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")  # pids are equal in several containers
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fchmod(file.fileno(), mode)
        if owner is not None and owner != os.geteuid():
            os.fchown(file.fileno(), owner, -1)
        if durable:
            os.fsync(file.fileno())
    draft.replace(path)
    if durable:
        fsync_path(path.parent)


def fsync_path(path: Path) -> None:
    """What it holds survives a power cut from now on; of a folder: the names in it."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
