"""Remembers layers, so that a folder that did not change costs its stats and no reading.

Two small records an entry, in one folder: a fingerprint of a folder's stats to a diffID, and a diffID to the blob that
this compressor made of it. Nothing here is needed: an unreadable record counts as none.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

from wherry.domain.errors import PlatformFault
from wherry.domain.text import printable
from wherry.images.entries import Tree
from wherry.images.layers import COMPRESSOR, Layer

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_MOST_RECORDS = 2000


@dataclass(frozen=True, slots=True)
class LayerCache:
    """The records of one app (so no app can hand another one a layer)."""

    folder: Path

    def known(self, seen: str) -> Layer | None:
        """The layer, without its blob, that was packed of a folder with the fingerprint `seen`; None: not known."""
        diff_id = self._read(f"tree-{seen}").get("diff_id")
        return self.of(diff_id) if isinstance(diff_id, str) else None

    def of(self, diff_id: str) -> Layer | None:
        """The layer of this diffID as it was packed or pulled last, without its blob."""
        record = self._read(f"blob-{_key(COMPRESSOR, diff_id)}")
        digest, size = record.get("digest"), record.get("size")
        if not (isinstance(digest, str) and DIGEST.fullmatch(digest) and isinstance(size, int)):
            return None
        return Layer(diff_id, digest, size)

    def remember(self, layer: Layer, seen: str = "") -> None:
        """`seen`: the folder's fingerprint from before it was packed. Raises PlatformFault when the disk fails."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._write(f"blob-{_key(COMPRESSOR, layer.diff_id)}", {"digest": layer.digest, "size": layer.size})
            if seen:
                self._write(f"tree-{seen}", {"diff_id": layer.diff_id})
            self._sweep()
        except OSError as error:
            raise PlatformFault(f"a layer cannot be remembered: {printable(str(error), 300)}") from error

    def notes(self, diff_id: str) -> dict[str, object]:
        """What `note` kept of the layer; nothing when it is not known."""
        return self._read(f"note-{_key(diff_id)}")

    def note(self, diff_id: str, notes: dict[str, object]) -> None:
        """Keeps what was found out about the layer's content. Raises PlatformFault when the disk fails."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._write(f"note-{_key(diff_id)}", notes)
        except OSError as error:
            raise PlatformFault(f"a layer cannot be remembered: {printable(str(error), 300)}") from error

    def _read(self, name: str) -> dict[str, object]:
        try:
            record = json.loads((self.folder / name).read_bytes())
        except (OSError, ValueError):
            return {}
        return record if isinstance(record, dict) else {}

    def _write(self, name: str, record: dict[str, object]) -> None:
        draft = self.folder / f".{name}.{os.getpid()}.{time.monotonic_ns()}"
        draft.write_text(json.dumps(record))
        draft.rename(self.folder / name)

    def _sweep(self) -> None:
        """Keeps the newest records only; each build writes a few."""
        records = sorted(self.folder.iterdir(), key=_written)
        for path in records[:-_MOST_RECORDS]:
            path.unlink(missing_ok=True)


def _written(path: Path) -> int:
    """When, in ns; 0 for a draft that another thread has renamed meanwhile."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def fingerprint(tree: Tree) -> str:
    """Changes whenever the layer of this folder may have. The tree has no `pick`. Raises as `Tree.entries`."""
    assert tree.pick is None, "two parts of a folder would have the same fingerprint"
    digest = hashlib.sha256(repr((tree.prefix, tree.owner, tree.group_writes)).encode())
    for look in tree.looks():
        digest.update(look.encode())
    return digest.hexdigest()


def _key(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
