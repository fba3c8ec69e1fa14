"""What runs: processes of the formation, one-offs, and what is run inside one of them."""

from __future__ import annotations

from wherry.api.openapi.notation import (
    COUNT,
    FLAG,
    NOTHING,
    TEXT,
    TIME,
    URL,
    UUID,
    Schema,
    answer,
    body,
    by_name,
    many,
    maybe,
    named,
    word,
)
from wherry.api.openapi.operation import Operation, gets

_DYNO: dict[str, Schema] = {
    "app": answer(id=UUID, name=TEXT),
    "command": TEXT,
    "created_at": TIME,
    "detail": maybe(TEXT),
    "dyno_size": answer(id=UUID, name=TEXT),
    "id": UUID,
    "name": TEXT,
    "release": answer(id=maybe(UUID), version=COUNT),
    "restarts": COUNT,
    "size": TEXT,
    "state": word("starting", "up", "crashed"),
    "type": TEXT,
    "updated_at": TIME,
}
OBJECTS: dict[str, Schema] = {
    "Dyno": answer(**_DYNO, attach_url=NOTHING),
    "OneOff": answer(**_DYNO, attach_url=NOTHING, until=TIME),
    "AttachedOneOff": answer(**_DYNO, attach_url=URL, attach_fingerprint=TEXT, until=TIME),
}
_SECONDS: Schema = {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": "^[0-9]{1,9}$"}]}
_ASKED = Operation(
    body(
        "command",
        command=TEXT,
        attach=maybe(FLAG),
        env=maybe(by_name({"type": ["string", "integer", "null"]})),
        size=maybe(TEXT),
        dyno_size=maybe(TEXT),
        type=maybe(TEXT),
        time_to_live=maybe(_SECONDS),
        force_no_tty=maybe(FLAG),
    ),
    {201: {"anyOf": [named("OneOff"), named("AttachedOneOff")]}},
)
OPERATIONS: dict[str, Operation] = {
    "GET /apps/<app>/dynos": gets(many({"anyOf": [named("Dyno"), named("OneOff")]})),
    "GET /apps/<app>/dynos/<dyno>": gets({"anyOf": [named("Dyno"), named("OneOff")]}),
    "POST /apps/<app>/dynos": _ASKED,
    "POST /apps/<app>/dynos/<dyno>": _ASKED,
}
