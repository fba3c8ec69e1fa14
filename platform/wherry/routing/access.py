"""Envoy's access log: kept from filling the disk, and one of its records as Heroku's router line."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from wherry.domain.text import printable
from wherry.routing.admin import Admin, NotRunning
from wherry.routing.bootstrap import Place
from wherry.routing.pages import fault_of

MOST_BYTES = 64 * 1024 * 1024


def cap(place: Place, most: int = MOST_BYTES) -> bool:
    """Puts a log that has grown past `most` bytes aside as ``access.log.1``, over the last one; True when it did.

    Envoy writes to the old file until it has opened the new one, so no record is lost.
    """
    log = place.access_log
    try:
        if log.stat().st_size <= most:
            return False
        log.replace(log.with_name(log.name + ".1"))
    except FileNotFoundError:
        return False  # no request yet, or another process was first
    with suppress(NotRunning):  # then it opens a new file at its start
        Admin(place.admin).reopen_logs()
    return True


def router_line(line: bytes, process: str = "") -> str:
    """A record as Heroku shows it: ``at=info method=GET path="/" host=… … status=200 bytes=1459 protocol=http``.

    `process`: the name behind the record's address (``web.1``). Raises ValueError for a line that is no JSON object.
    """
    record = dict(json.loads(line))
    fault = fault_of(str(record.get("flags") or ""), int(record.get("status") or 0))
    start = f'at=error code={fault.code} desc="{_WORDS.get(fault.code, fault.title)}"' if fault else _went(record)
    return (
        f"{start} method={_word(record, 'method')} path={json.dumps(_text(record, 'path', 2000))}"
        f' host={_word(record, "host")} request_id={_word(record, "request_id")} fwd="{_word(record, "fwd")}"'
        f" dyno={process} connect={int(record.get('connect') or 0)}ms service={int(record.get('service') or 0)}ms"
        f" status={int(record.get('status') or 0)} bytes={int(record.get('bytes') or 0)} protocol=http"
    )


# Heroku's words for the codes (devcenter.heroku.com/articles/error-codes), which people's alerts look for.
_WORDS = {
    "H10": "App crashed",
    "H11": "Backlog too deep",
    "H12": "Request timeout",
    "H13": "Connection closed without response",
    "H14": "No web processes running",
    "H17": "Poorly formatted HTTP response",
    "H28": "Client Connection Idle",
    "H80": "Maintenance mode",
    "H99": "Platform error",
}


def _went(record: dict[str, Any]) -> str:
    """Of a request that the app answered: whether the answer, which had begun, came to its end."""
    flags = set(str(record.get("flags") or "").split(","))
    if flags & {"UC", "UR"}:
        return 'at=error code=H18 desc="Server Request Interrupted"'
    if "SI" in flags:
        return 'at=error code=H15 desc="Idle connection"'
    if "DC" in flags:
        return 'at=info code=H27 desc="Client Request Interrupted"'
    return "at=info"


def _word(record: dict[str, Any], key: str) -> str:
    return _text(record, key, 300).replace(" ", "%20").replace('"', "%22")


def _text(record: dict[str, Any], key: str, limit: int) -> str:
    value = record.get(key)
    return "" if value is None else printable(str(value), limit)
