"""Which stack images are in use: one small file of the data folder, and what it replaced."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

NAME = "stack.json"


@dataclass(frozen=True, slots=True)
class StackRecord:
    """Digests. `wanted` names the settings that it answers; `before`: (build, run) that builds under way may still use,
    empty strings where there were none.
    """

    wanted: str
    build: str
    run: str
    before: tuple[str, str] = ("", "")

    @classmethod
    def read(cls, folder: Path) -> StackRecord | None:
        """None where there is none, or what is there says nothing."""
        try:
            found = json.loads((folder / NAME).read_bytes())
            build, run = found.get("before") or ("", "")
            return cls(str(found["wanted"]), str(found["build"]), str(found["run"]), (str(build), str(run)))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def write(self, folder: Path) -> None:
        """Whole or not at all, and durable. Raises OSError."""
        draft = folder / f"{NAME}.{os.getpid()}"
        with draft.open("w") as file:
            json.dump(asdict(self), file)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(folder / NAME)
