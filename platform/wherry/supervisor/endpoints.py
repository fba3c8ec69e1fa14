"""Where the platform is reached on this machine, by what is wanted of it."""

from __future__ import annotations

from wherry.settings import Settings


def endpoints(settings: Settings) -> dict[str, str]:
    web = settings.web_url
    registry = settings.registry_url or f"http://127.0.0.1:{settings.registry_port}"
    return {
        "api": web,
        "portal": f"{web}/dashboard",
        "git": web,
        "router": settings.app_url("NAME"),
        "registry": registry,
    }
