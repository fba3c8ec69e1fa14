"""Names and labels of what we make in the engine. Pure; all state is rebuilt from these."""

from __future__ import annotations

import hashlib

PLATFORM = "wherry.platform"
BUILD = "wherry.build"
NETWORK = "wherry.network"
APP = "wherry.app"
APP_NAME = "wherry.app-name"
RELEASE = "wherry.release"
TYPE = "wherry.type"
INDEX = "wherry.index"
ADDRESS = "wherry.address"
FINGERPRINT = "wherry.fingerprint"
GRACE = "wherry.stop-grace"


def short(platform: str) -> str:
    """Eight characters that stand for the platform where room is scarce: an interface name has 15."""
    return hashlib.sha256(platform.encode()).hexdigest()[:8]


def bridge(platform: str, network: str) -> str:
    """The bridge interface of one of our networks: ``wh1a2b3c4d-b``, ``wh1a2b3c4d-12``."""
    return f"wh{short(platform)}-{'b' if network == 'build' else network.removeprefix('apps-')}"


def every_bridge(platform: str) -> str:
    """All of them, in iptables' words."""
    return f"wh{short(platform)}-+"


def network(platform: str, name: str) -> str:
    return f"wherry-{platform}-{name}"


def sandbox(platform: str, build_id: int, nonce: str) -> str:
    return f"wherry-{platform}-build-{build_id}-{nonce}"
