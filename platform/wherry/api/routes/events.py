"""/events: who changed what, and whether that history is still what it was."""

from __future__ import annotations

import re

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from wherry.api.desk import Call
from wherry.api.shapes import Json
from wherry.api.windows import Field, Windows
from wherry.domain.chain import head_of
from wherry.domain.model import App, Event
from wherry.domain.paging import Window


def index(call: Call) -> ResponseReturnValue:
    """Of the whole platform: the admin's."""
    return _listed(call, None)


def of_app(call: Call, app: App) -> ResponseReturnValue:
    return _listed(call, app.id)


def chain(call: Call) -> ResponseReturnValue:
    """Verifies the whole history; `?head=`: also against a head that was noted earlier."""
    known = request.args.get("head")
    verified = call.world.verify.run(head_of(known) if known is not None else None)
    broken = verified.broken
    return jsonify(
        {
            "broken": {"number": broken.id, "reason": broken.reason} if broken else None,
            "events": verified.events,
            "head": str(verified.head) if verified.head else None,
            "heads": verified.heads,
            "intact": broken is None,
        }
    )


def _listed(call: Call, app_id: int | None) -> ResponseReturnValue:
    def fetch(field: str, window: Window) -> list[Event]:
        with call.world.ledger.begin(read_only=True) as tx:
            return tx.events.page(app_id, window)

    windows = Windows[Event]({"number": Field(_number, lambda event: str(event.id))})
    return windows.answer(request.headers.get("Range"), fetch, lambda page: [_shown(call, each) for each in page])


def _shown(call: Call, event: Event) -> Json:
    ids = call.desk.ids
    return {
        "action": event.action,
        "actor": {"email": event.actor},
        "after": event.after,
        "app": {"id": ids.of("app", event.app_id) if event.app_id else None, "name": event.app} if event.app else None,
        "before": event.before,
        "created_at": event.at.isoformat(),
        "hash": event.hash,
        "id": ids.of("event", event.id),
        "number": event.id,
        "origin": event.origin or None,
    }


def _number(text: str) -> int:
    if not re.fullmatch("[0-9]{1,18}", text):
        raise ValueError("not a number")
    return int(text)
