"""A cluster that lives: what tests ask of it, and its end."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import requests

from tests.cluster import components, slots
from tests.cluster.enclosure import Enclosure, clean
from tests.cluster.errors import ClusterFailed, last_lines


class Cluster:
    def __init__(self, programs: Path, slot: slots.Slot, enclosure: Enclosure) -> None:
        self.programs = programs
        self.slot = slot
        self.state = slot.state
        self.enclosure = enclosure
        self.place = components.Place(programs / "kube", slot.state, slot.host, slot.node, slot.name)
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def kubeconfig(self) -> Path:
        return self.state / "kubeconfig"

    @property
    def host_address(self) -> str:
        """Where the node and its pods reach what listens on this machine, as a registry."""
        return self.slot.host

    @property
    def node_address(self) -> str:
        """Where this machine reaches what listens on the node, as the API server or a gateway."""
        return self.slot.node

    def kubectl(self, *argv: str, stdin: str | None = None) -> str:
        done = subprocess.run(
            [self.programs / "kube", "kubectl", *argv],
            input=stdin,
            capture_output=True,
            text=True,
            env={**os.environ, "KUBECONFIG": str(self.kubeconfig)},
        )
        if done.returncode:
            raise ClusterFailed(f"kubectl {' '.join(argv)} ended with exit code {done.returncode}:\n{done.stderr}")
        return done.stdout

    def get(self, path: str) -> requests.Response:
        """From the API server, as its administrator. Status 503 stands for one that does not answer."""
        token = (self.state / "tokens.csv").read_text().split(",")[0]
        headers = {"Authorization": f"Bearer {token}"}
        try:
            url = f"{self.place.server}{path}"
            return requests.get(url, headers=headers, verify=str(self.state / "ca.crt"), timeout=10)
        except requests.ConnectionError:
            silent = requests.Response()
            silent.status_code = 503
            return silent

    def spawn(self, name: str, argv: list[str], *, host_network: bool = False) -> subprocess.Popen[bytes]:
        """A program that lives inside, on the node's network or the host's, with a log of its own; until `stop`."""
        with (self.state / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                self.enclosure.argv(*argv, host_network=host_network),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._running[name] = process
        return process

    def stop(self, name: str) -> None:
        process = self._running.pop(name)
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended by itself
            for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
                os.kill(int(child), 9)  # nsenter itself passes no signal on
        process.wait(60)

    def await_ready(self, name: str, ready: Callable[[], bool], seconds: float = 60) -> None:
        """Raises ClusterFailed with the log's end when the component dies or takes longer."""
        deadline = time.monotonic() + seconds
        while not ready():
            for each, process in self._running.items():
                if process.poll() is not None:
                    said = last_lines(self.state / f"{each}.log")
                    raise ClusterFailed(
                        f"{each} of the test cluster ended with exit code {process.returncode}.\n{said}"
                    )
            if time.monotonic() > deadline:
                said = last_lines(self.state / f"{name}.log")
                raise ClusterFailed(f"{name} of the test cluster was not ready after {seconds:.0f} s.\n{said}")
            time.sleep(0.05)

    def down(self) -> None:
        self.enclosure.end()
        for process in self._running.values():
            process.wait(60)
        clean(self.slot)
        self.slot.leave()
