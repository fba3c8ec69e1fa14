"""M2: a first build, and one whose dependencies changed, from the source to an image that the registry serves.

    .venv/bin/python bench/cold.py [python] [nodejs]

Prints the limit of the same run: the same packages by `pip install` or `npm install` alone on this machine, with an empty
cache and with a filled one, and a hash pass over what they leave. The first build also fetches uv, or Node.js itself.
Peer: `docker build` of the same, and pushed. Needs root, Docker, docker-registry and package indexes.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]

from wherry.builds import operator_env  # noqa: E402
from wherry.builds.builder import LifecycleBuilder  # noqa: E402
from wherry.builds.ground import BUNDLE  # noqa: E402
from wherry.builds.stacks import Stack, Stacks  # noqa: E402
from wherry.domain.image import Image  # noqa: E402
from wherry.domain.model import Source  # noqa: E402
from wherry.flow.ports import BuildRequest, Cancel  # noqa: E402
from wherry.images.registry import Registry  # noqa: E402
from wherry.runtimes.machine.pull import Registry as Pulls  # noqa: E402
from wherry.runtimes.machine.sandbox import MachineSandbox  # noqa: E402
from wherry.settings import Settings  # noqa: E402

from tests.images.servers import running_registry  # noqa: E402

ROUNDS = 3
ENGINE = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
Files = Mapping[str, str]


@dataclass(frozen=True)
class Language:
    """`alone`: commands in a folder of the app's files, %s being the cache. `docker`: what a Dockerfile does with them."""

    before: Files
    after: Files
    alone: tuple[tuple[str, ...], ...]
    docker: str

    @property
    def missing(self) -> str:
        return next((argv[0] for argv in self.alone if "/" not in argv[0] and not shutil.which(argv[0])), "")


def _python(*more: str) -> Files:
    return {"requirements.txt": "\n".join(("flask==3.1.3", "sqlalchemy==2.0.44", *more)), "Procfile": "web: sleep 9\n"}


def _nodejs(**more: str) -> Files:
    package = {"name": "bench", "private": True, "dependencies": {"express": "5.1.0", "lodash": "4.17.21", **more}}
    return {"package.json": json.dumps(package), "Procfile": "web: sleep 9\n"}


LANGUAGES = {
    "python": Language(
        _python(),
        _python("requests==2.32.5"),
        (
            ("python3", "-m", "venv", "venv"),
            ("venv/bin/pip", "install", "-q", "--cache-dir=%s", "-r", "requirements.txt"),
        ),
        "RUN python3 -m venv /venv && /venv/bin/pip install -q -r requirements.txt",
    ),
    "nodejs": Language(
        _nodejs(),
        _nodejs(ms="2.1.3"),
        (("npm", "install", "--silent", "--no-audit", "--no-fund", "--omit=dev", "--cache=%s"),),
        "",
    ),
}


def main(names: list[str]) -> None:
    with tempfile.TemporaryDirectory(prefix="wherry-bench-") as name, running_registry(Path(name)) as url:
        bench = Bench(Path(name), Registry(url))
        try:
            bench.run(names)
        finally:
            bench.registry.close()


class Bench:
    def __init__(self, folder: Path, registry: Registry) -> None:
        self.folder, self.registry = folder, registry
        self.settings = Settings.load({"WHERRY_HOME": str(folder / "home")})
        sandbox = MachineSandbox(ENGINE, "bench", Pulls(registry.address), "", folder / "home/builds")
        self.stacks = Stacks(registry, folder / "home/stacks", self.settings)
        self.builder = LifecycleBuilder(sandbox, self.stacks, registry, self.settings)
        self.number = 0

    def run(self, names: list[str]) -> None:
        print("making the stack …", file=sys.stderr)
        stack = self.stacks.ensure(lambda line: print(line, file=sys.stderr))
        print(f"median of {ROUNDS}, s")
        print(f"{'':>8} {'':>8} {'wherry':>7} {'alone':>7} {'hash':>7} {'limit':>7} {'ratio':>6} {'docker build':>13}")
        for name in names:
            language = LANGUAGES[name]
            ours = self.wherry(language)
            alone = None if language.missing else self.alone(language)
            peer = self.docker(language, stack) if language.docker else ("no image", "no image")
            for row, what in enumerate(("first", "changed")):
                limit = "".join(f"{'missing':>8}" for _ in range(4))
                if alone:
                    install, hashed = alone[row]
                    whole = install + hashed
                    limit = f" {install:>7.2f} {hashed:>7.3f} {whole:>7.2f} {ours[row] / whole:>6.2f}"
                print(f"{name:>8} {what:>8} {ours[row]:>7.2f}{limit} {peer[row]:>13}", flush=True)
        print(
            "peers missing here: lifecycle, pack; docker build where it says no image (none with Node.js to be pulled)"
        )

    # -- ours

    def wherry(self, language: Language) -> tuple[float, float]:
        first, changed = [], []
        for _ in range(ROUNDS):
            self.number += 1
            app_id = self.number
            image, taken = self.build(app_id, language.before, None)
            first.append(taken)
            _, taken = self.build(app_id, language.after, image)
            changed.append(taken)
            self.builder.forget(app_id)
        return statistics.median(first), statistics.median(changed)

    def build(self, app_id: int, files: Files, previous: Image | None) -> tuple[Image, float]:
        self.builder.prepare()  # as an idle worker does
        self.number += 1
        archive = self.folder / f"source-{self.number}.tar"
        app = self.write(files)
        with tarfile.open(archive, "w") as tar:
            for path in sorted(app.iterdir()):
                tar.add(path, path.name)
        source = Source(f"{self.number:040x}", f"{self.number:040x}", str(archive))
        request = BuildRequest(app_id, "bench", self.number, 1, source, {}, previous)
        said: list[str] = []
        started = time.perf_counter()
        try:
            return self.builder.build(request, said.append, Cancel()), time.perf_counter() - started
        except Exception:
            print("\n".join(said[-30:]), file=sys.stderr)
            raise

    def write(self, files: Files) -> Path:
        app = Path(tempfile.mkdtemp(dir=self.folder))
        for name, text in files.items():
            (app / name).write_text(text)
        return app

    # -- the limit

    def alone(self, language: Language) -> list[tuple[float, float]]:
        """(install, hash) for a first installation and, with its cache, for a changed one: each into an empty folder, as
        ours.
        """
        rows: list[list[tuple[float, float]]] = [[], []]
        for _ in range(ROUNDS):
            cache = tempfile.mkdtemp(dir=self.folder)
            for row, files in zip(rows, (language.before, language.after), strict=True):
                app = self.write(files)
                taken = timed(lambda app=app, cache=cache: install(app, language, cache))
                row.append((taken, timed(lambda app=app: hash_pass(app))))
                shutil.rmtree(app)
        return [(statistics.median(i for i, _ in row), statistics.median(h for _, h in row)) for row in rows]

    # -- the peer

    def docker(self, language: Language, stack: Stack) -> tuple[str, str]:
        """With the packages in a layer of their own, as one writes it by hand; pushed. No cache at first, then its own."""
        name = f"{self.registry.address}/peer:latest"
        results = []
        for files, more in ((language.before, ["--no-cache"]), (language.after, [])):
            app = self.write(files)
            (app / "Dockerfile").write_text(self.dockerfile(app, language, stack))
            started = time.perf_counter()
            for argv in (["docker", "build", "-q", *more, "-t", name, str(app)], ["docker", "push", "-q", name]):
                done = subprocess.run(argv, check=False, capture_output=True)
                if done.returncode:
                    print(done.stderr[-500:].decode("utf-8", "replace"), file=sys.stderr)
                    return "failed", "failed"
            results.append(f"{time.perf_counter() - started:.2f}")
        subprocess.run(["docker", "rmi", "-f", name], check=False, capture_output=True)
        return results[0], results[1]

    def dockerfile(self, app: Path, language: Language, stack: Stack) -> str:
        """With the indexes, proxies and certificates that our builds have."""
        lines = [f"FROM {stack.build_ref}", "USER root", "WORKDIR /workspace"]
        bundle = operator_env.bundle_of_host(os.environ)
        if bundle:
            shutil.copyfile(bundle, app / "ca-certificates.crt")
            lines.append(f"COPY ca-certificates.crt {BUNDLE}")
        changes = operator_env.operator_changes(
            os.environ, operator_env.pip_files(os.environ), BUNDLE if bundle else "", operator_env.npm_files(os.environ)
        )
        lines += [f"ARG {each.name}={json.dumps(each.value)}" for each in changes]
        lines += [f"ARG {name}={value}" for name, value in operator_env.proxies(os.environ).items()]
        return "\n".join([*lines, "COPY requirements.txt ./", language.docker, "COPY Procfile ./"]) + "\n"


def install(app: Path, language: Language, cache: str) -> None:
    for argv in language.alone:
        subprocess.run([word.replace("%s", cache) for word in argv], cwd=app, check=True, capture_output=True)


def hash_pass(folder: Path) -> None:
    hashed = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            hashed.update(path.read_bytes())


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main(sys.argv[1:] or list(LANGUAGES))
