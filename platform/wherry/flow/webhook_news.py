"""What happens to apps becomes deliveries to their webhooks: each event once for each webhook that asked for it.

A webhook's place in the history and its deliveries are written in one transaction, so a crash at any moment neither
loses nor doubles one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from wherry.domain.errors import NotFound
from wherry.domain.model import App, Event
from wherry.domain.webhooks import MOST_DELIVERIES, Webhook, news_of, wants
from wherry.flow.ledger_ports import Ledger, Transaction
from wherry.flow.ports import Clock
from wherry.flow.webhook_ports import Wording

AT_ONCE = 200


@dataclass(frozen=True)
class EnqueueNews:
    ledger: Ledger
    clock: Clock
    wording: Wording

    def run(self) -> None:
        """All that has come since the last call."""
        while self._is_behind():
            with self.ledger.begin() as tx:
                for number, pairs in groupby(tx.webhooks.behind(AT_ONCE), key=lambda pair: pair[0]):
                    self._tell(tx, tx.webhooks.by_id(number), [event for _, event in pairs])

    def _is_behind(self) -> bool:
        with self.ledger.begin(read_only=True) as tx:
            return bool(tx.webhooks.behind(1))

    def _tell(self, tx: Transaction, webhook: Webhook, events: Sequence[Event]) -> None:
        try:
            app = tx.apps.by_id(webhook.app_id)
        except NotFound:
            return  # on its way out, with all that is its
        found = [
            (news, name, self.wording.payload(tx, app, news))
            for event in events
            for news in news_of(event)
            if (name := wants(webhook, news))
        ]
        if tx.webhooks.enqueue(webhook, events[-1].id, found) > MOST_DELIVERIES:
            switch_off(tx, self.clock, app, webhook, f"more than {MOST_DELIVERIES} deliveries wait for it")


def switch_off(tx: Transaction, clock: Clock, app: App, webhook: Webhook, reason: str) -> None:
    now = clock.now()
    tx.webhooks.switch_off(webhook.id, now, reason)
    after = {"webhook": webhook.id, "reason": reason}
    tx.events.add(now, app.owner, app.name, "webhook.off", after=after, origin="logs")
