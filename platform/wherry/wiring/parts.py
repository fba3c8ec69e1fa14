"""What several processes are given alike."""

from __future__ import annotations

from datetime import UTC, datetime

from wherry.domain.public import networks
from wherry.drains.dial import Dialer
from wherry.flow.plan import Patience
from wherry.routing.name_servers import NameServers
from wherry.settings import Settings


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


def patience_of(settings: Settings) -> Patience:
    return Patience(
        boot=settings.number("boot_seconds"),
        drain=settings.number("drain_seconds"),
        stop=settings.number("stop_seconds"),
        watch=settings.number("watch_seconds"),
        release=settings.number("release_seconds"),
    )


def dialer(settings: Settings) -> Dialer:
    return Dialer(networks(settings.drain_networks))


def open_texts(settings: Settings) -> NameServers:
    return NameServers(tuple(settings.name_servers.split()))
