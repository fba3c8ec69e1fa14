"""Who is told by HTTPS of what happens to an app: add a webhook, change it, take it away, see what it was told."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from wherry.domain import webhooks
from wherry.domain.drains import Target
from wherry.domain.errors import Conflict, InvalidInput
from wherry.domain.model import Actor, App
from wherry.domain.paging import Window
from wherry.domain.secret import Secret
from wherry.domain.webhooks import MOST_WEBHOOKS, Delivery, Outcome, Wanted, Webhook
from wherry.flow.ledger_ports import Ledger
from wherry.flow.ports import Clock


class Reach(Protocol):
    def check(self, target: Target, what: str = "drain") -> None:
        """Raises InvalidInput for a host that is unknown, or leads where tenants' data must not go."""


@dataclass(frozen=True)
class Webhooks:
    ledger: Ledger
    clock: Clock
    reach: Reach

    def of_app(self, app: App) -> list[Webhook]:
        with self.ledger.begin(read_only=True) as tx:
            return tx.webhooks.of_app(app.id)

    def add(self, actor: Actor, app: App, asked: Mapping[str, object], origin: str = "") -> Webhook:
        """`asked`: url, include, level; secret (one is made when it is missing), authorization. Raises InvalidInput with
        every fault, Conflict when there are too many.
        """
        wanted, now = self._wanted(asked, None), self.clock.now()
        with self.ledger.begin() as tx:
            if len(tx.webhooks.of_app(app.id)) >= MOST_WEBHOOKS:
                raise Conflict(
                    f"{app.name} has {MOST_WEBHOOKS} webhooks, which is the most",
                    hint=f"To see them: wherry webhooks -a {app.name}",
                )
            tx.events.add(now, actor, app.name, "webhook.add", after=_told(wanted), origin=origin)
            return tx.webhooks.add(app.id, wanted, now)

    def change(
        self, actor: Actor, app: App, webhook: Webhook, asked: Mapping[str, object], origin: str = ""
    ) -> Webhook:
        """What is not asked stays. It is on afterwards, whatever it was. Raises InvalidInput, NotFound."""
        wanted, now = self._wanted(asked, webhook.wanted), self.clock.now()
        with self.ledger.begin() as tx:
            before = tx.webhooks.by_id(webhook.id)
            tx.events.add(now, actor, app.name, "webhook.change", _told(before.wanted), _told(wanted), origin)
            return tx.webhooks.change(webhook.id, wanted, now)

    def remove(self, actor: Actor, app: App, webhook: Webhook, origin: str = "") -> None:
        """What is on its way to it goes too. Raises NotFound when somebody was faster."""
        with self.ledger.begin() as tx:
            before = tx.webhooks.by_id(webhook.id)
            tx.webhooks.remove(before.id)
            now = self.clock.now()
            tx.events.add(now, actor, app.name, "webhook.remove", before=_told(before.wanted), origin=origin)

    def deliveries(self, app: App, window: Window, outcome: Outcome | None = None) -> list[Delivery]:
        with self.ledger.begin(read_only=True) as tx:
            return tx.webhooks.deliveries(app.id, window, outcome)

    def delivery(self, app: App, number: int) -> Delivery:
        """Raises NotFound."""
        with self.ledger.begin(read_only=True) as tx:
            return tx.webhooks.delivery(app.id, number)

    def news(self, app: App, number: int) -> Delivery:
        """Raises NotFound."""
        with self.ledger.begin(read_only=True) as tx:
            return tx.webhooks.news(app.id, number)

    def _wanted(self, asked: Mapping[str, object], before: Wanted | None) -> Wanted:
        """Raises InvalidInput with every fault of what is asked."""
        given = {key: value for key, value in asked.items() if value is not None}
        if before is None:
            given = {"url": "", "include": None, "level": "", **given}
        wanted = before or _blank()
        problems: list[str] = []
        for key, value in given.items():
            try:
                wanted = self._with(wanted, key, value)
            except InvalidInput as error:
                problems += error.evidence
        if problems:
            raise webhooks.wrong(*problems)
        if "authorization" in asked and asked["authorization"] is None:
            wanted = replace(wanted, authorization=None)
        return wanted

    def _with(self, wanted: Wanted, key: str, value: object) -> Wanted:
        """Raises InvalidInput."""
        if key == "url":
            self.reach.check(webhooks.place(value), "webhook")
            return replace(wanted, url=Secret(str(value)))
        if key == "include":
            return replace(wanted, include=webhooks.included(value))
        if key == "level":
            return replace(wanted, level=webhooks.level(value))
        if key == "secret":
            return replace(wanted, secret=webhooks.header_value(value, key))
        return replace(wanted, authorization=webhooks.header_value(value, key))


def _blank() -> Wanted:
    return Wanted(Secret(""), (), webhooks.Level.NOTIFY, Secret(secrets.token_hex(30)))


def _told(wanted: Wanted) -> dict[str, object]:
    """For the history: no secret, nor the URL's path, which may be one."""
    place = webhooks.place(wanted.url.reveal()).place
    return {"to": place, "include": ", ".join(wanted.include), "level": str(wanted.level)}
