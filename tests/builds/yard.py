"""Real builds of the samples: our own buildpacks on the real stack, which is made once and kept between test runs."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import subprocess
import tarfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

from docker import APIClient
from wherry.builds.bills import ImageBills
from wherry.builds.builder import LifecycleBuilder
from wherry.builds.stacks import Stack
from wherry.domain.bill import Subject, whole
from wherry.domain.build_settings import DEFAULT, BuildSettings
from wherry.domain.image import Image
from wherry.domain.model import Source
from wherry.domain.secret import Secret
from wherry.flow.ports import BuildRequest, Cancel
from wherry.images.registry import Registry
from wherry.runtimes.machine.pull import Registry as Pulls
from wherry.runtimes.machine.sandbox import MachineSandbox
from wherry.settings import Settings
from wherry.sources.fetch import Trees

from tests.cyclonedx import valid, versions
from tests.ports import free_port
from tests.runtimes.tiny import ENGINE

SAMPLES = Path(__file__).resolve().parents[1] / "apps"
_IDS = count(1)


@contextlib.contextmanager
def kept_registry(folder: Path) -> Iterator[Registry]:
    """A registry on the port that it had last time, when that is free: what is made for it bears its address."""
    port = _port(folder / "port")
    config = folder / f"config-{port}.yml"  # another run of tests may have its registry beside, of the same folder
    config.write_text(
        "version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n"
        f"storage: {{filesystem: {{rootdirectory: '{folder}/data'}}}}\nhttp: {{addr: '127.0.0.1:{port}'}}\n"
    )
    with (folder / "log").open("w") as log:
        argv = ["docker-registry", "serve", str(config)]
        server = subprocess.Popen(argv, stdout=log, stderr=subprocess.STDOUT)
    registry = Registry(f"http://127.0.0.1:{port}")
    try:
        _await(port, server)
        yield registry
    finally:
        registry.close()
        server.terminate()
        server.wait(60)


def _port(file: Path) -> int:
    for wanted in (*([int(file.read_text())] if file.exists() else []), free_port()):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", wanted))
            file.write_text(str(wanted))
            return wanted
    raise AssertionError("no free port")


def _await(port: int, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and server.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise AssertionError("the registry did not start")


@dataclass
class Yard:
    """A builder as wiring makes it, with a home of its own; `said` are the lines of the last build."""

    home: Path
    registry: Registry
    stack: Stack
    platform: str
    engine: APIClient
    said: list[str] = field(default_factory=list)
    sources: str = ""
    builders: str = ""
    settings: BuildSettings = DEFAULT

    @property
    def builder(self) -> LifecycleBuilder:
        settings = replace(
            Settings.load({}), home=str(self.home), buildpack_sources=self.sources, builders=self.builders
        )
        pulls = Pulls(self.registry.address)
        sandbox = MachineSandbox(ENGINE, self.platform, pulls, "", self.home / "builds")
        return LifecycleBuilder(sandbox, self, self.registry, settings, trees=Trees())

    def ensure(self, say: object) -> Stack:
        return self.stack

    def known(self) -> Stack:
        return self.stack

    def request(
        self, app: Path, app_id: int = 1, previous: Image | None = None, attempt: int = 1, **config: str
    ) -> BuildRequest:
        number = next(_IDS)
        archive = self.home / f"source-{number}.tar"
        with tarfile.open(archive, "w") as tar:
            for path in sorted(app.rglob("*")):
                tar.add(path, arcname=str(path.relative_to(app)), recursive=False)
        values = {name: Secret(value) for name, value in config.items()}
        source = Source("f" * 40, "e" * 40, str(archive))
        return BuildRequest(app_id, "sample", number, attempt, source, values, previous, self.settings)

    def build(self, app: Path, app_id: int = 1, previous: Image | None = None, **config: str) -> Image:
        self.said.clear()
        request = self.request(app, app_id, previous, **config)
        return self.builder.build(request, self.said.append, Cancel())

    def bill(self, image: Image) -> dict[str, str]:
        """Names to versions, of the image's bill of materials, once it has passed its schema."""
        found = ImageBills(self.registry, self.home).of(image)
        assert not found.unread
        return versions(valid(whole(Subject("sample", "v1"), found, "test")))

    @contextlib.contextmanager
    def running(self, image: Image, *command: str, **env: str) -> Iterator[Running]:
        """A container of the image, as hard as the runtime makes it, and with a read-only root."""
        reference = self.registry.reference(image.repository, image.digest)
        self.engine.pull(reference)
        host = self.engine.create_host_config(
            read_only=True, tmpfs={"/tmp": ""}, cap_drop=["ALL"], security_opt=["no-new-privileges"]
        )
        made = self.engine.create_container(
            reference,
            command=list(command) or None,
            environment={"PORT": "5000", **env},
            host_config=host,
            labels={"wherry.platform": self.platform},
            name=f"wherry-test-{secrets.token_hex(4)}",
        )
        self.engine.start(made)
        try:
            yield Running(self.engine, made["Id"])
        finally:
            self.engine.remove_container(made, force=True)
            self.engine.remove_image(reference, force=True)


@dataclass
class Running:
    engine: APIClient
    id: str

    @property
    def address(self) -> str:
        networks = self.engine.inspect_container(self.id)["NetworkSettings"]["Networks"]
        return str(next(iter(networks.values()))["IPAddress"])

    def ask(self, path: str = "/", *options: str) -> str:
        """Head and body, once it listens."""
        argv = ["curl", "-si", "--retry", "50", "--retry-connrefused", "--retry-delay", "0", "--max-time", "20"]
        argv += [*options, f"http://{self.address}:5000{path}"]
        done = subprocess.run(argv, capture_output=True, text=True, env={"PATH": os.environ["PATH"]}, check=False)
        assert done.returncode == 0, done.stderr + self.logs()
        return done.stdout

    def stop(self) -> tuple[int, float]:
        """Exit code after SIGTERM, and the seconds that it took."""
        began = time.monotonic()
        self.engine.stop(self.id, timeout=10)
        return self.engine.wait(self.id)["StatusCode"], time.monotonic() - began

    def logs(self) -> str:
        return str(self.engine.logs(self.id).decode())
