"""What the process that keeps the apps' logs is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wherry.drains.couriers import Couriers
from wherry.drains.keeper import DrainKeeper
from wherry.drains.posts import HttpsPost
from wherry.drains.states import StateKeeper
from wherry.fittings.runtimes import open_collector
from wherry.fittings.stores import open_app_logs, open_ledger
from wherry.flow.ledger_ports import Ledger
from wherry.flow.log_ports import AppLogs
from wherry.flow.tell import TellEvents
from wherry.flow.webhook_news import EnqueueNews
from wherry.flow.webhook_ports import Wording
from wherry.flow.webhook_send import SendNews
from wherry.flow.webhook_states import EnqueueStates
from wherry.home import Home
from wherry.routing.follow import FollowRouter
from wherry.runtimes.machine.collect import Collector
from wherry.settings import Settings
from wherry.wiring.parts import SystemClock, dialer

if TYPE_CHECKING:
    from wherry.runtimes.cluster.collect import ClusterCollector


@dataclass(frozen=True)
class Scribe:
    """What the process that keeps the apps' logs is given."""

    ledger: Ledger
    app_logs: AppLogs
    collector: Collector | ClusterCollector
    tell: TellEvents
    router: FollowRouter | None
    """None where the router is not ours."""
    drains: DrainKeeper
    news: EnqueueNews
    states: StateKeeper
    couriers: Couriers


def wire_scribe(settings: Settings, home: Home, wording: Wording) -> Scribe:
    """For the logs process. `wording`: of what webhooks are told."""
    ledger, logs = open_ledger(settings), open_app_logs(settings)
    collector = open_collector(settings, home)
    router = None if settings.on_cluster else FollowRouter(settings.folder / "router", logs, collector.process_at)
    keeper, clock = DrainKeeper(ledger, logs, dialer(settings)), SystemClock()
    couriers = Couriers(SendNews(ledger, clock, wording, HttpsPost(dialer(settings))), clock)
    news = EnqueueNews(ledger, clock, wording)
    states = StateKeeper(logs, EnqueueStates(ledger, clock, wording))
    return Scribe(ledger, logs, collector, TellEvents(ledger, logs), router, keeper, news, states, couriers)
