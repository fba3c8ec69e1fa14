"""M8: how long until a changed route answers, with 10, 1,000 and 10,000 routes in the table.

    .venv/bin/python bench/routes.py [CHANGES] [ROUTES...]

A change switches one app between two origins, and ends with the first answer from the new one. A visitor asks for that
app all the while, and every failed answer is counted. Peers do the same: nginx by a reload, HAProxy by its map. HAProxy's
`set map` is the strongest peer: it changes one entry in memory, and keeps it in no file.
"""

from __future__ import annotations

import http.client
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "platform")]

from wherry.domain.workload import AppRoute, Endpoint  # noqa: E402

from bench._load import free_port, has, nginx, origin, resident, running, write_nginx  # noqa: E402
from tests.routing.rig import Rig  # noqa: E402

HOST = "app1.localhost"
STREAK = 50


@dataclass
class Peer:
    """`switch` makes the app go to this port; `port` is where visitors ask; `memory` in bytes."""

    port: int
    memory: Callable[[], int]
    switch: Callable[[int], None]
    times: list[float] = field(default_factory=list)
    failed: int = 0
    asked: int = 0
    lost: int = 0


def main(changes: int, sizes: list[int]) -> None:
    print(f"M8: a changed route answers after … ms; median of {changes} changes (worst)")
    with origin(0, "a") as one, origin(0, "b") as two:
        limit = statistics.median(round_trip(one) for _ in range(200))
        print(f"  limit: one round trip to the origin and one insert into a hash map: {limit * 1e3:.2f} ms")
        print(f"  {'routes':>7}  {'':<16}{'ms':>9}{'worst':>9}{'memory MB':>11}{'bytes/route':>13}  failed of asked")
        for name, make in PEERS.items():
            empty = None
            for count in sizes:
                with (
                    tempfile.TemporaryDirectory(prefix="wherry-bench-") as folder,
                    make(Path(folder), count, one) as peer,
                ):
                    measure(peer, changes, one, two)
                    memory = peer.memory()
                    empty = empty or (count, memory)
                    row(count, name, peer, memory, empty)
    missing = [name for name in ("nginx", "haproxy") if not has(name)]
    print(f"  missing: {', '.join([*missing, 'Caddy'])}")


def row(count: int, name: str, peer: Peer, memory: int, least: tuple[int, int]) -> None:
    each = f"{(memory - least[1]) / (count - least[0]):13.0f}" if count > least[0] else f"{'':>13}"
    shown = f"{statistics.median(peer.times) * 1e3:9.2f}{max(peer.times) * 1e3:9.2f}{memory / 1e6:11.0f}{each}"
    late = f", {peer.lost} changes not seen in 60 s" if peer.lost else ""
    print(f"  {count:>7}  {name:<16}{shown}  {peer.failed} of {peer.asked}{late}", flush=True)


def measure(peer: Peer, changes: int, one: int, two: int) -> None:
    """Changes one after the other; the time of one is from the call to the first of STREAK answers in a row that come
    from the new origin (for a while after a reload, nginx answers from both).
    """
    stop = threading.Event()
    visitor = threading.Thread(target=visit, args=(peer, stop))
    visitor.start()
    for number in range(changes):
        port, name = ((two, b"b"), (one, b"a"))[number % 2]
        started = time.perf_counter()
        peer.switch(port)
        peer.times.append(first_of_streak(peer, name) - started)
    stop.set()
    visitor.join()


def first_of_streak(peer: Peer, name: bytes) -> float:
    end = time.perf_counter() + 60
    streak, first = 0, 0.0
    while streak < STREAK:
        answer = ask(peer.port)
        now = time.perf_counter()
        if now > end:
            peer.lost += 1
            return now
        first = first if streak and answer == name else now
        streak = streak + 1 if answer == name else 0
    return first


def visit(peer: Peer, stop: threading.Event) -> None:
    while not stop.wait(0.005):
        peer.asked += 1
        peer.failed += ask(peer.port) not in (b"a", b"b")


def ask(port: int) -> bytes | None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/", headers={"Host": HOST})
        answer = connection.getresponse()
        return answer.read() if answer.status == 200 else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def round_trip(port: int) -> float:
    table: dict[str, int] = {}
    started = time.perf_counter()
    table[HOST] = port
    ask(port)
    return time.perf_counter() - started


@contextmanager
def wherry(folder: Path, count: int, first: int) -> Iterator[Peer]:
    rig = Rig(folder).start()
    release = 1

    def switch(port: int) -> None:
        nonlocal release
        release += 1
        rig.router.publish(AppRoute(1, ("app1",), release, (Endpoint("127.0.0.1", port),)))
        rig.router.drain(1, release, 0.0)

    try:
        endpoint = Endpoint("127.0.0.1", first)
        rig.router.replace([AppRoute(each, (f"app{each}",), 1, (endpoint,)) for each in range(1, count + 1)])
        assert rig.process is not None
        pid = rig.process.pid
        yield Peer(rig.port, lambda: resident(pid), switch)
    finally:
        rig.close()


@contextmanager
def by_nginx(folder: Path, count: int, first: int) -> Iterator[Peer]:
    port = free_port()
    others = "\n".join(_server(port, f"app{each}.localhost", first) for each in range(2, count + 1))
    with nginx(folder, f"{_server(port, HOST, first)}\n{others}", port) as process:

        def switch(to: int) -> None:
            write_nginx(folder, f"{_server(port, HOST, to)}\n{others}")
            process.send_signal(1)  # SIGHUP: read the file again

        yield Peer(port, lambda: resident(process.pid), switch)


def _server(port: int, name: str, to: int) -> str:
    return (
        f"server {{ listen 127.0.0.1:{port}; server_name {name}; location / {{ proxy_pass http://127.0.0.1:{to}; }} }}"
    )


@contextmanager
def by_haproxy(folder: Path, count: int, first: int) -> Iterator[Peer]:
    """Two backends, one map of hosts; the map's value is the backend."""
    port, talk = free_port(), folder / "talk.sock"
    hosts = folder / "hosts.map"
    hosts.write_text("".join(f"app{each}.localhost first\n" for each in range(1, count + 1)))
    config = folder / "haproxy.cfg"

    def write(second: int) -> None:
        config.write_text(
            f"global\n  stats socket {talk} level admin\n  maxconn 4000\n"
            "defaults\n  mode http\n  timeout client 30s\n  timeout server 30s\n  timeout connect 3s\n"
            f"frontend apps\n  bind 127.0.0.1:{port}\n  use_backend %[req.hdr(host),lower,map_str({hosts})]\n"
            f"backend first\n  server s 127.0.0.1:{first}\nbackend second\n  server s 127.0.0.1:{second}\n"
        )

    def switch(to: int) -> None:
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(str(talk))
            link.sendall(f"set map {hosts} {HOST} {'first' if to == first else 'second'}\n".encode())
            link.recv(4096)

    with origin(0, "b") as second:
        write(second)
        argv = ["/usr/sbin/haproxy", "-W", "-db", "-f", str(config)]
        with running(argv, port, stderr=subprocess.DEVNULL) as process:
            yield Peer(port, lambda: resident(process.pid), switch)


PEERS: dict[str, Callable[[Path, int, int], object]] = {"wherry (Envoy)": wherry}
if has("nginx"):
    PEERS["nginx reload"] = by_nginx
if has("haproxy"):
    PEERS["HAProxy map"] = by_haproxy

if __name__ == "__main__":
    numbers = [int(each) for each in sys.argv[1:]]
    main(numbers[0] if numbers else 20, numbers[1:] or [10, 1_000, 10_000])
