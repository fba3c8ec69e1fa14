"""A33 on an engine of the test's own, in a network namespace of its own, so that it can be killed."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from docker import APIClient
from wherry.domain.workload import ProcessState
from wherry.runtimes.machine.pull import Registry
from wherry.runtimes.machine.runtime import MachineRuntime

from tests.runtimes.machine_world import eventually
from tests.runtimes.tiny import root_filesystem

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(
        os.geteuid() != 0 or not all(map(shutil.which, ("dockerd", "containerd", "unshare", "nsenter", "iptables"))),
        reason="needs root, dockerd, util-linux and iptables",
    ),
]
_START = """
import sys, urllib.request
from tests.runtimes.machine_world import quiet, workload
from tests.runtimes.test_engine_restart import runtime_at
from wherry.domain.image import Image

runtime = runtime_at(sys.argv[1])
asked = [workload(Image("apps/1", "sha256:0"), quantity=2), workload(Image("apps/1", "sha256:0"), "worker")]
runtime.start(asked, quiet)
for each in runtime.processes():
    if each.endpoint:
        url = f"http://{each.endpoint.address}:{each.endpoint.port}/"
        assert each.name.encode() in urllib.request.urlopen(url, timeout=30).read()
assert runtime.problems() == [], runtime.problems()
"""

_CONTAINERD = """
version = 2
root = "{folder}/containerd/root"
state = "{folder}/containerd/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "{folder}/containerd.sock"
"""


class Local(Registry):
    """Its one image is in the engine already."""

    def reference(self, repository: str, digest: str) -> str:
        return "tiny:latest"


def runtime_at(url: str) -> MachineRuntime:
    return MachineRuntime(url, "restarts", Local("127.0.0.1:1"))


class OwnEngine:
    """`url`: its socket. Networks and firewall live in the and mount namespaces of a process that only sleeps; containerd is a
    service of its own, as in Debian, so containers outlive a killed dockerd.
    """

    def __init__(self, folder: Path) -> None:
        self.url = f"unix://{folder}/engine.sock"
        self._folder = folder
        self._space = subprocess.Popen(["unshare", "-n", "-m", "sleep", "infinity"])
        self._engine: subprocess.Popen[bytes] | None = None
        self._log = (folder / "log").open("wb")
        self.inside("ip", "link", "set", "lo", "up")
        (folder / "containerd.toml").write_text(_CONTAINERD.format(folder=folder))
        self._containerd = self._spawn("containerd", "--config", f"{folder}/containerd.toml")
        eventually((folder / "containerd.sock").exists)

    def inside(self, *argv: str) -> None:
        enter = ["nsenter", "-t", str(self._space.pid), "-n", "-m", *argv]
        env = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
        done = subprocess.run(enter, capture_output=True, text=True, check=False, env=env)
        assert done.returncode == 0, done.stderr

    def start(self) -> None:
        folder = self._folder
        argv = ["dockerd", "--bridge", "none", "-H", self.url, "--containerd", f"{folder}/containerd.sock"]
        argv += ["--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec", "--pidfile", f"{folder}/pid"]
        self._engine = self._spawn(*argv)
        eventually(self._answers)

    def kill(self, number: signal.Signals) -> None:
        assert self._engine
        self._engine.send_signal(number)
        self._engine.wait(60)
        (self._folder / "pid").unlink(missing_ok=True)

    def close(self) -> None:
        if self._engine and self._engine.poll() is None:
            self.kill(signal.SIGTERM)
        for process in (self._containerd, self._space):
            process.terminate()
            process.wait(60)
        self._log.close()

    def _spawn(self, *argv: str) -> subprocess.Popen[bytes]:
        enter = ["nsenter", "-t", str(self._space.pid), "-n", "-m"]
        return subprocess.Popen([*enter, *argv], stdout=self._log, stderr=self._log)

    def _answers(self) -> bool:
        assert self._engine
        assert self._engine.poll() is None, (self._folder / "log").read_text()[-3000:]
        with socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(5)
            try:
                asking.connect(f"{self._folder}/engine.sock")
                asking.sendall(b"GET /_ping HTTP/1.0\r\nHost: engine\r\n\r\n")
                return b"200 OK" in asking.recv(100)
            except OSError:
                return False


@pytest.fixture
def own_engine(busybox: Path) -> Iterator[OwnEngine]:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # a container's user looks for its first program through these folders
        engine = OwnEngine(Path(folder))
        try:
            engine.start()
            _import_tiny(engine.url, busybox)
            yield engine
            runtime_at(engine.url).remove()
        finally:
            engine.close()


def crash_worker(url: str) -> None:
    api = APIClient(base_url=url, version="auto")
    for each in api.containers(filters={"label": "wherry.type=worker"}):
        if pid := api.inspect_container(each["Id"])["State"]["Pid"]:
            os.kill(pid, signal.SIGKILL)
    api.close()


def _import_tiny(url: str, busybox: Path) -> None:
    api = APIClient(base_url=url, version="auto")
    changes = ["USER 1001:1000", "WORKDIR /workspace", "ENV PATH=/cnb/process:/usr/bin:/bin"]
    api.import_image_from_data(root_filesystem(busybox), repository="tiny", tag="latest", changes=changes)
    api.close()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "stopped"])
def test_a33_after_the_engine_restarts_every_process_is_back_at_its_address(
    own_engine: OwnEngine, number: signal.Signals
) -> None:
    own_engine.inside(sys.executable, "-c", _START, own_engine.url)
    runtime = runtime_at(own_engine.url)
    before = runtime.processes()
    heard = threading.Event()
    watched = threading.Thread(target=runtime.watch, args=(lambda _: heard.set(),))
    watched.start()
    eventually(lambda: heard.wait(0.5) or crash_worker(own_engine.url))  # so it has begun to watch
    own_engine.kill(number)
    watched.join(60)
    assert not watched.is_alive()  # the engine is gone, and watch says so by returning
    own_engine.start()
    began = time.monotonic()
    eventually(lambda: [each.state for each in runtime.processes()] == [ProcessState.UP] * 3, 60)
    assert time.monotonic() - began < 60
    after = runtime.processes()
    assert [(each.name, each.endpoint) for each in after] == [(each.name, each.endpoint) for each in before]
    own_engine.inside(sys.executable, "-c", _START, own_engine.url)  # keeps them, and each answers
    assert [each.since for each in runtime.processes()] == [each.since for each in after]
    runtime.close()
