"""What webhooks are told: an event of the ledger with its object, in the shapes of Heroku's webhooks (app-webhooks-schema).

No URL that opens a log is in it: whoever gets it may be anybody.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from wherry.api import shapes_people as people
from wherry.api import shapes_processes
from wherry.api.ids import Ids
from wherry.api.shapes import Json, Shapes, time
from wherry.api.tickets import Tickets
from wherry.domain.errors import NotFound
from wherry.domain.formation import SIZES, Scale
from wherry.domain.model import App, BuildStatus, Event, ReleaseStatus
from wherry.domain.roles import Role
from wherry.domain.secret import Secret
from wherry.domain.webhooks import DYNO, STATE, Delivery, News, Webhook
from wherry.flow.ledger_ports import Transaction
from wherry.settings import Settings

VERSION = "application/vnd.heroku+json; version=3"
_SIGNED = "output_stream_url"


@dataclass(frozen=True)
class Announcements:
    """The adapter of flow.webhook_ports.Wording. `key`: that of the API's ids."""

    settings: Settings
    key: Secret

    @property
    def ids(self) -> Ids:
        return Ids(self.key)

    def payload(self, tx: Transaction, app: App, news: News) -> Mapping[str, object]:
        event = news.event
        user = tx.accounts.by_email(event.actor)
        return {
            "action": news.verb,
            "actor": {"email": event.actor, "id": self.ids.of("account", user.id) if user else None},
            "created_at": time(event.at),
            "data": {key: None if key == _SIGNED else value for key, value in self._data(tx, app, news).items()},
            "id": self.ids.of("webhook event", news.number),
            "previous_data": _previous(news),
            "published_at": time(event.at),
            "resource": news.resource,
            "sequence": None,
            "updated_at": time(event.at),
            "version": VERSION,
        }

    def body(self, webhook: Webhook, delivery: Delivery, now: datetime) -> bytes:
        """Its metadata is signed with it: the delivery's id stays the same in every attempt, `sent_at` is the attempt's,
        so that a receiver can refuse what comes twice or late.
        """
        attempt = self.ids.of("webhook attempt", delivery.id * 100 + delivery.attempts + 1)
        metadata = {
            "attempt": {"id": attempt, "sent_at": time(now)},
            "delivery": {"id": self.ids.of("webhook delivery", delivery.id)},
            "event": {"id": self.ids.of("webhook event", delivery.number), "include": delivery.include},
            "webhook": {"id": self.ids.of("webhook", webhook.id)},
        }
        return json.dumps({**delivery.payload, "webhook_metadata": metadata}, separators=(",", ":")).encode()

    def _data(self, tx: Transaction, app: App, news: News) -> Json:
        """The object as it is now; of what is gone, what the event knows."""
        try:
            return _MAKERS[news.include](self._shapes, tx, app, news)
        except NotFound:
            return {"app": {"id": self.ids.of("app", app.id), "name": app.name}, "name": news.name}

    @property
    def _shapes(self) -> Shapes:
        return Shapes(self.settings, self.ids, Tickets(self.key), self.settings.web_url)


def _app(shapes: Shapes, tx: Transaction, app: App, news: News) -> Json:
    after = news.event.after
    then = replace(
        app, name=str(after.get("name", app.name)), maintenance=bool(after.get("maintenance", app.maintenance))
    )
    return shapes.app(then, tx.releases.current(app.id))


def _build(shapes: Shapes, tx: Transaction, app: App, news: News) -> Json:
    build = tx.builds.by_id(int(news.name))
    if news.verb == "create":
        build = replace(build, status=BuildStatus.PENDING, finished_at=None, image=None, failure="", message="")
    return shapes.build(app, build, tx.releases.of_build(build.id) if news.verb != "create" else None)


def _collaborator(shapes: Shapes, tx: Transaction, app: App, news: News) -> Json:
    user = tx.accounts.by_email(news.name)
    found = tx.collaborators.of(app.id, user.id) if user else None
    if found is None:
        whose = {"email": news.name, "id": shapes.ids.of("account", user.id) if user else None}
        return {"app": {"id": shapes.ids.of("app", app.id), "name": app.name}, "user": whose}
    return people.collaborator(shapes, app, found)


def _domain(shapes: Shapes, tx: Transaction, app: App, news: News) -> Json:
    for each in tx.domains.of_app(app.id):
        if each.name == news.name:
            return {**shapes.domain(app, each, "", ""), "proof": None}
    return {"app": {"id": shapes.ids.of("app", app.id), "name": app.name}, "hostname": news.name, "kind": "custom"}


def _dyno(shapes: Shapes, tx: Transaction, app: App, news: News) -> Json:
    """What was asked of it: `name` of a process, a type, or "" for all; or what it did by itself."""
    event, release = news.event, tx.releases.current(app.id)
    if event.action == STATE:
        return _turn(shapes, tx, app, news)
    shown = {"id": shapes.ids.of("release", release.id), "version": release.number} if release else None
    states = {"create": "starting", "destroy": "down", "update": "restarting"}
    return {
        "app": {"id": shapes.ids.of("app", app.id), "name": app.name},
        "command": event.after.get("command"),
        "name": news.name,
        "release": shown,
        "state": states[news.verb],
        "type": news.name.partition(".")[0],
    }


def _turn(shapes: Shapes, tx: Transaction, app: App, news: News) -> Json:
    """The log does not say of which release a process is: while one follows another, and of one that has gone, nobody
    claims to know.
    """
    type, after = news.name.partition(".")[0], news.event.after
    current, newest = tx.releases.current(app.id), tx.releases.newest(app.id)
    release = current if current and newest and current.id == newest.id and news.verb != "destroy" else None
    scale = tx.apps.formation(app.id).get(type)
    return {
        "app": {"id": shapes.ids.of("app", app.id), "name": app.name},
        "command": release.image.processes.get(type) if release else None,
        "exit_status": after.get("exit_status"),
        "life": shapes.ids.of("life", int(str(after["life"]))),
        "name": news.name,
        "release": {"id": shapes.ids.of("release", release.id), "version": release.number} if release else None,
        "size": scale.size if scale else None,
        "state": after["state"],
        "type": type,
    }


def _formation(shapes: Shapes, tx: Transaction, app: App, news: News) -> Json:
    release = tx.releases.newest(app.id)
    if release is None:
        raise NotFound("no release")
    kept = tx.apps.formation(app.id).get(news.name, Scale(0))
    if news.event.action == "formation.change":
        told = _scale(news.event.after.get(news.name))
        kept = replace(told, autoscale=kept.autoscale)
    return shapes_processes.formation(shapes, app, news.name, kept, release)


def _release(shapes: Shapes, tx: Transaction, app: App, news: News) -> Json:
    release = tx.releases.by_number(app.id, int(news.name.removeprefix("v")))
    if news.verb == "create":
        release = replace(release, status=ReleaseStatus.PENDING, finished_at=None, failure="", message="")
    return shapes.release(app, release, tx.releases.standing(app.id, 1))


_MAKERS = {
    "api:app": _app,
    "api:build": _build,
    "api:collaborator": _collaborator,
    "api:domain": _domain,
    "api:dyno": _dyno,
    "api:formation": _formation,
    "api:release": _release,
}


def _previous(news: News) -> Json:
    """Those of the object's fields that were others before."""
    before: Event = news.event
    if news.verb != "update":
        return {}
    if before.action == "formation.change" and news.name in before.before:
        scale = _scale(before.before[news.name])
        return {"quantity": scale.quantity, "size": scale.size}
    if news.include == "api:collaborator":
        roles = str(before.before.get("roles", "")).split(", ")
        return {"permissions": [{"name": each} for each in Role if each in roles]}
    return dict(before.before) if news.include in ("api:app", DYNO) else {}


def _scale(text: object) -> Scale:
    """As the event has it: ``2:standard``."""
    quantity, _, size = str(text or f"0:{next(iter(SIZES))}").partition(":")
    return Scale(int(quantity), size)
