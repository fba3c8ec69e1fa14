"""What was fetched from elsewhere, kept by its digest in the home folder: a folder is there whole, or not at all."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from wherry.builds.disk import remove
from wherry.domain.errors import PlatformFault
from wherry.domain.text import printable

UNUSED_SECONDS = 30 * 24 * 3600.0
MOST_BYTES = 8 * 1024 * 1024 * 1024
IN_USE_SECONDS = 3600.0
"""What was used within this time may be under a build that runs."""
_DRAFT = ".draft-"
_DRAFT_SECONDS = 24 * 3600.0
_SIZE = ".size"


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
                size = _settle(fresh)
                (self.folder / f"{key}{_SIZE}").write_text(str(size), "ascii")
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
        """Drafts of killed workers, what nobody used for long, and what is too much, the longest unused first."""
        now = time.time()
        for each in self.folder.glob(f"{_DRAFT}*"):
            with suppress(FileNotFoundError):  # another build's, which has done with it
                if each.stat().st_mtime < now - _DRAFT_SECONDS:
                    remove(each)
        kept = 0
        for used, size, place in sorted(self._kept(), reverse=True):
            kept += size
            if used < now - UNUSED_SECONDS or (kept > MOST_BYTES and used < now - IN_USE_SECONDS):
                remove(place)
                place.with_name(place.name + _SIZE).unlink(missing_ok=True)

    def _kept(self) -> Iterator[tuple[float, int, Path]]:
        """When it was last used, its bytes, where it lies."""
        for file in self.folder.glob(f"*{_SIZE}"):
            place = file.with_name(file.name.removesuffix(_SIZE))
            try:
                found = (place.stat().st_mtime, int(file.read_text("ascii") or 0), place)
            except FileNotFoundError:
                continue  # another build's, which is about to be there, or was just removed
            yield found


def _settle(folder: Path) -> int:
    """To the disk before it has its name: after a power cut nothing half-written stands there for good. Its bytes."""
    size = 0
    for place, _, files in os.walk(folder):
        for name in (".", *files):
            path = Path(place, name)
            if not path.is_symlink():
                size += path.stat().st_size
                descriptor = os.open(path, os.O_RDONLY)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)
    return size
