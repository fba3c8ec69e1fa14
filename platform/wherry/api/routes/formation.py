"""/apps/APP/formation: quantities and sizes of process types."""

from __future__ import annotations

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from wherry.api import shapes_processes
from wherry.api.body import json_object, only, text
from wherry.api.desk import Call
from wherry.api.routes.config import RELEASE_HEADER
from wherry.api.shapes import Json
from wherry.domain.errors import InvalidInput, NotFound
from wherry.domain.formation import RELEASE, SIZES, Formation, Scale
from wherry.domain.model import App
from wherry.domain.roles import Permission
from wherry.domain.text import printable

_CHANGE = ("quantity", "size", "dyno_size")
Change = tuple[object, object]


def index(call: Call, app: App) -> ResponseReturnValue:
    return jsonify(_shown(call, app))


def show(call: Call, app: App, type: str) -> ResponseReturnValue:
    return jsonify(_one(call, app, type))


def change(call: Call, app: App) -> ResponseReturnValue:
    """`updates`: a list of {type, quantity, size}, or of {type, docker_image}; all of it or nothing. Images make a
    release, which a header names.
    """
    body = json_object(request)
    only(body, ("updates",))
    if images := _images(body.get("updates")):
        call.demand(app, Permission.DEPLOY)
        release = call.world.release_images.run(call.actor, app, images, call.origin)
        return jsonify(_shown(call, app)), {RELEASE_HEADER: release.name}
    call.demand(app, Permission.OPERATE)
    call.world.scale.run(call.actor, app, _updates(body.get("updates")), call.origin)
    return jsonify(_shown(call, app))


def change_one(call: Call, app: App, type: str) -> ResponseReturnValue:
    _one(call, app, type)
    body = json_object(request)
    only(body, _CHANGE)
    call.world.scale.run(call.actor, app, {type: _wish(body)}, call.origin)
    return jsonify(_one(call, app, type))


def enable_autoscaling(call: Call, app: App, type: str) -> ResponseReturnValue:
    """The body: as `formation.TYPE.autoscaling` of an app.json."""
    name = str(_one(call, app, type)["type"])
    call.world.autoscale.enable(call.actor, app, name, json_object(request), call.origin)
    return jsonify(_one(call, app, name))


def disable_autoscaling(call: Call, app: App, type: str) -> ResponseReturnValue:
    name = str(_one(call, app, type)["type"])
    call.world.autoscale.disable(call.actor, app, name, call.origin)
    return jsonify(_one(call, app, name))


def _shown(call: Call, app: App) -> list[Json]:
    """With the release phase, of which none ever runs on: Heroku's clients see by it that there is one."""
    formation: Formation
    formation, release = call.world.scale.show(app)
    if release is None:
        return []
    if RELEASE in release.image.processes:
        formation = {**formation, RELEASE: Scale(0)}
    return [shapes_processes.formation(call.shapes, app, name, scale, release) for name, scale in formation.items()]


def _one(call: Call, app: App, type: str) -> Json:
    """By type or id. Raises NotFound."""
    for each in _shown(call, app):
        if type in (each["type"], each["id"]):
            return each
    raise NotFound(
        f"{app.name} has no process type '{printable(type, 60)}'", hint=f"To see them: wherry ps -a {app.name}"
    )


def _updates(wanted: object) -> dict[str, Change]:
    if not isinstance(wanted, list) or not all(isinstance(each, dict) for each in wanted):
        raise InvalidInput("nothing was scaled", problems=["updates: must be a list of {type, quantity, size}"])
    changes: dict[str, Change] = {}
    problems = []
    for place, each in enumerate(wanted):
        if not isinstance(name := each.get("type"), str):
            problems.append(f"updates[{place}].type: must be a string")
            continue
        if name in changes:
            problems.append(f"updates[{place}].type: {printable(name, 60)} stands twice")
        only(each, ("type", *_CHANGE))
        changes[name] = _wish(each)
    if problems:
        raise InvalidInput("nothing was scaled", problems=problems)
    return changes


def _images(wanted: object) -> dict[str, str]:
    """Type to image, when images are what is asked for. Raises InvalidInput when not all of the list says so."""
    if not isinstance(wanted, list) or not any(isinstance(each, dict) and "docker_image" in each for each in wanted):
        return {}
    problems = []
    images: dict[str, str] = {}
    for place, each in enumerate(wanted):
        name, image = (each.get("type"), each.get("docker_image")) if isinstance(each, dict) else (None, None)
        if not isinstance(name, str) or not isinstance(image, str) or set(each) != {"type", "docker_image"}:
            problems.append(f"updates[{place}]: must be {{type, docker_image}}, as the others")
        elif name in images:
            problems.append(f"updates[{place}].type: {printable(name, 60)} stands twice")
        else:
            images[name] = image
    if problems:
        raise InvalidInput("nothing was released", problems=problems)
    return images


def _named(size: dict[str, object]) -> str | None:
    """Raises InvalidInput for one that only its id would name: that nothing came of it must not go unseen."""
    only(size, ("id", "name"))
    name = text(size, "name")
    if name is None and size.get("id") is not None:
        raise InvalidInput(
            "nothing was scaled", problems=[f"dyno_size: must have a name (there are: {', '.join(SIZES)})"]
        )
    return name


def _wish(body: dict[str, object]) -> Change:
    """The size as a name, or as Heroku's {"dyno_size": {"name": …}}. A quantity of null is no wish, as if absent."""
    size = body.get("size")
    nested = body.get("dyno_size")
    if size is None and nested is not None:
        size = _named(nested) if isinstance(nested, dict) else nested
    return body.get("quantity"), size
