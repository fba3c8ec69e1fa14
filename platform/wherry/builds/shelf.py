"""What was fetched from elsewhere, kept by its digest in the home folder: a folder is there whole, or not at all."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from wherry.builds.disk import remove
from wherry.domain.errors import PlatformFault
from wherry.domain.text import printable

UNUSED_SECONDS = 30 * 24 * 3600.0
_DRAFT = ".draft-"
_DRAFT_SECONDS = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Shelf:
    """Safe for builds at the same time: who comes second finds what the first one made."""

    folder: Path

    def get(self, key: str) -> Path | None:
        place = self.folder / key
        try:
            os.utime(place)
        except FileNotFoundError:
            return None
        return place

    def keep(self, key: str, fill: Callable[[Path], None]) -> Path:
        """The folder of that key; when there is none yet, `fill` is given an empty one to fill. Raises PlatformFault
        when the disk fails, and what `fill` raises.
        """
        if kept := self.get(key):
            return kept
        with self.draft() as draft:
            fresh = draft / "fresh"
            try:
                fresh.mkdir()
                fill(fresh)
                _settle(fresh)
                self._rename(fresh, self.folder / key)
                self._forget()
            except OSError as error:
                raise PlatformFault(f"a buildpack cannot be kept: {printable(str(error), 300)}") from error
        return self.folder / key

    @contextmanager
    def draft(self) -> Iterator[Path]:
        """A folder on the same disk, gone afterwards."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=_DRAFT, dir=self.folder))
        try:
            yield draft
        finally:
            remove(draft)

    def _rename(self, fresh: Path, place: Path) -> None:
        try:
            fresh.rename(place)
        except OSError:
            if not place.is_dir():
                raise

    def _forget(self) -> None:
        now = time.time()
        for each in self.folder.iterdir():
            longest = _DRAFT_SECONDS if each.name.startswith(_DRAFT) else UNUSED_SECONDS
            if each.stat().st_mtime < now - longest:
                remove(each)


def _settle(folder: Path) -> None:
    """To the disk before it has its name: after a power cut nothing half-written stands there for good."""
    for place, _, files in os.walk(folder):
        for name in (".", *files):
            path = Path(place, name)
            if not path.is_symlink():
                descriptor = os.open(path, os.O_RDONLY)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)
