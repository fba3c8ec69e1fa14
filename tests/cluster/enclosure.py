"""Namespaces of their own for one cluster: its addresses, ports, firewall tables, mounts and processes meet nobody else's.

A cable leads to the host, which forwards and translates for it like for a container. When its first process ends, the
kernel ends all the others, pods included, and the mounts and the cable go with them. That first process holds a pipe from
the one that started it; when that one dies, however it dies, the cluster does.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from pathlib import Path

from tests.cluster import cgroups
from tests.cluster.components import SERVICES
from tests.cluster.errors import ClusterFailed
from tests.cluster.slots import Slot

# Folders that components fill by themselves, whatever one tells them, so the cluster gets empty ones.
_OWN_FOLDERS = ("/run", "/var/lib", "/var/log")
_UNSHARE = ["unshare", "--fork", "--kill-child", "--pid", "--mount", "--net", "--uts", "--ipc", "--mount-proc"]


class Enclosure:
    def __init__(self, slot: Slot, pause: Path, *, stay: bool) -> None:
        """`stay`: it outlives this process, until somebody ends its first process."""
        argv = [*_UNSHARE, "--", str(pause), *([] if stay else ["hold"])]
        with (slot.state / "namespaces.log").open("wb") as log:
            self._outer = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL if stay else subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=[slot.lock],
                start_new_session=True,
            )
        self.first = 0
        try:
            self.first = self._first_process()
            connect(slot, self.first)
            for folder in _OWN_FOLDERS:
                self.run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", folder)
            self.run("hostname", "node")
        except BaseException:
            self.end()
            raise

    def argv(self, *argv: str, host_network: bool = False) -> list[str]:
        """To run a program inside, or inside but for the network."""
        spaces = ["--mount", "--pid", "--uts", "--ipc", *([] if host_network else ["--net"])]
        return ["nsenter", "--target", str(self.first), *spaces, "--wd=/", "--", *argv]

    def run(self, *argv: str, stdin: str | None = None) -> str:
        done = subprocess.run(self.argv(*argv), input=stdin, capture_output=True, text=True)
        if done.returncode:
            raise ClusterFailed(f"{' '.join(argv)} ended with exit code {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def end(self) -> None:
        """Returns when all its processes are gone."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.first or self._outer.pid, 9)  # the first takes all with it; unshare waits for that
        self._outer.wait(60)
        if self._outer.stdin:
            self._outer.stdin.close()

    def _first_process(self) -> int:
        """By the outer process's only child, once that has become the waiting program."""
        children = Path(f"/proc/{self._outer.pid}/task/{self._outer.pid}/children")
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self._outer.poll() is None:
            for child in children.read_text().split():
                with contextlib.suppress(OSError):
                    if Path(f"/proc/{child}/comm").read_text() == "pause\n":
                        return int(child)
            time.sleep(0.01)
        raise ClusterFailed(f"unshare made no namespaces (exit code {self._outer.poll()}); is this a container?")


def connect(slot: Slot, first: int) -> None:
    inside = ["nsenter", "--target", str(first), "--net", "--"]
    cable = ["ip", "link", "add", slot.link, "type", "veth", "peer", "name", "eth0", "netns", str(first)]
    commands = [
        cable,
        ["ip", "address", "add", f"{slot.host}/30", "dev", slot.link],
        ["ip", "link", "set", slot.link, "up"],
        [*inside, "ip", "address", "add", f"{slot.node}/30", "dev", "eth0"],
        [*inside, "ip", "link", "set", "lo", "up"],
        [*inside, "ip", "link", "set", "eth0", "up"],
        [*inside, "ip", "route", "add", "default", "via", slot.host],
        # A service that nobody answers must not be looked for outside, where the host may have a cluster of its own.
        [*inside, "iptables", "-w", "-A", "OUTPUT", "-o", "eth0", "-d", SERVICES, "-j", "REJECT"],
        [*inside, "iptables", "-w", "-A", "FORWARD", "-o", "eth0", "-d", SERVICES, "-j", "REJECT"],
        [*inside, "sysctl", "-qw", "net.ipv4.ip_forward=1"],
        ["sysctl", "-qw", "net.ipv4.ip_forward=1"],
        *(["iptables", "-w", "-t", table, "-I", *rule] for table, rule in _rules(slot)),
    ]
    for argv in commands:
        done = subprocess.run(argv, capture_output=True, text=True)
        if done.returncode:
            raise ClusterFailed(f"{' '.join(argv)} ended with exit code {done.returncode}:\n{done.stderr}")


def disconnect(slot: Slot) -> None:
    """What the kernel leaves of the cable: the host's rules for it."""
    for table, rule in _rules(slot):
        while subprocess.run(["iptables", "-w", "-t", table, "-D", *rule], capture_output=True).returncode == 0:
            pass


def _rules(slot: Slot) -> list[tuple[str, list[str]]]:
    """A host that forwards nothing of strangers (Docker's policy) forwards this cable, and answers in its own name."""
    told = ["-m", "comment", "--comment", slot.name]
    return [
        ("filter", ["FORWARD", "-i", slot.link, *told, "-j", "ACCEPT"]),
        ("filter", ["FORWARD", "-o", slot.link, *told, "-j", "ACCEPT"]),
        ("nat", ["POSTROUTING", "-s", slot.network, "!", "-o", slot.link, *told, "-j", "MASQUERADE"]),
    ]


def clean(slot: Slot) -> None:
    """Takes away what a cluster whose processes are gone has left on the host."""
    disconnect(slot)
    cgroups.remove(slot.name)
    deadline = time.monotonic() + 60
    while slot.state.exists():
        try:
            shutil.rmtree(slot.state)
        except OSError:  # its last processes may be dying yet
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
