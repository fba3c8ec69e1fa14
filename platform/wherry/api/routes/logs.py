"""Log sessions, and the streams that signed URLs open: no token is asked there, the URL is the permission."""

from __future__ import annotations

import re
from collections.abc import Generator
from time import monotonic

from flask import Response, jsonify, request
from flask.typing import ResponseReturnValue

from wherry.api.body import flag, json_object, only, text
from wherry.api.desk import Call, Desk
from wherry.api.shapes import time
from wherry.api.streams import Lines, Numbered, close, until
from wherry.api.tickets import LogTicket, TailTicket
from wherry.domain.errors import Forbidden, InvalidInput, NotFound
from wherry.domain.log import Filter, Kept
from wherry.domain.model import App, ReleaseStatus
from wherry.domain.roles import Permission
from wherry.domain.text import printable
from wherry.flow.lanes import build_stream, cron_stream, release_stream

USUAL_LINES = 100
MOST_LINES = 10_000
MOST_AT_ONCE = 100
PAUSE = 1.0
_PROCESS = re.compile(r"[a-z0-9][a-z0-9-]{0,62}(\.[0-9]{1,5})?")


def create(call: Call, app: App) -> ResponseReturnValue:
    body = json_object(request)
    only(body, ("dyno", "dyno_name", "type", "lines", "source", "tail"))
    process = text(body, "dyno") or text(body, "dyno_name") or text(body, "type") or ""
    if process and not _PROCESS.fullmatch(process):
        raise InvalidInput("no log session", problems=[f"dyno: '{printable(process, 60)}' is not a process as web.1"])
    ticket = TailTicket(
        app.id, _count(body.get("lines")), flag(body, "tail"), text(body, "source") or "", process, call.actor.email
    )
    now = time(call.world.clock.now())
    url = f"{call.shapes.base}/streams/sessions/{call.desk.tickets.for_tail(ticket)}"
    number = int(call.world.clock.now().timestamp() * 1000)
    return jsonify(
        {"created_at": now, "id": call.desk.ids.of("log session", number), "logplex_url": url, "updated_at": now}
    ), 201


def session(desk: Desk, ticket: str) -> ResponseReturnValue:
    """Opened again with `Last-Event-ID`, as every client of server-sent events does, it goes on after that line. What
    does not tail is over then: by 204, which ends such a client's asking.
    """
    seen = _seen(request.headers.get("Last-Event-ID", ""))
    wanted = desk.tickets.tail(ticket, again=seen is not None)
    _must_see(desk, wanted)
    if seen is not None and not wanted.tail:
        return Response(status=204)
    return desk.streams.answer(request, _running(desk, wanted, seen), once=not wanted.tail)


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


def _running(desk: Desk, wanted: TailTicket, seen: int | None) -> Generator[list[Numbered] | None, None, None]:
    """The app's log in Heroku's line format: the last lines, or those after `seen`, and with `tail` what comes."""
    logs, of = desk.world.app_logs, Filter(wanted.source, wanted.process)
    after = logs.last(wanted.app_id) if seen is None else seen
    known = logs.read(wanted.app_id, wanted.lines, of) if seen is None else []
    for at in range(0, len(known), MOST_AT_ONCE):
        yield [_shown(each) for each in known[at : at + MOST_AT_ONCE]]
    if not wanted.tail:
        return
    after = known[-1].number if known else after
    entries, looked = logs.follow(wanted.app_id, after, of, idle=PAUSE, eager=True), monotonic()
    batch: list[Numbered] = []
    try:
        for entry in entries:
            if monotonic() - looked >= PAUSE:
                _must_see(desk, wanted)
                looked = monotonic()
                yield None
            if entry:
                batch.append(_shown(entry))
            if batch and (entry is None or len(batch) == MOST_AT_ONCE):
                yield batch
                batch = []
        if batch:
            yield batch  # the log ended with these
    except (NotFound, Forbidden):
        return  # the app was destroyed, or is no longer this reader's
    finally:
        close(entries)


def _shown(kept: Kept) -> Numbered:
    return Numbered(kept.line.shown(), kept.number)


def _seen(header: str) -> int | None:
    return int(header) if header.isascii() and header.isdecimal() and len(header) < 16 else None


def _count(lines: object) -> int:
    if lines is None:
        return USUAL_LINES
    if isinstance(lines, int) and not isinstance(lines, bool) and 1 <= lines <= MOST_LINES:
        return lines
    raise InvalidInput("no log session", problems=[f"lines: must be a whole number from 1 to {MOST_LINES}"])


def _must_exist(desk: Desk, app_id: int) -> None:
    with desk.world.ledger.begin(read_only=True) as tx:
        tx.apps.by_id(app_id)


def _must_see(desk: Desk, wanted: TailTicket) -> None:
    """Raises NotFound when the app is gone, or no longer for the eyes of whoever asked for the session."""
    with desk.world.ledger.begin(read_only=True) as tx:
        actor = tx.accounts.by_email(wanted.email)
    if actor is None:
        raise NotFound("this log session is nobody's")
    desk.world.access.app(actor, str(wanted.app_id), Permission.VIEW)
