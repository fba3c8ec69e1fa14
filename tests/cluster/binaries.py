"""The cluster's programs, built from their Go modules once and kept outside the checkout.

The folder is $XDG_CACHE_HOME/wherry-tests/kube-HASH, where the hash is that of all sources and pinned versions. It appears
whole or not at all, and one build runs at a time. `python -m tests.cluster.binaries` builds and prints it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.cluster import toolchain
from tests.cluster.errors import ClusterFailed

SOURCE = Path(__file__).parent / "kube"
_KEPT = 3
# What lies where below the built folder. An empty name stands for each package's own.
_BUILDS = {
    "": [".", "./pause", "github.com/projectcontour/contour/cmd/contour", "helm.sh/helm/v3/cmd/helm"],
    "helm4": ["helm.sh/helm/v4/cmd/helm"],
}
_DEFINITIONS = {
    "sigs.k8s.io/gateway-api": "config/crd/standard/gateway.*.yaml",
    "github.com/projectcontour/contour": "examples/contour/01-crds.yaml",
}


def folder() -> Path:
    """With the programs kube, pause, contour, helm (version 3) and helm4. Builds them first: minutes with cold caches."""
    cache = _cache()
    cache.mkdir(parents=True, exist_ok=True)
    built = cache / f"kube-{_key()}"
    if not built.is_dir():
        with _alone(cache / "build.lock"):
            if not built.is_dir():  # else another built it while we waited
                _build(cache, built)
    os.utime(built)
    return built


def _build(cache: Path, built: Path) -> None:
    for abandoned in cache.glob(".building-*"):
        shutil.rmtree(abandoned, ignore_errors=True)
    program = toolchain.go(toolchain.needed(SOURCE / "go.mod"), cache)
    work = Path(tempfile.mkdtemp(prefix=".building-", dir=cache))
    try:
        environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "", "GOTOOLCHAIN": "local", "GOWORK": "off"}
        for name, packages in _BUILDS.items():
            argv = [
                program,
                "build",
                "-buildvcs=false",
                "-trimpath",
                "-ldflags",
                _ldflags(),
                "-o",
                f"{work}/{name}",
                *packages,
            ]
            done = subprocess.run(argv, cwd=SOURCE, env=environment, capture_output=True, text=True)
            if done.returncode:
                shown = " ".join(map(str, argv[:2] + argv[-len(packages) :]))
                raise ClusterFailed(
                    f"The cluster's programs could not be built; try `{shown}` in {SOURCE}:\n{done.stderr[-4000:]}"
                )
        _copy_definitions(program, environment, work / "definitions")
        work.chmod(0o755)
        work.rename(built)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    for old in sorted(cache.glob("kube-*"), key=lambda each: each.stat().st_mtime)[:-_KEPT]:
        shutil.rmtree(old, ignore_errors=True)


def _copy_definitions(program: Path, environment: dict[str, str], folder: Path) -> None:
    """The kinds of objects that contour reads, from the modules that it was built with."""
    folder.mkdir()
    for module, pattern in _DEFINITIONS.items():
        argv = [program, "list", "-m", "-f", "{{.Dir}}", module]
        done = subprocess.run(argv, cwd=SOURCE, env=environment, capture_output=True, text=True, check=True)
        for path in Path(done.stdout.strip()).glob(pattern):
            (folder / f"{module.rpartition('/')[2]}-{path.name}").write_bytes(path.read_bytes())


def _ldflags() -> str:
    found = re.search(r"k8s\.io/kubernetes (v(\d+)\.(\d+)\.\d+)", (SOURCE / "go.mod").read_text())
    assert found
    version, major, minor = found.groups()
    said = {"gitVersion": version, "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    return " ".join(["-s -w", *(f"-X k8s.io/component-base/version.{name}={each}" for name, each in said.items())])


def _key() -> str:
    digest = hashlib.sha256(platform.machine().encode())
    for path in sorted(path for path in SOURCE.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(SOURCE)} {path.stat().st_size}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wherry-tests"


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    started = time.monotonic()
    print(folder())
    print(f"ready after {time.monotonic() - started:.0f} s", file=sys.stderr)
