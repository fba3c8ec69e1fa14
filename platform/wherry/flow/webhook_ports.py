"""What the stories of webhooks need: of the ledger, of the way out, and of who words what happened."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from wherry.domain.drains import Target
from wherry.domain.model import App, Event
from wherry.domain.paging import Window
from wherry.domain.secret import Secret
from wherry.domain.webhooks import Delivery, News, Outcome, Wanted, Webhook

if TYPE_CHECKING:
    from wherry.flow.ledger_ports import Transaction


class Webhooks(Protocol):
    """Their URLs, secrets and headers are sealed."""

    def add(self, app_id: int, wanted: Wanted, now: datetime) -> Webhook:
        """It is told what happens from now on. Raises NotFound for an app that is gone."""

    def by_id(self, webhook_id: int) -> Webhook:
        """Raises NotFound."""

    def of_app(self, app_id: int) -> list[Webhook]:
        """Oldest first."""

    def change(self, webhook_id: int, wanted: Wanted, now: datetime) -> Webhook:
        """It is on after this; one that was off is told what happens from now on. Raises NotFound."""

    def remove(self, webhook_id: int) -> None:
        """With its deliveries."""

    def behind(self, most: int) -> list[tuple[int, Event]]:
        """Events that a webhook which is on was not told of: its id with each, in order."""

    def switched_on(self) -> list[tuple[int, int, Sequence[str]]]:
        """Of all apps: id, app's id, and what it wants to be told of."""

    def told(self, webhook: Webhook, numbers: Collection[int]) -> set[int]:
        """Those pieces of news of which it has a delivery."""

    def enqueue(self, webhook: Webhook, told: int, news: Sequence[tuple[News, str, Mapping[str, object]]]) -> int:
        """Deliveries of the news, each with the name by which it was asked for and its payload; and that the webhook was
        told of all up to event `told`. What has ended long ago goes. How many wait now.
        """

    def waiting(self) -> list[tuple[int, datetime | None]]:
        """Webhooks that have deliveries to make, each with the time until which it rests."""

    def next(self, webhook_id: int) -> Delivery | None:
        """The oldest delivery that is still to be made; None also for a webhook that is gone, or off."""

    def attempted(self, delivery: Delivery, outcome: Outcome, now: datetime, code: int | None, error: str) -> None:
        """One attempt more; nothing when it has ended meanwhile."""

    def rest(self, webhook_id: int, failures: int, until: datetime | None) -> None: ...

    def switch_off(self, webhook_id: int, now: datetime, reason: str) -> None:
        """What still waits has failed."""

    def deliveries(self, app_id: int, window: Window, outcome: Outcome | None = None) -> list[Delivery]:
        """By id."""

    def delivery(self, app_id: int, delivery_id: int) -> Delivery:
        """Raises NotFound."""

    def news(self, app_id: int, number: int) -> Delivery:
        """Any delivery of that piece of news. Raises NotFound."""


class Wording(Protocol):
    """How what happened is written down, in the shapes of the API."""

    def payload(self, tx: Transaction, app: App, news: News) -> Mapping[str, object]:
        """As it is now. Holds no secret, and nothing that opens a door."""

    def body(self, webhook: Webhook, delivery: Delivery, now: datetime) -> bytes:
        """What is sent by the attempt that is made now."""


class Unsent(Exception):
    """No answer came; the message is the class of failure."""


class Post(Protocol):
    def send(self, place: Target, headers: Mapping[str, str], body: bytes, login: Secret | None) -> int:
        """The status of the answer. Raises Unsent, within ten seconds or so."""
