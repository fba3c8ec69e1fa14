"""Archives that were uploaded and wait for their build: files of ours under random names, for a day at most."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from pathlib import Path

from wherry.domain.errors import InvalidInput, NotFound
from wherry.sources.faults import disk_faults
from wherry.sources.policy import MIB
from wherry.sources.stable import replacing, used_at

_TOKEN = re.compile(r"[0-9a-f]{32}")
_KEEP_SECONDS = 86_400.0


class UploadFolder:
    """An adapter of flow.ports.Uploads. `most`: bytes of one archive."""

    def __init__(self, folder: Path, most: int) -> None:
        self._folder = folder
        self._most = most

    def keep(self, token: str, chunks: Iterable[bytes]) -> None:
        with disk_faults("keep an upload"):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._forget_old()
            size = 0
            with replacing(self._path(token)) as file:
                for chunk in chunks:
                    size += len(chunk)
                    if size > self._most:
                        raise InvalidInput(f"the archive is larger than {self._most // MIB} MiB, the most there may be")
                    file.write(chunk)

    def path(self, token: str) -> Path:
        path = self._path(token)
        if not path.exists():
            raise NotFound("nothing was uploaded there, or it is older than a day", hint="Upload the archive first.")
        return path

    def remove(self, token: str) -> None:
        self._path(token).unlink(missing_ok=True)

    def _path(self, token: str) -> Path:
        if not _TOKEN.fullmatch(token):
            raise NotFound("no such upload")
        return self._folder / token

    def _forget_old(self) -> None:
        for path in self._folder.iterdir():
            if used_at(path) < time.time() - _KEEP_SECONDS:
                path.unlink(missing_ok=True)
