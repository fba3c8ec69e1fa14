"""What containers may not reach: ports of this machine, and the metadata address of a cloud.

Docker itself keeps our bridges apart from each other and, with ICC off, the containers of one bridge. It does not keep
a container from the machine's own ports, so two chains of ours do, for all bridges of the platform at once:

    INPUT        from our bridges -> WHERRY-x-HOST   answers to what the machine began, its resolver; drop the rest
    DOCKER-USER  from our bridges -> WHERRY-x-AWAY   drop 169.254.0.0/16 (link-local: metadata services)

dockerd leaves DOCKER-USER alone, also when it restarts; where it makes none (it may be told to keep off iptables, or
speak nftables), FORWARD itself takes the jump. `apply` may run at any time: it fills the chains in one atomic
step and adds a jump only where it is missing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from ipaddress import IPv4Address, ip_address
from itertools import pairwise
from pathlib import Path

from wherry.domain.errors import PlatformFault
from wherry.domain.text import printable
from wherry.runtimes.machine import naming

_SECONDS = 20


class Firewall:
    def __init__(self, platform: str) -> None:
        self._platform = platform

    def problems(self, in_use: bool = True) -> list[str]:
        """Why containers are not kept from this machine's ports; [] when they are. Before `in_use` no rule is missed."""
        if not shutil.which("iptables"):
            return ["iptables is missing: containers can reach this machine's ports. Run: apt-get install iptables"]
        if os.geteuid() != 0:
            return ["not root: without firewall rules, containers can reach this machine's ports"]
        if not in_use:
            return []
        missing = [jump[0] for jump in self._jumps() if not self._has(jump)]
        return [f"the firewall rule in {chain} is missing: restart wherry to make it again" for chain in missing]

    @property
    def possible(self) -> bool:
        return os.geteuid() == 0 and shutil.which("iptables") is not None

    def apply(self) -> None:
        """Does nothing where it is not possible (see `problems`). Raises PlatformFault when iptables says no."""
        if not self.possible:
            return
        resolvers = host_resolvers(Path("/etc/resolv.conf").read_text(errors="replace"), _own_addresses())
        _iptables(["iptables-restore", "-w", "10", "--noflush"], chains(self._platform, resolvers))
        for jump in self._jumps():
            if not self._has(jump):
                _iptables(["iptables", "-w", "10", "-I", jump[0], "1", *jump[1:]])

    def remove(self) -> None:
        if not self.possible:
            return
        for jump in [*jumps(self._platform, "DOCKER-USER"), *jumps(self._platform, "FORWARD")[1:]]:
            while self._has(jump):
                _iptables(["iptables", "-w", "10", "-D", *jump])
        for chain in names(self._platform):
            if _exists(chain):
                _iptables(["iptables", "-w", "10", "-F", chain])
                _iptables(["iptables", "-w", "10", "-X", chain])

    def _jumps(self) -> list[list[str]]:
        return jumps(self._platform, "DOCKER-USER" if _exists("DOCKER-USER") else "FORWARD")

    def _has(self, jump: Sequence[str]) -> bool:
        return _run(["iptables", "-w", "10", "-C", *jump]).returncode == 0


def names(platform: str) -> tuple[str, str]:
    return f"WHERRY-{naming.short(platform)}-HOST", f"WHERRY-{naming.short(platform)}-AWAY"


def jumps(platform: str, forward: str) -> list[list[str]]:
    host, away = names(platform)
    source = ["-i", naming.every_bridge(platform), "-j"]
    return [["INPUT", *source, host], [forward, *source, away]]


def chains(platform: str, resolvers: Sequence[str]) -> str:
    """Input of iptables-restore: both chains, filled."""
    host, away = names(platform)
    dns = [
        f"-A {host} -d {address}/32 -p {protocol} --dport 53 -j RETURN"
        for address in resolvers
        for protocol in ("udp", "tcp")
    ]
    lines = [
        "*filter",
        f":{host} - [0:0]",
        f":{away} - [0:0]",
        f"-A {host} -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN",
        *dns,
        f"-A {host} -j DROP",
        f"-A {away} -d 169.254.0.0/16 -j DROP",
        "COMMIT",
    ]
    return "\n".join(lines) + "\n"


def host_resolvers(resolv_conf: str, own: Sequence[str]) -> list[str]:
    """Name servers that are this machine itself, by an address that containers use (so not 127.0.0.0/8)."""
    found = []
    for line in resolv_conf.splitlines():
        words = line.split()
        if len(words) >= 2 and words[0] == "nameserver" and words[1] in own:
            address = ip_address(words[1])
            if isinstance(address, IPv4Address) and not address.is_loopback:
                found.append(words[1])
    return found


def _own_addresses() -> list[str]:
    """Local IPv4 addresses, from the kernel's own table."""
    lines = Path("/proc/net/fib_trie").read_text().splitlines()
    return [above.split()[-1] for above, line in pairwise(lines) if line.strip() == "/32 host LOCAL"]


def _exists(chain: str) -> bool:
    return _run(["iptables", "-w", "10", "-n", "-L", chain]).returncode == 0


def _run(argv: Sequence[str], text: str | None = None) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(argv, input=text, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PlatformFault(f"{argv[0]} did not run: {error}", hint="Run: wherry doctor") from error


def _iptables(argv: Sequence[str], text: str | None = None) -> None:
    done = _run(argv, text)
    if done.returncode:
        raise PlatformFault(
            f"the firewall rules for containers could not be set: {' '.join(argv)}",
            evidence=[printable(line) for line in done.stderr.splitlines()[-3:]],
            hint="Run: wherry doctor",
        )
