"""Makes the deliveries of webhooks: in the order of what happened, one at a time for each, with growing pauses (B66)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime

from wherry.domain.errors import NotFound
from wherry.domain.secret import Secret
from wherry.domain.webhooks import MOST_FAILURES, Delivery, Level, Outcome, Webhook, pause, place
from wherry.flow.ledger_ports import Ledger
from wherry.flow.ports import Clock
from wherry.flow.webhook_news import switch_off
from wherry.flow.webhook_ports import Post, Unsent, Wording

SIGNATURE = "Heroku-Webhook-Hmac-SHA256"


@dataclass(frozen=True)
class SendNews:
    ledger: Ledger
    clock: Clock
    wording: Wording
    post: Post

    def waiting(self) -> list[tuple[int, datetime | None]]:
        """Webhooks that have deliveries to make, each with the time until which it rests."""
        with self.ledger.begin(read_only=True) as tx:
            return tx.webhooks.waiting()

    def due(self, webhook_id: int) -> tuple[Webhook, Delivery] | None:
        """The next delivery of this webhook, if it is to be made now."""
        with self.ledger.begin(read_only=True) as tx:
            delivery = tx.webhooks.next(webhook_id)
            if delivery is None:
                return None
            webhook = tx.webhooks.by_id(webhook_id)
        if webhook.resume_at and webhook.resume_at > self.clock.now():
            return None
        return webhook, delivery

    def run(self, webhook: Webhook, delivery: Delivery) -> bool:
        """One attempt; whether it was accepted. A crash in it repeats it, under the same delivery's id."""
        code, error = self._attempt(webhook, delivery)
        accepted = code is not None and 200 <= code < 300
        with self.ledger.begin() as tx:
            now = self.clock.now()
            again = not accepted and webhook.wanted.level is Level.SYNC
            outcome = Outcome.SUCCEEDED if accepted else Outcome.RETRYING if again else Outcome.FAILED
            tx.webhooks.attempted(delivery, outcome, now, code, error)
            try:
                now_is = tx.webhooks.by_id(webhook.id)
                app = tx.apps.by_id(webhook.app_id)
            except NotFound:
                return accepted  # it was taken away meanwhile
            if now_is.off_at or now_is.updated_at != webhook.updated_at:
                return accepted  # another webhook by now: this result says nothing about it
            failures = 0 if accepted else now_is.failures + 1
            tx.webhooks.rest(webhook.id, failures, None if accepted else now + pause(failures))
            if failures >= MOST_FAILURES:
                reason = f"{failures} attempts in a row failed, the last one with {_said(code, error)}"
                switch_off(tx, self.clock, app, webhook, reason)
        return accepted

    def _attempt(self, webhook: Webhook, delivery: Delivery) -> tuple[int | None, str]:
        body = self.wording.body(webhook, delivery, self.clock.now())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Wherry",
            SIGNATURE: signature(webhook.wanted.secret, body),
        }
        try:
            where = place(webhook.wanted.url.reveal())
            return self.post.send(where, headers, body, webhook.wanted.authorization), ""
        except Unsent as error:
            return None, str(error)


def signature(secret: Secret, body: bytes) -> str:
    """Base64 of the HMAC-SHA256 of the body, as Heroku's is."""
    return base64.b64encode(hmac.digest(secret.reveal().encode(), body, hashlib.sha256)).decode()


def _said(code: int | None, error: str) -> str:
    return f"HTTP {code}" if code is not None else error
