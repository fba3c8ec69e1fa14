"""M1: a code-only change, from its source to an image that the registry serves.

    .venv/bin/python bench/rebuild.py [MEGABYTES...]

The dependencies are a layer of so many MB in files of 64 kB; the median of the rebuilds should be the same for every
size. Prints the limit (tar and hash of the changed files, 2 fsync, 4 calls to the registry, in the same run) and the
same change by `docker build` with the dependencies cached, and pushed; and by `crane append`, which only puts a tar of the
app onto the image. "least": of the same rounds, for a machine that has other work. Needs root, Docker and docker-registry.
To have crane: go install github.com/google/go-containerregistry/cmd/crane@latest
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]

from wherry.builds.builder import LifecycleBuilder  # noqa: E402
from wherry.builds.stacks import Stacks  # noqa: E402
from wherry.domain.image import Image  # noqa: E402
from wherry.domain.model import Source  # noqa: E402
from wherry.flow.ports import BuildRequest, Cancel  # noqa: E402
from wherry.images.registry import Registry  # noqa: E402
from wherry.runtimes.machine.pull import Registry as Pulls  # noqa: E402
from wherry.runtimes.machine.sandbox import MachineSandbox  # noqa: E402
from wherry.settings import Settings, root_folder  # noqa: E402

from tests.images.servers import running_registry  # noqa: E402

ROUNDS = 7
ENGINE = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
BUILD = """#!/bin/sh
set -eu
layer=$1/ballast
if [ ! -d "$layer" ]; then
  mkdir "$layer"
  i=0
  while [ $i -lt $(($(cat ballast) * 16)) ]; do head -c 65536 /dev/urandom >"$layer/$i"; i=$((i + 1)); done
fi
printf '[types]\\nlaunch = true\\ncache = true\\n' >"$layer.toml"
"""


def main(sizes: list[int]) -> None:
    with tempfile.TemporaryDirectory(prefix="wherry-bench-") as name, running_registry(Path(name)) as url:
        yard = Bench(Path(name), Registry(url))
        try:
            yard.run(sizes)
        finally:
            yard.registry.close()


class Bench:
    def __init__(self, folder: Path, registry: Registry) -> None:
        self.folder, self.registry = folder, registry
        settings = Settings.load({"WHERRY_HOME": str(folder / "home")})
        pulls = Pulls(registry.address)
        sandbox = MachineSandbox(ENGINE, "bench", pulls, "", folder / "home/builds")
        self.stacks = Stacks(registry, folder / "home/stacks", settings)
        self.builder = LifecycleBuilder(sandbox, self.stacks, registry, settings, buildpacks_with(folder))
        self.number = 0

    def run(self, sizes: list[int]) -> None:
        print("making the stack …", file=sys.stderr)
        stack = self.stacks.ensure(lambda line: print(line, file=sys.stderr))
        print(f"code-only rebuild, median of {ROUNDS}, ms")
        print(f"{'dependencies':>14} {'first build':>12} {'wherry':>8} {'limit':>8} {'ratio':>6}", end="")
        print(f" {'least':>7} {'limit':>7} {'docker build':>13} {'BuildKit':>9} {'crane append':>13}")
        for size in sizes:
            app = self.folder / f"app-{size}"
            app.mkdir()
            (app / "ballast").write_text(str(size))
            (app / "Procfile").write_text("web: sleep 1000\n")
            image, first = self.build(app, size, None)
            ours = []
            for _ in range(ROUNDS):
                self.builder.prepare()  # as an idle worker does
                image, taken = self.build(app, size, image)
                ours.append(taken)
            bare = times(lambda app=app: raw(app, self.registry.address, self.change(app)))
            limit = statistics.median(bare)
            classic = self.docker(app, size, stack.run_ref, "0")
            kit = self.docker(app, size, stack.run_ref, "1")
            crane = self.crane(app, image)
            row = f"{size:>11} MB {first * 1000:>12.0f} {statistics.median(ours) * 1000:>8.0f} {limit * 1000:>8.1f}"
            row += f" {statistics.median(ours) / limit:>6.1f} {min(ours) * 1000:>7.0f} {min(bare) * 1000:>7.1f}"
            print(f"{row} {classic:>13} {kit:>9} {crane:>13}", flush=True)
        print("peers not tried: buildah, pack")

    def change(self, app: Path) -> None:
        self.number += 1
        (app / "code.py").write_text(f"print({self.number})\n" * 2000)

    def build(self, app: Path, app_id: int, previous: Image | None) -> tuple[Image, float]:
        self.change(app)
        archive = self.folder / f"source-{self.number}.tar"
        with tarfile.open(archive, "w") as tar:
            for path in sorted(app.iterdir()):
                tar.add(path, path.name)
        source = Source(f"{self.number:040x}", f"{self.number:040x}", str(archive))
        request = BuildRequest(app_id, "bench", self.number, 1, source, {}, previous)
        started = time.perf_counter()
        image = self.builder.build(request, lambda line: None, Cancel())
        return image, time.perf_counter() - started

    def docker(self, app: Path, size: int, base: str, buildkit: str) -> str:
        """The dependencies in a layer of their own below the code, as one writes it by hand; pushed."""
        with deps(self.folder, size) as context:
            (context / "Dockerfile").write_text(f"FROM {base}\nCOPY deps /deps\nCOPY app /workspace\n")
            shutil.copytree(app, context / "app")
            name = f"{self.registry.address}/peer-{buildkit}:{size}"
            env = {**os.environ, "DOCKER_BUILDKIT": buildkit}

            def once() -> None:
                self.change(context / "app")
                for argv in (["docker", "build", "-q", "-t", name, str(context)], ["docker", "push", "-q", name]):
                    subprocess.run(argv, check=True, capture_output=True, env=env)

            try:
                once()
                return f"{median(once, 3) * 1000:.0f}"
            except subprocess.CalledProcessError:
                return "missing"
            finally:
                subprocess.run(["docker", "rmi", "-f", name], check=False, capture_output=True)

    def crane(self, app: Path, image: Image) -> str:
        program = shutil.which("crane")
        if program is None:
            return "missing"
        name, layer = f"{self.registry.address}/{image.repository}", self.folder / "layer.tar"

        def once() -> None:
            self.change(app)
            with tarfile.open(layer, "w") as tar:
                tar.add(app, "workspace")
            argv = [
                program,
                "append",
                "--insecure",
                "-b",
                f"{name}@{image.digest}",
                "-f",
                str(layer),
                "-t",
                f"{name}:peer",
            ]
            subprocess.run(argv, check=True, capture_output=True)

        return f"{median(once) * 1000:.0f}"


def buildpacks_with(folder: Path) -> Path:
    packs = folder / "buildpacks"
    shutil.copytree(root_folder() / "buildpacks/procfile", packs / "procfile")
    (packs / "ballast/bin").mkdir(parents=True)
    (packs / "ballast/buildpack.toml").write_text('api = "0.10"\n[buildpack]\nid = "bench/ballast"\nversion = "1"\n')
    for name, text in (("detect", "#!/bin/sh\n"), ("build", BUILD)):
        (packs / "ballast/bin" / name).write_text(text)
        (packs / "ballast/bin" / name).chmod(0o755)
    group = '[[order]]\n[[order.group]]\nid = "bench/ballast"\n[[order.group]]\nid = "wherry/procfile"\n'
    (packs / "order.toml").write_text(group)
    return packs


@contextmanager
def deps(folder: Path, size: int) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=folder) as name:
        context = Path(name)
        (context / "deps").mkdir()
        for number in range(size * 16):
            (context / "deps" / str(number)).write_bytes(os.urandom(65536))
        yield context


def raw(app: Path, address: str, _changed: None) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path in sorted(app.iterdir()):
            tar.add(path, path.name)
    hashlib.sha256(buffer.getvalue()).hexdigest()
    for number in range(2):
        with (app.parent / f"raw-{number}").open("wb") as file:
            file.write(buffer.getvalue())
            file.flush()
            os.fsync(file.fileno())
    for _ in range(4):
        urllib.request.urlopen(f"http://{address}/v2/").close()


def median(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    return statistics.median(times(work, rounds))


def times(work: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return taken


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [1, 32, 256, 1024])
