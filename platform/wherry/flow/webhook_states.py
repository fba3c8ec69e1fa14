"""Processes that start, come up, crash and end become deliveries to the webhooks that asked for `api:dyno`.

They are no changes that somebody made, so they are no events of the ledger: the app's log is where they stand, and each
webhook has a place in it. What is read twice after a crash is told once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wherry.domain.errors import NotFound
from wherry.domain.model import App, Event
from wherry.domain.states import Turn
from wherry.domain.webhooks import DYNO, MOST_DELIVERIES, STATE, News, asked_as
from wherry.flow.ledger_ports import Ledger
from wherry.flow.ports import Clock
from wherry.flow.webhook_news import switch_off
from wherry.flow.webhook_ports import Wording


@dataclass(frozen=True)
class EnqueueStates:
    ledger: Ledger
    clock: Clock
    wording: Wording

    def listeners(self) -> dict[int, int]:
        """Webhooks that are to be told: id to app's id."""
        with self.ledger.begin(read_only=True) as tx:
            return {number: app_id for number, app_id, include in tx.webhooks.switched_on() if asked_as(include, DYNO)}

    def run(self, webhook_id: int, turns: Sequence[Turn]) -> None:
        with self.ledger.begin() as tx:
            try:
                webhook = tx.webhooks.by_id(webhook_id)
                app = tx.apps.by_id(webhook.app_id)
            except NotFound:
                return  # on its way out
            name = asked_as(webhook.wanted.include, DYNO)
            if webhook.off_at or not name:
                return
            told = tx.webhooks.told(webhook, [turn.number for turn in turns])
            fresh = [_news(app, turn) for turn in turns if turn.number not in told]
            found = [(news, name, self.wording.payload(tx, app, news)) for news in fresh]
            if tx.webhooks.enqueue(webhook, webhook.told, found) > MOST_DELIVERIES:
                switch_off(tx, self.clock, app, webhook, f"more than {MOST_DELIVERIES} deliveries wait for it")


def _news(app: App, turn: Turn) -> News:
    before = {"state": turn.before} if turn.before else {}
    after = {"state": turn.state, "exit_status": turn.code, "life": turn.life}
    event = Event(0, turn.at, app.owner.email, app.name, STATE, before, after, "logs", app.id)
    return News(event, turn.number, DYNO, turn.verb, turn.process)
