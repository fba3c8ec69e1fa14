"""T39: what a default install listens on, as a scan of the machine would find it."""

from __future__ import annotations

import ipaddress
import os
from contextlib import suppress
from pathlib import Path

from tests.journeys.harness import Platform

LISTENING = "0A"  # proc(5), net/tcp: TCP_LISTEN of include/net/tcp_states.h


def test_t39_a_default_install_listens_on_this_machine_only_and_on_nothing_but_its_own_ports(
    platform: Platform,
) -> None:
    found = _listening(_processes({platform.pid(name) for name in platform.status()}))
    ports = {int(value) for name, value in platform.settings.items() if name.endswith("_PORT")}
    named = {port for address, port in found if port in ports}
    assert {int(platform.settings[f"WHERRY_{name}_PORT"]) for name in ("WEB", "ROUTER")} <= named
    assert [each for each in found if not each[0].is_loopback] == []


def _processes(leaders: set[int]) -> list[Path]:
    """Of the services, whose processes share the session of the first."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.getsid(int(process.name)) in leaders:
                found.append(process)
        except ProcessLookupError:
            continue  # it has just ended
    return found


def _listening(processes: list[Path]) -> set[tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, int]]:
    sockets = {each for process in processes for each in _open(process)}
    found = set()
    for table in ("tcp", "tcp6"):
        for row in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *_, inode = row.split()[:10]
            if state == LISTENING and f"socket:[{inode}]" in sockets:
                host, _, port = local.partition(":")
                words = [bytes.fromhex(host[at : at + 8])[::-1] for at in range(0, len(host), 8)]
                found.add((ipaddress.ip_address(b"".join(words)), int(port, 16)))
    assert found
    return found


def _open(process: Path) -> list[str]:
    found = []
    with suppress(OSError):  # it has just ended
        for each in (process / "fd").iterdir():
            with suppress(OSError):  # this one was just closed
                found.append(os.readlink(each))
    return found
