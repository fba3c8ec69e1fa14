"""Files that are there whole, or not at all, whatever ends the writer."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def write_whole(path: Path, content: bytes, mode: int, owner: int | None = None) -> None:
    """In the place of an older one, on disk when this returns, and never open to others for a moment. `owner`: whose it is,
    when not ours. Raises OSError.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")  # pids are equal in several containers
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
        os.fchmod(file.fileno(), mode)
        if owner is not None and owner != os.geteuid():
            os.fchown(file.fileno(), owner, -1)
    draft.replace(path)
