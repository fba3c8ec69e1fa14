"""M7: what the router costs a request, beside nginx, a loop that only forwards bytes, and no proxy at all.

    .venv/bin/python bench/proxy.py [SECONDS A ROW]

Every row of a table is of one run, one after the other, on the same origin. CPU is the proxy's own, in µs a request.
Load, origin and proxy share this machine's cores, so rates are for comparison within a table only.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "platform")]

from wherry.domain.workload import AppRoute, Endpoint  # noqa: E402

from bench._load import Result, cpu_seconds, forwarder, free_port, has, load, nginx, origin  # noqa: E402
from tests.routing.rig import Rig  # noqa: E402

HOST = "shop.localhost"
CONNECTIONS = (1, 32, 256)
SIZES = (0, 20_000)


def main(seconds: float) -> None:
    print(f"M7, {len(os.sched_getaffinity(0))} cores, {seconds:g} s a row, load from {_client()}")
    with tempfile.TemporaryDirectory(prefix="wherry-bench-") as folder:
        for size in SIZES:
            with origin(size) as port, proxies(Path(folder) / str(size), port) as found:
                for connections in CONNECTIONS:
                    table(size, connections, found, seconds)
    missing = [name for name in ("nginx",) if not has(name)] + ["HAProxy (M8 has it), Caddy, kamal-proxy"]
    print(f"missing: {'; '.join(missing)}")


@contextmanager
def proxies(folder: Path, to: int) -> Iterator[dict[str, tuple[int, int | None]]]:
    """Name to port and pid; `direct` is no proxy."""
    folder.mkdir()
    rig = Rig(folder / "home").start()
    assert rig.process is not None
    found: dict[str, tuple[int, int | None]] = {"direct": (to, None)}
    try:
        rig.router.publish(AppRoute(1, ("shop",), 1, (Endpoint("127.0.0.1", to),)))
        with forwarder(to) as (port, process):
            found["bytes only"] = (port, process.pid)
            found["wherry (Envoy)"] = (rig.port, rig.process.pid)
            if not has("nginx"):
                yield found
                return
            port = free_port()
            servers = (
                f"upstream shop {{ server 127.0.0.1:{to}; keepalive 256; keepalive_requests 1000000; }}\n"
                f"server {{ listen 127.0.0.1:{port}; server_name {HOST}; location / {{ proxy_pass http://shop; }} }}"
            )
            with nginx(folder, servers, port) as peer:
                found["nginx"] = (port, peer.pid)
                yield found
    finally:
        rig.close()


def table(size: int, connections: int, found: dict[str, tuple[int, int | None]], seconds: float) -> None:
    print(f"\nbody {size} B, {connections} connection{'s' if connections > 1 else ''}")
    print(
        f"  {'':<16}{'requests/s':>11}{'CPU µs/req':>12}{'p50 µs':>9}{'p99 µs':>9}{'added p50':>11}{'added p99':>11}  failed"
    )
    rows: dict[str, tuple[Result, float]] = {}
    for name, (port, pid) in found.items():
        load(port, HOST, connections, 1)  # its connections to the origin are open before it is measured
        before = cpu_seconds(pid) if pid else 0.0
        result = load(port, HOST, connections, seconds)
        spent = (cpu_seconds(pid) - before) if pid else 0.0
        rows[name] = (result, spent / max(1, result.count) * 1e6)
        row(name, *rows[name], rows["direct"][0])
    verdict(rows)


def row(name: str, result: Result, cpu: float, direct: Result) -> None:
    shown = f"{cpu:12.1f}" if cpu else f"{'':>12}"
    added = f"{result.p50 - direct.p50:11.0f}{result.p99 - direct.p99:11.0f}" if cpu else f"{'':>22}"
    print(f"  {name:<16}{result.rate:11.0f}{shown}{result.p50:9.0f}{result.p99:9.0f}{added}  {result.failed}")


def verdict(rows: dict[str, tuple[Result, float]]) -> None:
    """Beside the limit (bytes only) and, where it is there, nginx; a core is the unit, since both take all they get."""
    ours, floor = rows["wherry (Envoy)"], rows["bytes only"]
    print(f"  limit: bytes only; wherry takes {ours[1] / floor[1]:.2f} of its CPU a request")
    if "nginx" in rows:
        peer = rows["nginx"]
        print(f"  wherry makes {peer[1] / ours[1]:.2f} of nginx's requests a second and core (aim: 0.8)")


def _client() -> str:
    return "wrk" if shutil.which("wrk") else "asyncio (missing: wrk; its own cost is in every row)"


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 3.0)
