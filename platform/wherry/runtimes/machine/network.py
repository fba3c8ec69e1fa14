"""Our bridge networks: found by label, made where missing, on addresses that nothing else on this machine uses."""

from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path
from threading import Lock
from typing import Any

from docker.errors import APIError
from docker.types import IPAMConfig, IPAMPool

from wherry.runtimes.machine import naming, subnets
from wherry.runtimes.machine.engine import Engine
from wherry.runtimes.machine.firewall import Firewall

BUILD = "build"
_TRIES = 3


class Networks:
    """`wanted`: the setting WHERRY_SUBNET, may be empty. Networks and firewall rules are made on first use."""

    def __init__(self, engine: Engine, platform: str, wanted: str = "") -> None:
        self.firewall = Firewall(platform)
        self._engine = engine
        self._platform = platform
        self._wanted = wanted
        self._lock = Lock()
        self._known: dict[str, IPv4Network] = {}

    def forget(self) -> None:
        """What was known may be gone: the next `ensure` looks again."""
        with self._lock:
            self._known.clear()

    def repair(self) -> None:
        """Looks again, and makes the firewall rules again if we have a network (another program may have flushed
        them)."""
        self.forget()
        with self._engine.doing("list the networks"):
            ours = self._ours(self._engine.api.networks())
        if ours:
            self.firewall.apply()

    def ensure(self, name: str) -> IPv4Network:
        """The subnet of our network `name` ("build", "apps-0", …), which exists afterwards, behind the firewall."""
        with self._lock:
            if name not in self._known:
                with self._engine.doing(f"make the network {name}"):
                    self._known[name] = self._found_or_made(name)
                self.firewall.apply()
            return self._known[name]

    def problems(self) -> list[str]:
        with self._engine.doing("list the networks"):
            return self.firewall.problems(in_use=bool(self._ours(self._engine.api.networks())))

    def remove(self) -> None:
        """All networks and firewall rules of the platform; no container may be left on them."""
        with self._lock, self._engine.doing("remove the networks"):
            self._known.clear()
            for each in self._ours(self._engine.api.networks()):
                self._engine.api.remove_network(each["Id"])
            self.firewall.remove()

    def _found_or_made(self, name: str) -> IPv4Network:
        refused: list[IPv4Network] = []
        while True:
            everything = self._engine.api.networks()
            ours = self._ours(everything)
            for each in ours:
                if each["Labels"].get(naming.NETWORK) == name:
                    return _subnet(each)
            part = self._free_part(name, ours, [*_taken(everything), *refused])
            try:
                self._make(name, part)
            except APIError:
                # Another process of ours was faster, or a stranger has the addresses: look again, elsewhere.
                refused.append(part)
                if len(refused) == _TRIES:
                    raise
            else:
                return part

    def _free_part(self, name: str, ours: list[dict[str, Any]], taken: list[IPv4Network]) -> IPv4Network:
        """In the range of our other networks, unless a stranger got in there."""
        if ours:
            part = _part(subnets.whole_of(_subnet(ours[0])), name)
            if not any(part.overlaps(each) for each in taken):
                return part
        return _part(subnets.choose(self._wanted, taken), name)

    def _make(self, name: str, part: IPv4Network) -> None:
        self._engine.api.create_network(
            naming.network(self._platform, name),
            driver="bridge",
            ipam=IPAMConfig(pool_configs=[IPAMPool(subnet=str(part), gateway=str(subnets.gateway(part)))]),
            check_duplicate=True,
            labels={naming.PLATFORM: self._platform, naming.NETWORK: name},
            options={
                "com.docker.network.bridge.name": naming.bridge(self._platform, name),
                "com.docker.network.bridge.enable_icc": "false",
            },
        )

    def _ours(self, networks: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [each for each in networks if (each.get("Labels") or {}).get(naming.PLATFORM) == self._platform]


def _part(whole: IPv4Network, name: str) -> IPv4Network:
    return subnets.for_builds(whole) if name == BUILD else subnets.for_apps(whole, int(name.rpartition("-")[2]))


def _subnet(network: dict[str, Any]) -> IPv4Network:
    return IPv4Network(network["IPAM"]["Config"][0]["Subnet"])


def _taken(networks: list[dict[str, Any]]) -> list[IPv4Network]:
    configs = [config for each in networks for config in (each.get("IPAM", {}).get("Config") or [])]
    of_engine = [IPv4Network(config["Subnet"]) for config in configs if ":" not in config.get("Subnet", ":")]
    return of_engine + subnets.routes(Path("/proc/net/route").read_text())
