"""Webhooks and their deliveries in the JSON shapes of Heroku's Platform API v3. Pure, as `shapes` is."""

from __future__ import annotations

from datetime import datetime

from wherry.api.shapes import Json, Shapes, time
from wherry.domain.model import App
from wherry.domain.webhooks import Delivery, Webhook


def webhook(shapes: Shapes, app: App, hook: Webhook) -> Json:
    """Its secret is shown to who makes it, and never again. Beside Heroku's fields: whether it is on, and why not."""
    return {
        "active": hook.off_at is None,
        "app": shapes.app_reference(app),
        "created_at": time(hook.created_at),
        "failures": hook.failures,
        "id": shapes.ids.of("webhook", hook.id),
        "include": list(hook.wanted.include),
        "level": str(hook.wanted.level),
        "reason": hook.reason or None,
        "updated_at": time(hook.updated_at),
        "url": hook.wanted.url.reveal(),
    }


def delivery(shapes: Shapes, found: Delivery, hook: Webhook) -> Json:
    following = None if found.outcome.final else hook.resume_at or found.created_at
    return {
        "created_at": time(found.created_at),
        "event": {"id": shapes.ids.of("webhook event", found.number), "include": found.include},
        "id": shapes.ids.of("webhook delivery", found.id),
        "last_attempt": _attempt(shapes, found, found.attempted_at) if found.attempted_at else None,
        "next_attempt_at": time(following),
        "num_attempts": found.attempts,
        "status": str(found.outcome),
        "updated_at": time(found.updated_at),
        "webhook": {"id": shapes.ids.of("webhook", hook.id), "level": str(hook.wanted.level)},
    }


def news(shapes: Shapes, found: Delivery) -> Json:
    at = time(found.created_at)
    payload = {key: value for key, value in found.payload.items() if key not in ("id", "created_at")}
    return {
        "created_at": at,
        "id": shapes.ids.of("webhook event", found.number),
        "include": found.include,
        "payload": payload,
        "updated_at": at,
    }


def _attempt(shapes: Shapes, found: Delivery, at: datetime) -> Json:
    return {
        "code": found.code,
        "created_at": time(at),
        "error_class": found.error or None,
        "id": shapes.ids.of("webhook attempt", found.id * 100 + found.attempts),
        "status": "succeeded" if found.code is not None and 200 <= found.code < 300 else "failed",
        "updated_at": time(at),
    }
