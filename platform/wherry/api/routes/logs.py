"""Log sessions, and the streams that signed URLs open: no token is asked there, the URL is the permission."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from wherry.api.body import flag, json_object, only, text
from wherry.api.desk import Call, Desk
from wherry.api.shapes import time
from wherry.api.streams import Lines, close, until
from wherry.api.tickets import LogTicket, TailTicket
from wherry.domain.errors import InvalidInput, NotFound
from wherry.domain.model import App, ReleaseStatus
from wherry.domain.text import log_line, printable
from wherry.flow.lanes import build_stream, cron_stream, release_stream

USUAL_LINES = 100
MOST_LINES = 10_000
PAUSE = 1.0
_PROCESS = re.compile(r"[a-z0-9][a-z0-9-]{0,62}(\.[0-9]{1,5})?")
_TIME = re.compile(r"(.*T[0-9:]+)(?:\.([0-9]+))?(?:Z|\+00:00)")

Entries = Iterator[tuple[str, str, bytes] | None]


def create(call: Call, app: App) -> ResponseReturnValue:
    body = json_object(request)
    only(body, ("dyno", "dyno_name", "type", "lines", "source", "tail"))
    process = text(body, "dyno") or text(body, "dyno_name") or text(body, "type") or ""
    if process and not _PROCESS.fullmatch(process):
        raise InvalidInput("no log session", problems=[f"dyno: '{printable(process, 60)}' is not a process as web.1"])
    ticket = TailTicket(app.id, _count(body.get("lines")), flag(body, "tail"), text(body, "source") or "", process)
    now = time(call.world.clock.now())
    url = f"{call.shapes.base}/streams/sessions/{call.desk.tickets.for_tail(ticket)}"
    number = int(call.world.clock.now().timestamp() * 1000)
    return jsonify(
        {"created_at": now, "id": call.desk.ids.of("log session", number), "logplex_url": url, "updated_at": now}
    ), 201


def session(desk: Desk, ticket: str) -> ResponseReturnValue:
    wanted = desk.tickets.tail(ticket)
    _must_exist(desk, wanted.app_id)
    return desk.streams.answer(request, _running(desk, wanted))


def stored(desk: Desk, ticket: str) -> ResponseReturnValue:
    """A build's or a rollout's log from its first line to its end, which may be yet to come."""
    wanted = desk.tickets.log(ticket)
    _must_exist(desk, wanted.app_id)
    return desk.streams.answer(request, stored_lines(desk, wanted))


def stored_lines(desk: Desk, wanted: LogTicket) -> Lines:
    named = {"build": build_stream, "cron": cron_stream}.get(wanted.kind, release_stream)
    stream = named(wanted.number)
    return until(desk.world.logs.follow(stream, idle=PAUSE), lambda: _ended(desk, wanted))


def _ended(desk: Desk, wanted: LogTicket) -> bool:
    with desk.world.ledger.begin(read_only=True) as tx:
        try:
            if wanted.kind == "build":
                return tx.builds.by_id(wanted.number).status.final
            if wanted.kind == "cron":
                return tx.crons.run(wanted.number).status.final
            return tx.releases.by_id(wanted.number).status is not ReleaseStatus.PENDING
        except NotFound:
            return True


def _running(desk: Desk, wanted: TailTicket) -> Generator[str | None, None, None]:
    """What the app's processes write, in Heroku's line format. All of it has the source "app"."""
    if wanted.source not in ("", "app"):
        return
    entries = desk.world.runtime.logs(
        wanted.app_id, follow=wanted.tail, lines=wanted.lines, process=wanted.process or None
    )
    try:
        for entry in entries:
            if entry is None:
                _must_exist(desk, wanted.app_id)
                yield None
            else:
                yield f"{_micro(entry[0])} app[{entry[1]}]: {log_line(entry[2])}"
    except NotFound:
        return  # the app was destroyed: nothing comes any more
    finally:
        close(entries)


def _micro(at: str) -> str:
    """RFC 3339 as Heroku writes it: microseconds and +00:00."""
    match = _TIME.fullmatch(at)
    return f"{match[1]}.{(match[2] or '').ljust(6, '0')[:6]}+00:00" if match else at


def _count(lines: object) -> int:
    if lines is None:
        return USUAL_LINES
    if isinstance(lines, int) and not isinstance(lines, bool) and 1 <= lines <= MOST_LINES:
        return lines
    raise InvalidInput("no log session", problems=[f"lines: must be a whole number from 1 to {MOST_LINES}"])


def _must_exist(desk: Desk, app_id: int) -> None:
    with desk.world.ledger.begin(read_only=True) as tx:
        tx.apps.by_id(app_id)
