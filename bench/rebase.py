"""M3: N apps onto a new base.

    .venv/bin/python bench/rebase.py [APPS...]

Prints, for each number of apps, how long it takes in the registry alone and with the releases written; the limit (three
registry round trips an app at the round trip of this run, 16 in flight) and what a bare client needs for as many round
trips on these cores; and one image size against another. Peers, one app after another: `crane rebase`, `lifecycle
rebaser`. Needs docker-registry. To have the peers: go install github.com/google/go-containerregistry/cmd/crane@latest
and github.com/buildpacks/lifecycle/cmd/lifecycle@latest.
"""

from __future__ import annotations

import dataclasses
import http.client
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]

from wherry.builds.export import export  # noqa: E402
from wherry.builds.rebase import StackBases  # noqa: E402
from wherry.domain.image import Image  # noqa: E402
from wherry.domain.model import App  # noqa: E402
from wherry.flow.draft import Draft, append  # noqa: E402
from wherry.flow.rebase import Rebase  # noqa: E402
from wherry.images.manifest import Document  # noqa: E402
from wherry.images.registry import Registry  # noqa: E402
from wherry.images.stored import push_layer, read_image  # noqa: E402
from wherry.ledger.ledger import SqlLedger  # noqa: E402
from wherry.wiring.parts import SystemClock  # noqa: E402

from tests.builds.finished import finished_build, request  # noqa: E402
from tests.builds.rebase_kit import bases_of, stack  # noqa: E402
from tests.images.servers import running_registry  # noqa: E402

IN_FLIGHT = 16
ROUND_TRIPS = 3
LARGE_MB = 256
PEER_APPS = 20


def main(counts: list[int]) -> None:
    with tempfile.TemporaryDirectory(prefix="wherry-bench-") as name, running_registry(Path(name)) as url:
        bench = Bench(Path(name), Registry(url))
        try:
            bench.run(counts)
        finally:
            bench.registry.close()


class Bench:
    def __init__(self, folder: Path, registry: Registry) -> None:
        self.folder, self.registry = folder, registry
        self.base = stack(registry, folder, "base 0")
        self.bases = 0
        self.images = {size: self._image(size) for size in (1, LARGE_MB)}

    def run(self, counts: Sequence[int]) -> None:
        trip = self.round_trip()
        print(f"a round trip (HEAD of a manifest, bare client, alone): {trip * 1000:.2f} ms; in flight: {IN_FLIGHT}")
        print(f"{'apps':>6} {'image':>8} {'registry':>9} {'apps/s':>7} {'limit':>8} {'ratio':>6}", end="")
        print(f" {'bare client':>12} {'ratio':>6} {'with releases':>14} {'layer bytes':>12}")
        for size, apps in [*((1, count) for count in counts), (LARGE_MB, counts[-1])]:
            images = self.spread(self.images[size], apps)
            sent = self.layer_bytes()
            taken = self.rebase_all(images)
            moved = self.layer_bytes() - sent
            limit = ROUND_TRIPS * apps * trip / IN_FLIGHT
            bare = self.bare(ROUND_TRIPS * apps)
            whole = self.with_releases(images)
            row = f"{apps:>6} {size:>5} MB {taken:>7.2f} s {apps / taken:>7.0f} {limit:>6.3f} s {taken / limit:>6.1f}"
            print(f"{row} {bare:>10.2f} s {taken / bare:>6.1f} {whole:>12.2f} s {moved:>12}", flush=True)
        self.peers()

    # -- ours

    def rebase_all(self, images: Sequence[Image]) -> float:
        bases = self.newer()
        bases.rebase(images[0])  # the base itself is read once
        started = time.perf_counter()
        with ThreadPoolExecutor(IN_FLIGHT) as pool:
            done = list(pool.map(bases.rebase, images))
        taken = time.perf_counter() - started
        assert all(one.image != other for one, other in zip(done, images, strict=True))
        return taken

    def with_releases(self, images: Sequence[Image]) -> float:
        """The whole story of each app on a ledger that is durable: SQLite, as a platform has it."""
        with tempfile.TemporaryDirectory(dir=self.folder) as name:
            ledger = SqlLedger(f"sqlite:///{name}/ledger.db", bytes(32), Path(name), lease_seconds=15)
            ledger.migrate()
            clock = SystemClock()
            apps: list[App] = []
            with ledger.begin() as tx:
                actor = tx.accounts.ensure("bench@example.org", admin=False)
                for number, image in enumerate(images):
                    app = tx.apps.add(f"bench-{number}", actor, clock.now())
                    append(tx, Draft(app, actor, "Deploy", image, {}), clock.now())
                    apps.append(app)
            story = Rebase(ledger, self.newer(), clock)
            story.run(actor, apps[0])
            started = time.perf_counter()
            with ThreadPoolExecutor(IN_FLIGHT) as pool:
                assert all(each.release for each in pool.map(lambda app: story.run(actor, app), apps[1:]))
            taken = time.perf_counter() - started
            ledger.close()
            return taken

    def newer(self) -> StackBases:
        self.bases += 1
        return bases_of(stack(self.registry, self.folder, f"base {self.bases}"), self.registry, self.folder)

    # -- what is rebased

    def _image(self, megabytes: int) -> Image:
        work = self.folder / f"app-{megabytes}"
        built = finished_build(work)
        (built.app / "ballast").write_bytes(os.urandom(megabytes * 1_000_000))
        return export(
            built,
            self.base,
            self.registry,
            f"sample/{megabytes}",
            None,
            self.folder / "caches",
            request(),
            lambda _: None,
        )

    def spread(self, image: Image, apps: int) -> list[Image]:
        """The same image in a repository of each app."""
        stored = read_image(self.registry, image.repository, image.digest)
        manifest = self.registry.manifest(image.repository, image.digest)
        config = Document("", self.registry.blob(image.repository, str(manifest.value()["config"]["digest"])))

        def one(number: int) -> Image:
            repository = f"apps/{image.repository.partition('/')[2]}-{number}"
            for layer in stored.layers:
                push_layer(self.registry, repository, layer, [image.repository])
            self.registry.put_blob(repository, config.digest, config.body)
            self.registry.put_manifest(repository, manifest)
            return dataclasses.replace(image, repository=repository)

        with ThreadPoolExecutor(IN_FLIGHT) as pool:
            return list(pool.map(one, range(apps)))

    def layer_bytes(self) -> int:
        """On the registry's disk, without the documents of images, which are small."""
        files = (self.folder / "data/docker/registry/v2/blobs").rglob("data")
        sizes = (each.stat().st_size for each in files)
        return sum(size for size in sizes if size > 16_384)

    # -- the limit

    def round_trip(self) -> float:
        times = []
        with self._client() as client:
            for _ in range(300):
                started = time.perf_counter()
                client.ask()
                times.append(time.perf_counter() - started)
        return statistics.median(times)

    def bare(self, requests: int) -> float:
        """So many of the cheapest requests with as many in flight, and nothing else."""
        left = iter(range(requests))
        lock = threading.Lock()

        def ask(_: int) -> None:
            with self._client() as client:
                while True:
                    with lock:
                        if next(left, None) is None:
                            return
                    client.ask()

        started = time.perf_counter()
        with ThreadPoolExecutor(IN_FLIGHT) as pool:
            list(pool.map(ask, range(IN_FLIGHT)))
        return time.perf_counter() - started

    def _client(self) -> Client:
        return Client(self.registry.address, f"/v2/{self.base.run.repository}/manifests/{self.base.run.digest}")

    # -- peers

    def peers(self) -> None:
        images = self.spread(self.images[1], PEER_APPS)
        newer = stack(self.registry, self.folder, "base of peers")
        for name, argv in (("crane", self._crane(newer.run_ref)), ("lifecycle", self._lifecycle(newer.run_ref))):
            program = shutil.which(name)
            if program is None:
                print(f"peer missing here: {name}")
                continue
            started = time.perf_counter()
            for image in images:
                self.registry.put_manifest(
                    image.repository, self.registry.manifest(image.repository, image.digest), "latest"
                )
                done = subprocess.run(argv(program, image), capture_output=True, check=False, env=self._environ())
                if done.returncode:
                    print(f"peer {name} failed: {done.stderr[-300:].decode('utf-8', 'replace')}")
                    break
            else:
                each = (time.perf_counter() - started) / len(images)
                print(
                    f"peer {name} {argv.__doc__}, one after another: {1 / each:.0f} apps/s ({each * 1000:.0f} ms each)"
                )

    def _crane(self, new: str) -> Callable[[str, Image], list[str]]:
        def argv(program: str, image: Image) -> list[str]:
            """rebase"""
            name = f"{self.registry.address}/{image.repository}"
            old = ["--old_base", self.base.run_ref, "--new_base", new]
            return [program, "rebase", f"{name}@{image.digest}", *old, "--tag", f"{name}:rebased"]

        return argv

    def _lifecycle(self, new: str) -> Callable[[str, Image], list[str]]:
        def argv(program: str, image: Image) -> list[str]:
            """rebaser"""
            host = self.registry.address
            rebaser = self.folder / "rebaser"
            if not rebaser.exists():
                rebaser.symlink_to(program)
            options = [
                "-force",
                "-insecure-registry",
                host,
                "-run-image",
                new,
                "-report",
                str(self.folder / "report.toml"),
            ]
            return [str(rebaser), *options, f"{host}/{image.repository}:latest"]

        return argv

    def _environ(self) -> dict[str, str]:
        me = {"CNB_USER_ID": str(os.getuid()), "CNB_GROUP_ID": str(os.getgid()), "CNB_PLATFORM_API": "0.12"}
        return {**os.environ, **me}


class Client:
    """One connection that is kept."""

    def __init__(self, address: str, path: str) -> None:
        self._connection = http.client.HTTPConnection(address)
        self._path = path

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def ask(self) -> None:
        self._connection.request("HEAD", self._path, headers={"Accept": "application/vnd.oci.image.manifest.v1+json"})
        response = self._connection.getresponse()
        response.read()
        assert response.status == 200, response.status


if __name__ == "__main__":
    main([int(count) for count in sys.argv[1:]] or [50, 200, 800])
