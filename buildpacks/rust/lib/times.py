"""Times of files, by which cargo tells whether a crate changed.

A push unpacks the app anew, and its files may bear any time. So the app's own files count as changed now: its crates are
surely compiled. Vendored crates are what their checksums say, and get one time for ever: they are not.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

_LONG_AGO = 315532801
"""1980-01-01T00:00:01Z"""


def settle(app: Path) -> None:
    now = time.time()
    _settle(app, now)


def _settle(folder: Path, when: float) -> None:
    with os.scandir(folder) as entries:
        found = list(entries)
    if any(entry.name == ".cargo-checksum.json" for entry in found):
        when = _LONG_AGO
    for entry in found:
        if entry.is_dir(follow_symlinks=False):
            if entry.name != ".git":
                _settle(Path(entry.path), when)
        else:
            os.utime(entry.path, (when, when), follow_symlinks=False)
    os.utime(folder, (when, when))
