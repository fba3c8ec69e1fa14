"""What the router's benchmarks share: an origin, a byte forwarder, nginx as a peer, load, and a process's own CPU time."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Result:
    """Requests a second, the percentiles of their times in µs, and how many failed."""

    rate: float
    p50: float
    p99: float
    failed: int
    count: int


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(argv: list[str], port: int, **options: object) -> Iterator[subprocess.Popen[bytes]]:
    """A server in a process group of its own, which listens on `port` when the block begins."""
    process = subprocess.Popen(argv, start_new_session=True, **options)  # type: ignore[call-overload]
    try:
        wait_for(port, process)
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"a server of the benchmark did not start: {process.args}")
        time.sleep(0.02)


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and its children, all threads."""
    pids = [pid, *children(pid)]
    return sum(sum(map(int, _stat(each)[11:13])) for each in pids) / TICKS


def children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(each) for each in text.split()]


def resident(pid: int) -> int:
    """Bytes of memory of a process and its children."""
    pages = sum(int(Path(f"/proc/{each}/statm").read_text().split()[1]) for each in (pid, *children(pid)))
    return pages * os.sysconf("SC_PAGE_SIZE")


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def load(port: int, host: str, connections: int, seconds: float) -> Result:
    """From wrk where it is installed, else from a client of our own, which costs more than what it measures."""
    if shutil.which("wrk"):
        return _wrk(port, host, connections, seconds)
    return asyncio.run(_own_client(port, host, connections, seconds))


def _wrk(port: int, host: str, connections: int, seconds: float) -> Result:
    argv = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--latency", "-H", f"Host: {host}"]
    done = subprocess.run([*argv, f"http://127.0.0.1:{port}/"], capture_output=True, text=True, check=True)
    text = done.stdout
    percentiles = {key: _micros(value) for key, value in re.findall(r"^\s+(\d+)%\s+(\S+)$", text, re.M)}
    count = int(re.search(r"(\d+) requests in", text)[1])  # type: ignore[index]
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    wrong = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    failed = sum(map(int, errors.groups())) if errors else 0
    rate = float(re.search(r"Requests/sec:\s+(\S+)", text)[1])  # type: ignore[index]
    return Result(rate, percentiles["50"], percentiles["99"], failed + (int(wrong[1]) if wrong else 0), count)


def _micros(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()  # type: ignore[union-attr]
    return float(number) * {"us": 1, "ms": 1e3, "s": 1e6}[unit]


async def _own_client(port: int, host: str, connections: int, seconds: float) -> Result:
    times: list[float] = []
    failed = 0
    end = time.perf_counter() + seconds
    request = f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()

    async def visit() -> None:
        nonlocal failed
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (started := time.perf_counter()) < end:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            await reader.readexactly(int(length[1]) if length else 0)
            failed += not head.startswith(b"HTTP/1.1 200")
            times.append(time.perf_counter() - started)
        writer.close()

    await asyncio.gather(*(visit() for _ in range(connections)))
    times.sort()
    return Result(
        len(times) / seconds, times[len(times) // 2] * 1e6, times[len(times) * 99 // 100] * 1e6, failed, len(times)
    )


@contextmanager
def origin(size: int, name: str = "") -> Iterator[int]:
    """A server that answers every request with `size` bytes (or its name) from a loop that does nothing else."""
    port = free_port()
    with running([sys.executable, __file__, "origin", str(port), str(size), name], port):
        yield port


@contextmanager
def forwarder(to: int) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """Bytes in, bytes out, no HTTP: the floor under any proxy in such a loop."""
    port = free_port()
    with running([sys.executable, __file__, "forward", str(port), str(to)], port) as process:
        yield port, process


@contextmanager
def nginx(folder: Path, servers: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """nginx with these blocks inside its http block; its own master process is the one that is yielded."""
    write_nginx(folder, servers)
    program = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin") or "nginx"
    argv = [program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-g", "daemon off;"]
    with running(argv, port, stderr=subprocess.DEVNULL) as process:
        yield process


def write_nginx(folder: Path, servers: str) -> None:
    (folder / "nginx.conf").write_text(
        f"worker_processes {len(os.sched_getaffinity(0))};\nworker_rlimit_nofile 10000;\npid {folder}/nginx.pid;\n"
        f"error_log {folder}/error.log crit;\nevents {{ worker_connections 4096; }}\n"
        f"http {{\naccess_log {folder}/access.log;\nserver_names_hash_max_size 65536;\nserver_names_hash_bucket_size 128;\n"
        f"proxy_http_version 1.1;\nproxy_set_header Connection '';\nproxy_set_header Host $http_host;\n"
        f"proxy_set_header X-Forwarded-For $remote_addr;\nproxy_set_header X-Request-Id $request_id;\n"
        f"keepalive_requests 1000000;\n{servers}\n}}\n"
    )


def has(program: str) -> bool:
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin") is not None


class _Origin(asyncio.Protocol):
    answer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(self.answer * data.count(b"\r\n\r\n"))  # type: ignore[attr-defined]


class _Forward(asyncio.Protocol):
    """One side of a pair: whatever comes in goes out at the other."""

    port = 0

    def __init__(self, other: _Forward | None = None) -> None:
        self.other = other
        self.waiting = b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        if self.other is None:
            asyncio.get_running_loop().create_task(self._dial())
        elif self.other.waiting:
            transport.write(self.other.waiting)  # type: ignore[attr-defined]

    async def _dial(self) -> None:
        _, self.other = await asyncio.get_running_loop().create_connection(
            lambda: _Forward(self), "127.0.0.1", self.port
        )

    def data_received(self, data: bytes) -> None:
        if self.other is None or self.other.transport is None:
            self.waiting += data
        else:
            self.other.transport.write(data)

    def connection_lost(self, error: Exception | None) -> None:
        if self.other and self.other.transport:
            self.other.transport.close()


async def _listen(port: int, protocol: type[asyncio.Protocol]) -> None:
    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


def report(line: dict[str, object]) -> None:
    """With BENCH_JSON=1 every result is also one JSON line, for comparison between runs."""
    if os.environ.get("BENCH_JSON"):
        print(json.dumps(line))


if __name__ == "__main__":
    role, own_port, rest = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    if role == "origin":
        body = rest[1].encode() if rest[1] else b"x" * int(rest[0])
        _Origin.answer = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body
        asyncio.run(_listen(own_port, _Origin))
    else:
        _Forward.port = int(rest[0])
        asyncio.run(_listen(own_port, _Forward))
