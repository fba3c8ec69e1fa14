"""A26: the API of a real Kubernetes is away for a while, and comes back."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from wherry.domain.errors import PlatformFault
from wherry.domain.image import Image
from wherry.runtimes.cluster.client import Client
from wherry.runtimes.cluster.errands import ClusterRuntime
from wherry.runtimes.cluster.ground import Ground

from tests.cluster.cluster import Cluster
from tests.runtimes.machine_world import eventually, quiet, workload

pytestmark = [pytest.mark.engine, pytest.mark.cluster]


class Line:
    """A wire to the API that can be cut; `tries` are the times of connections while it is."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._server = socket.create_server(("127.0.0.1", 0))
        self._whole = True
        self._open: list[socket.socket] = []
        self.tries: list[float] = []
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._server.getsockname()[1])

    def cut(self) -> None:
        self._whole = False
        for each in self._open:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self._whole = True

    def close(self) -> None:
        self.cut()
        self._server.close()
        for each in self._open:
            each.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near = self._server.accept()[0]
                if not self._whole:
                    self.tries.append(time.monotonic())
                    near.close()
                    continue
                far = socket.create_connection(self._target)
                self._open += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=_pump, args=(one, other), daemon=True).start()


def _pump(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
        other.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def line(cluster: Cluster, tmp_path: Path) -> Iterator[Line]:
    found = yaml.safe_load(Path(cluster.kubeconfig).read_text())
    about = found["clusters"][0]["cluster"]
    host, _, port = about["server"].removeprefix("https://").partition(":")
    made = Line(host, int(port))
    about["server"], about["tls-server-name"] = f"https://127.0.0.1:{made.port}", host
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(found))
    yield made
    made.close()


def test_a26_a_deploy_waits_while_the_api_is_away_and_nobody_storms_it(
    line: Line, tmp_path: Path, cluster_ground: Ground, cluster_image: Image
) -> None:
    runtime = ClusterRuntime(Client(str(tmp_path / "kubeconfig")), cluster_ground)
    try:
        first = workload(cluster_image)
        runtime.start([first], quiet)
        line.cut()
        eventually(lambda: len(line.tries) > 1)
        with pytest.raises(PlatformFault, match="does not answer"):
            runtime.processes(1)
        said: list[str] = []
        deploy = threading.Thread(target=runtime.start, args=([replace(first, release=2)], said.append))
        deploy.start()
        eventually(lambda: "waiting for the cluster, which does not answer" in said)
        begun = time.monotonic()
        eventually(lambda: time.monotonic() > begun + 6)
        storm = [each for each in line.tries if each > begun]
        line.mend()
        deploy.join(60)
        assert [(each.release, each.name) for each in runtime.processes(1)][-1:] == [(2, "web.1")]
        assert len(storm) <= 2 * 6  # each try is repeated once, for a kept connection that was closed
    finally:
        runtime.close()
