"""Text files compressed ahead, so that nothing is compressed while it is asked for."""

from __future__ import annotations

import gzip
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

LEAST_BYTES = 1024
_TEXT = {
    *(".atom", ".cjs", ".css", ".csv", ".eot", ".geojson", ".htm", ".html", ".ico", ".js", ".json", ".jsonld", ".map"),
    *(".md", ".mjs", ".otf", ".rss", ".svg", ".ttf", ".txt", ".vtt", ".wasm", ".webmanifest", ".xhtml", ".xml"),
    *(".yaml", ".yml"),
}


def squeeze(root: Path) -> tuple[int, int, str]:
    """Writes name.gz beside every text file that has none yet. How many files there are, how many were compressed, and
    a digest of all files and their names.
    """
    count = squeezed = 0
    digest = hashlib.sha256()
    for file in _files(root):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(root)}\0{len(content)}\0".encode("utf-8", "surrogateescape"))
        digest.update(content)
        count += 1
        packed = file.with_name(f"{file.name}.gz")
        if file.suffix.lower() not in _TEXT or len(content) < LEAST_BYTES or os.path.lexists(packed):
            continue
        made = gzip.compress(content, 6, mtime=0)
        if len(made) < len(content):
            packed.write_bytes(made)
            squeezed += 1
    return count, squeezed, digest.hexdigest()[:16]


def _files(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name == ".well-known" or not name.startswith("."))
        for name in sorted(files):
            path = Path(folder, name)
            if path.is_file() and (not path.is_symlink() or path.resolve().is_relative_to(root.resolve())):
                yield path
