"""/apps: create, list, show, rename, destroy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from wherry.api.body import flag, json_object, only, text
from wherry.api.desk import Call
from wherry.api.shapes import REGION, Json
from wherry.api.windows import Field, Windows
from wherry.domain.build_settings import stack_named
from wherry.domain.errors import InvalidInput
from wherry.domain.model import App
from wherry.domain.names import APP_NAME
from wherry.domain.paging import Window
from wherry.domain.roles import Permission
from wherry.domain.text import printable

_CREATE = ("name", "region", "stack", "team", "organization", "space", "personal", "locked", "internal_routing")
_UPDATE = {
    "owner": Permission.SHARE,
    "name": Permission.ADMIN,
    "maintenance": Permission.OPERATE,
    "build_stack": Permission.DEPLOY,
}
_MOST_CHOSEN = 1000
_HAVE = {"region": REGION}
_OURS = ("name", "owner", "stack", "build_stack", "maintenance")


def create(call: Call) -> ResponseReturnValue:
    body = json_object(request)
    only(body, _CREATE)
    _refuse_what_we_lack(body)
    if (stack := body.get("stack")) is not None:
        stack_named(stack)
    app = call.world.create.run(call.actor, body.get("name"), call.origin)
    if stack is not None:
        app = call.world.stack.run(call.actor, app, stack, call.origin)
    return jsonify(call.shapes.app(app, None)), 201


def index(call: Call) -> ResponseReturnValue:
    return _listed(call, own=False)


def own(call: Call) -> ResponseReturnValue:
    """The actor's own and those shared with them; an admin's too."""
    return _listed(call, own=True)


def show(call: Call, app: App) -> ResponseReturnValue:
    return jsonify(_shown(call, app))


def update(call: Call, app: App) -> ResponseReturnValue:
    body = json_object(request)
    only(body, _UPDATE)
    _refuse_what_we_lack(body)
    if (stack := body.get("build_stack")) is not None:
        stack_named(stack)
    if body.get("maintenance") in (0, 1):
        body["maintenance"] = bool(body["maintenance"])  # heroku3, of Python, sends 0 for false
    maintenance = flag(body, "maintenance")
    for key, permission in _UPDATE.items():
        if body.get(key) is not None:
            call.demand(app, permission)
    if body.get("owner") is not None:
        app = call.world.transfer.run(call.actor, app, body["owner"], call.origin)
    if body.get("name") is not None:
        app = call.world.rename.run(call.actor, app, body["name"], call.origin)
    if stack is not None:
        app = call.world.stack.run(call.actor, app, stack, call.origin)
    if body.get("maintenance") is not None:
        app = call.world.maintain.run(call.actor, app, maintenance, call.origin)
    return jsonify(_shown(call, app))


def destroy(call: Call, app: App) -> ResponseReturnValue:
    shown = _shown(call, app)
    call.world.destroy.run(call.actor, app, call.origin)
    return jsonify(shown)


def chosen(call: Call) -> ResponseReturnValue:
    """Those of a list of ids or names that the actor may see: `{"in": {"id": [...]}}`."""
    body = json_object(request)
    only(body, ("in",))
    wanted = body.get("in")
    if not isinstance(wanted, dict) or set(wanted) not in ({"id"}, {"name"}):
        raise InvalidInput("nothing was looked for", problems=["in: must be {id: [...]} or {name: [...]}"])
    texts = next(iter(wanted.values()))
    if not isinstance(texts, list) or not all(isinstance(each, str) for each in texts):
        raise InvalidInput("nothing was looked for", problems=["in: must hold a list of strings"])
    if len(texts) > _MOST_CHOSEN:
        raise InvalidInput("nothing was looked for", problems=[f"in: {len(texts)} apps; the most is {_MOST_CHOSEN}"])
    numbers = [number for text in texts if (number := call.desk.ids.number("app", text)) is not None]
    names = [text for text in texts if APP_NAME.fullmatch(text)]
    return jsonify(_all_shown(call, call.world.access.among(call.actor, numbers, names)))


def _listed(call: Call, own: bool) -> ResponseReturnValue:
    ids = call.desk.ids

    def fetch(field: str, window: Window) -> list[App]:
        return call.world.access.page(call.actor, window, by_id=field == "id", own=own)

    windows = Windows[App](
        {
            "id": Field(lambda text: ids.known("app", text), lambda app: ids.of("app", app.id)),
            "name": Field(str, lambda app: app.name),
        }
    )
    return windows.answer(request.headers.get("Range"), fetch, lambda page: _all_shown(call, page))


def _all_shown(call: Call, apps: Sequence[App]) -> list[Json]:
    with call.world.ledger.begin(read_only=True) as tx:
        current = tx.releases.currents([app.id for app in apps])
    return [call.shapes.app(app, current.get(app.id)) for app in apps]


def _shown(call: Call, app: App) -> Json:
    return _all_shown(call, [app])[0]


def _refuse_what_we_lack(body: Mapping[str, object]) -> None:
    """A wish that we cannot fulfil is refused; it is never dropped in silence."""
    problems = []
    for key, value in body.items():
        if key in _OURS or value is None or value is False:
            continue
        wanted = text(body, key) if key in _HAVE else None
        if wanted is None:
            problems.append(f"{key}: not available on this platform")
        elif wanted != _HAVE[key]:
            problems.append(f"{key}: no '{printable(wanted, 60)}' (there is: {_HAVE[key]})")
    if problems:
        raise InvalidInput("this platform does not have all that is asked for", problems=problems)
