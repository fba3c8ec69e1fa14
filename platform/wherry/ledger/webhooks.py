"""Webhooks of apps and what is on its way to them. URLs, secrets and headers are sealed by the app's data key."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Row,
    Select,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    update,
)

from wherry.domain.errors import NotFound
from wherry.domain.model import Event
from wherry.domain.paging import Window
from wherry.domain.secret import Secret
from wherry.domain.webhooks import MOST_DELIVERIES, Delivery, Level, News, Outcome, Wanted, Webhook
from wherry.ledger.columns import ID, FreeText, Instant, Json, sought
from wherry.ledger.events import event_of
from wherry.ledger.sealing import Sealing
from wherry.ledger.statements import Statements
from wherry.ledger.tables import apps, events, metadata
from wherry.ledger.windows import windowed

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", ID, primary_key=True),
    Column("app_id", ID, ForeignKey("apps.id"), nullable=False),
    Column("sealed", LargeBinary, nullable=False),  # url, secret and authorization, by the data key
    Column("include", Json, nullable=False),
    Column("level", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("told", ID, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("resume_at", Instant),
    Column("off_at", Instant),
    Column("reason", FreeText, nullable=False),
    Index("ix_webhooks_app_id", "app_id"),
    sqlite_autoincrement=True,
)

deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("id", ID, primary_key=True),
    Column("app_id", ID, ForeignKey("apps.id"), nullable=False),
    Column("webhook_id", ID, ForeignKey("webhooks.id"), nullable=False),
    Column("number", ID, nullable=False),
    Column("include", Text, nullable=False),
    Column("payload", Json, nullable=False),
    Column("waits", Boolean, nullable=False),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("code", Integer),
    Column("error", FreeText, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("attempted_at", Instant),
    Index("ix_webhook_deliveries_app_id_id", "app_id", "id"),
    Index("ix_webhook_deliveries_webhook_id_waits_id", "webhook_id", "waits", "id"),
    Index("ix_webhook_deliveries_app_id_number", "app_id", "number"),
    sqlite_autoincrement=True,
)

_LIVING = apps.c.removed_at.is_(None)
_QUERY = select(webhooks, apps.c.data_key).join(apps, apps.c.id == webhooks.c.app_id).where(_LIVING)
_ON = webhooks.c.off_at.is_(None)


class SqlWebhooks:
    def __init__(self, statements: Statements, sealing: Sealing) -> None:
        self._sql = statements
        self._sealing = sealing

    def add(self, app_id: int, wanted: Wanted, now: datetime) -> Webhook:
        values = {
            **_open(wanted),
            "app_id": app_id,
            "sealed": b"",
            "created_at": now,
            "updated_at": now,
            "told": self._newest(),
            "failures": 0,
            "reason": "",
        }
        row = self._sql.row(insert(webhooks).values(values).returning(webhooks.c.id))
        number = int(row.id) if row else 0
        self._seal(app_id, number, wanted)
        return self.by_id(number)

    def by_id(self, webhook_id: int) -> Webhook:
        row = self._sql.row(_QUERY.where(webhooks.c.id == sought(webhook_id)))
        if row is None:
            raise NotFound("no such webhook", hint="To see an app's: wherry webhooks -a APP")
        return self._webhook(row)

    def of_app(self, app_id: int) -> list[Webhook]:
        return [
            self._webhook(row)
            for row in self._sql.rows(_QUERY.where(webhooks.c.app_id == app_id).order_by(webhooks.c.id))
        ]

    def change(self, webhook_id: int, wanted: Wanted, now: datetime) -> Webhook:
        before = self.by_id(webhook_id)
        told = self._newest() if before.off_at else before.told
        values = {"updated_at": now, "told": told, "failures": 0, "resume_at": None, "off_at": None, "reason": ""}
        self._sql.write(update(webhooks).where(webhooks.c.id == webhook_id).values({**_open(wanted), **values}))
        self._seal(before.app_id, webhook_id, wanted)
        return self.by_id(webhook_id)

    def remove(self, webhook_id: int) -> None:
        self._sql.write(delete(deliveries).where(deliveries.c.webhook_id == webhook_id))
        self._sql.write(delete(webhooks).where(webhooks.c.id == webhook_id))

    def behind(self, most: int) -> list[tuple[int, Event]]:
        theirs = (events.c.app_id == webhooks.c.app_id) & (events.c.id > webhooks.c.told)
        query = select(webhooks.c.id.label("webhook_id"), events).join(events, theirs).where(_ON)
        rows = self._sql.rows(query.order_by(webhooks.c.id, events.c.id).limit(most))
        return [(row.webhook_id, event_of(row)) for row in rows]

    def switched_on(self) -> list[tuple[int, int, Sequence[str]]]:
        query = select(webhooks.c.id, webhooks.c.app_id, webhooks.c.include).join(apps, apps.c.id == webhooks.c.app_id)
        rows = self._sql.rows(query.where(_LIVING, _ON).order_by(webhooks.c.id))
        return [(row.id, row.app_id, row.include) for row in rows]

    def told(self, webhook: Webhook, numbers: Collection[int]) -> set[int]:
        theirs = (deliveries.c.app_id == webhook.app_id, deliveries.c.webhook_id == webhook.id)
        query = select(deliveries.c.number).where(*theirs, deliveries.c.number.in_(numbers))
        return {row.number for row in self._sql.rows(query)}

    def enqueue(self, webhook: Webhook, told: int, news: Sequence[tuple[News, str, Mapping[str, object]]]) -> int:
        if news:
            self._sql.write(insert(deliveries), [_new(webhook, *each) for each in news])
            self._prune(webhook.id)
        self._sql.write(update(webhooks).where(webhooks.c.id == webhook.id).values(told=told))
        mine = deliveries.c.webhook_id == webhook.id
        row = self._sql.row(select(func.count()).where(mine, deliveries.c.waits.is_(True)))
        return int(row[0]) if row else 0

    def waiting(self) -> list[tuple[int, datetime | None]]:
        any_ = select(deliveries.c.id).where(deliveries.c.webhook_id == webhooks.c.id, deliveries.c.waits.is_(True))
        query = select(webhooks.c.id, webhooks.c.resume_at).where(_ON, any_.exists()).order_by(webhooks.c.id)
        return [(row.id, row.resume_at) for row in self._sql.rows(query)]

    def next(self, webhook_id: int) -> Delivery | None:
        query = select(deliveries).join(webhooks, webhooks.c.id == deliveries.c.webhook_id).where(_ON)
        query = query.where(deliveries.c.webhook_id == webhook_id, deliveries.c.waits.is_(True))
        row = self._sql.row(query.order_by(deliveries.c.id).limit(1))
        return _delivery(row) if row else None

    def attempted(self, delivery: Delivery, outcome: Outcome, now: datetime, code: int | None, error: str) -> None:
        values = {
            "attempts": deliveries.c.attempts + 1,
            "status": str(outcome),
            "waits": not outcome.final,
            "attempted_at": now,
            "updated_at": now,
            "code": code,
            "error": error,
        }
        change = update(deliveries).where(deliveries.c.id == delivery.id, deliveries.c.waits.is_(True))
        self._sql.write(change.values(values))

    def rest(self, webhook_id: int, failures: int, until: datetime | None) -> None:
        change = update(webhooks).where(webhooks.c.id == webhook_id)
        self._sql.write(change.values(failures=failures, resume_at=until))

    def switch_off(self, webhook_id: int, now: datetime, reason: str) -> None:
        change = update(webhooks).where(webhooks.c.id == webhook_id)
        self._sql.write(change.values(off_at=now, reason=reason, resume_at=None))
        waiting = update(deliveries).where(deliveries.c.webhook_id == webhook_id, deliveries.c.waits.is_(True))
        self._sql.write(waiting.values(waits=False, status=str(Outcome.FAILED), updated_at=now))

    def deliveries(self, app_id: int, window: Window, outcome: Outcome | None = None) -> list[Delivery]:
        query = select(deliveries).where(deliveries.c.app_id == app_id)
        if outcome:
            query = query.where(deliveries.c.status == str(outcome))
        return [_delivery(row) for row in self._sql.rows(windowed(query, deliveries.c.id, window))]

    def delivery(self, app_id: int, delivery_id: int) -> Delivery:
        return self._one(
            select(deliveries).where(deliveries.c.app_id == app_id, deliveries.c.id == sought(delivery_id))
        )

    def news(self, app_id: int, number: int) -> Delivery:
        theirs = select(deliveries).where(deliveries.c.app_id == app_id, deliveries.c.number == sought(number))
        return self._one(theirs.order_by(deliveries.c.id).limit(1))

    def _one(self, query: Select[Any]) -> Delivery:
        row = self._sql.row(query)
        if row is None:
            raise NotFound("no such delivery", hint="To see an app's: wherry webhooks:deliveries -a APP")
        return _delivery(row)

    def _newest(self) -> int:
        row = self._sql.row(select(func.max(events.c.id)))
        return int(row[0] or 0) if row else 0

    def _prune(self, webhook_id: int) -> None:
        """Keeps the newest so many, and all that wait."""
        mine = select(deliveries.c.id).where(deliveries.c.webhook_id == webhook_id)
        row = self._sql.row(mine.order_by(deliveries.c.id.desc()).offset(MOST_DELIVERIES).limit(1))
        if row:
            old = delete(deliveries).where(deliveries.c.webhook_id == webhook_id, deliveries.c.id <= row.id)
            self._sql.write(old.where(deliveries.c.waits.is_(False)))

    def _seal(self, app_id: int, webhook_id: int, wanted: Wanted) -> None:
        row = self._sql.row(select(apps.c.data_key).where(apps.c.id == app_id, _LIVING))
        if row is None:
            raise NotFound("no such app")
        hidden = {"url": wanted.url, "secret": wanted.secret}
        hidden |= {"authorization": wanted.authorization} if wanted.authorization else {}
        sealed = self._sealing.of_app(app_id, row.data_key).seal(_purpose(webhook_id), hidden)
        self._sql.write(update(webhooks).where(webhooks.c.id == webhook_id).values(sealed=sealed))

    def _webhook(self, row: Row[Any]) -> Webhook:
        hidden: dict[str, Secret] = self._sealing.of_app(row.app_id, row.data_key).open(_purpose(row.id), row.sealed)
        level = Level(row.level)
        wanted = Wanted(hidden["url"], tuple(row.include), level, hidden["secret"], hidden.get("authorization"))
        return Webhook(
            row.id,
            row.app_id,
            wanted,
            row.created_at,
            row.updated_at,
            row.told,
            row.failures,
            row.resume_at,
            row.off_at,
            row.reason,
        )


def _purpose(webhook_id: int) -> str:
    return f"webhook {webhook_id}"


def _open(wanted: Wanted) -> dict[str, object]:
    return {"include": list(wanted.include), "level": str(wanted.level)}


def _new(webhook: Webhook, news: News, name: str, payload: Mapping[str, object]) -> dict[str, object]:
    at = news.event.at
    return {
        "app_id": webhook.app_id,
        "webhook_id": webhook.id,
        "number": news.number,
        "include": name,
        "payload": dict(payload),
        "waits": True,
        "status": str(Outcome.PENDING),
        "attempts": 0,
        "error": "",
        "created_at": at,
        "updated_at": at,
    }


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        row.id,
        row.app_id,
        row.webhook_id,
        row.number,
        row.include,
        row.payload,
        Outcome(row.status),
        row.attempts,
        row.created_at,
        row.updated_at,
        row.code,
        row.error,
        row.attempted_at,
    )
