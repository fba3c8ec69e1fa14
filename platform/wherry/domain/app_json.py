"""app.json: what an app says about itself beside its Procfile, in Heroku's form with Dokku's additions.

    env           {NAME: "value" | {description, value, required, generator: "secret"}}    at the first deploy
    formation     {TYPE: {quantity, size}}                                                  for types that are new
                  {TYPE: {autoscaling: {…}}}                                                domain/autoscale.py; so too
    volumes       {TYPE: [{name, path, size_mb}]}                                           domain/volume.py; on a cluster
    scripts       {postdeploy: "command"}                                                   once, after the first deploy
    healthchecks  {TYPE: [{type, path, …}]}                                                 domain/health.py
    cron          [{command, schedule, maintenance, concurrency_policy}]                    domain/cron.py

What else may stand there is somebody else's, or not for us: it is left alone, and said where it would have done
something.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wherry.domain import autoscale, cron, health, strict_json, volume
from wherry.domain.autoscale import MOST_PROCESSES, Autoscale
from wherry.domain.config import KEY, RESERVED
from wherry.domain.cron import CronTask
from wherry.domain.errors import InvalidInput
from wherry.domain.formation import FormationWish, size_named
from wherry.domain.health import Check
from wherry.domain.procfile import LONGEST_COMMAND, TYPE
from wherry.domain.reading import Reading
from wherry.domain.text import printable
from wherry.domain.volume import ONE_AT_A_TIME, Volume

NAME = "app.json"
MOST_BYTES = 256 * 1024
_MOST_ENV = 1000
_LACKED = {
    "addons": "there are no add-ons here",
    "environments": "there are no review apps here",
    "image": "the build image is the platform's",
}
_ENV_LACKED = {"sync": "config is set at the first deploy only"}
_FORMATION_LACKED = {"max_parallel": "all processes are started together", "service": ""}


@dataclass(frozen=True, slots=True)
class EnvWish:
    """One config var of the first deploy: `value`, else a secret that is made up, else it must be set by the user where it
    is `required`.
    """

    value: str | None = None
    required: bool = True
    secret: bool = False


@dataclass(frozen=True, slots=True)
class AppJson:
    """`notices`: for the pusher; they are not kept."""

    env: Mapping[str, EnvWish] = field(default_factory=dict)
    formation: Mapping[str, FormationWish] = field(default_factory=dict)
    healthchecks: Mapping[str, tuple[Check, ...]] = field(default_factory=dict)
    autoscaling: Mapping[str, Autoscale] = field(default_factory=dict)
    volumes: Mapping[str, tuple[Volume, ...]] = field(default_factory=dict)
    cron: tuple[CronTask, ...] = ()
    postdeploy: str = ""
    notices: tuple[str, ...] = field(default=(), compare=False)


NOTHING = AppJson()


def parse(content: bytes) -> AppJson:
    """Raises InvalidInput with every fault and where it stands."""
    found = read(_document(content))
    if torn := [
        f"{NAME}: formation.{name}.{key}: {ONE_AT_A_TIME}" for name in found.volumes for key in _torn(found, name)
    ]:
        raise InvalidInput("app.json cannot be used", problems=torn)
    return found


def _torn(found: AppJson, name: str) -> list[str]:
    """What wants more than one process of a type."""
    wish, load = found.formation.get(name), found.autoscaling.get(name)
    wants = {"quantity": wish.quantity if wish else None, "autoscaling": load.most if load else None}
    return [key for key, most in wants.items() if most is not None and most > 1]


def read(value: object) -> AppJson:
    """From a JSON value: a file's, or one that `write` made. Raises InvalidInput as `parse`."""
    if value is None:
        return NOTHING
    reading = Reading(NAME)
    root = reading.mapping(value, "")
    for key, why in _LACKED.items():
        if root.get(key):
            reading.notice(key, why)
    found = AppJson(
        env=_env(reading, root.get("env")),
        formation=_formation(reading, root.get("formation")),
        healthchecks=_healthchecks(reading, root.get("healthchecks")),
        autoscaling=_autoscaling(reading, root.get("formation")),
        volumes=_volumes(reading, root.get("volumes")),
        cron=cron.read(reading, root.get("cron")),
        postdeploy=_postdeploy(reading, root.get("scripts")),
        notices=reading.notices,
    )
    reading.check("app.json cannot be used")
    return found


def write(wishes: AppJson) -> dict[str, object] | None:
    """What `read` reads again; None for nothing."""
    made: dict[str, object] = {
        "env": {
            name: {
                "required": each.required,
                **({"value": each.value} if each.value is not None else {}),
                **({"generator": "secret"} if each.secret else {}),
            }
            for name, each in wishes.env.items()
        },
        "formation": {name: _formed(wishes, name) for name in {**wishes.formation, **wishes.autoscaling}},
        "volumes": {name: [volume.write(each) for each in found] for name, found in wishes.volumes.items()},
        "healthchecks": {name: [health.write(each) for each in checks] for name, checks in wishes.healthchecks.items()},
        "cron": [cron.write(each) for each in wishes.cron],
        "scripts": {"postdeploy": wishes.postdeploy} if wishes.postdeploy else {},
    }
    return {key: value for key, value in made.items() if value} or None


def _formed(wishes: AppJson, name: str) -> dict[str, object]:
    wish, scaled = wishes.formation.get(name, FormationWish()), wishes.autoscaling.get(name)
    made = {"quantity": wish.quantity, "size": wish.size, "autoscaling": scaled and autoscale.write(scaled)}
    return {key: value for key, value in made.items() if value is not None}


def _document(content: bytes) -> object:
    if len(content) > MOST_BYTES:
        raise InvalidInput(f"{NAME} is longer than {MOST_BYTES // 1024} KiB")
    try:
        value = strict_json.read(content, "utf-8-sig")
    except ValueError as error:
        raise InvalidInput(f"{NAME} is not JSON: {printable(str(error), 200)}") from None
    if not isinstance(value, dict):
        raise InvalidInput(f"{NAME} is not a JSON object")
    return value


def _env(reading: Reading, value: object) -> dict[str, EnvWish]:
    found = {}
    for name, each in reading.mapping(value, "env", _MOST_ENV).items():
        where = f"env.{printable(name, 60)}"
        if not KEY.fullmatch(name):
            reading.fault(where, "a name has letters, digits and underscores, no digit first, at most 128")
        elif RESERVED.fullmatch(name):
            reading.fault(where, "this variable is set by the platform")
        elif isinstance(each, str):
            found[name] = EnvWish(reading.text(each, where) or "", required=False)
        else:
            found[name] = _env_wish(reading, reading.mapping(each, where), where)
    return found


def _env_wish(reading: Reading, each: Mapping[str, object], where: str) -> EnvWish:
    generator = each.get("generator")
    if generator not in (None, "secret"):
        reading.fault(f"{where}.generator", 'there is "secret" only')
    for key, why in _ENV_LACKED.items():
        if each.get(key):
            reading.notice(f"{where}.{key}", why)
    value = reading.text(each.get("value"), f"{where}.value")
    return EnvWish(value, reading.flag(each.get("required"), f"{where}.required", True), generator == "secret")


def _formation(reading: Reading, value: object) -> dict[str, FormationWish]:
    found = {}
    for name, each in reading.mapping(value, "formation").items():
        where = f"formation.{printable(name, 60)}"
        wish = reading.mapping(each, where)
        if not TYPE.fullmatch(name):
            reading.fault(where, "it is not a process type")
        for key, why in _FORMATION_LACKED.items():
            if wish.get(key):
                reading.notice(f"{where}.{key}", why)
        quantity = reading.whole(wish.get("quantity"), f"{where}.quantity", 0, MOST_PROCESSES)
        size = reading.text(wish.get("size"), f"{where}.size")
        try:
            found[name] = FormationWish(quantity, size_named(size) if size is not None else None)
        except InvalidInput as error:
            reading.fault(f"{where}.size", error.message)
    return found


def _autoscaling(reading: Reading, value: object) -> dict[str, Autoscale]:
    """Of types whose faults were told already."""
    found = {}
    for name, each in value.items() if isinstance(value, Mapping) else ():
        if isinstance(each, Mapping):
            found[name] = autoscale.read(
                reading, each.get("autoscaling"), f"formation.{printable(name, 60)}.autoscaling"
            )
    return {name: wish for name, wish in found.items() if wish}


def _volumes(reading: Reading, value: object) -> dict[str, tuple[Volume, ...]]:
    found = {}
    for name, each in reading.mapping(value, "volumes").items():
        where = f"volumes.{printable(name, 60)}"
        if not TYPE.fullmatch(name):
            reading.fault(where, "it is not a process type")
        found[name] = volume.read(reading, each, where)
    names = [each.name for volumes in found.values() for each in volumes]
    if len(set(names)) != len(names):
        reading.fault("volumes", "each volume is one process type's: a name stands twice")
    return {name: volumes for name, volumes in found.items() if volumes}


def _healthchecks(reading: Reading, value: object) -> dict[str, tuple[Check, ...]]:
    found = {}
    for name, each in reading.mapping(value, "healthchecks").items():
        where = f"healthchecks.{printable(name, 60)}"
        if not TYPE.fullmatch(name):
            reading.fault(where, "it is not a process type")
        found[name] = health.read(reading, each, where)
    return {name: checks for name, checks in found.items() if checks}


def _postdeploy(reading: Reading, value: object) -> str:
    scripts = reading.mapping(value, "scripts")
    if reading.mapping(scripts.get("dokku"), "scripts.dokku"):
        reading.notice(
            "scripts.dokku", "commands of the build belong into a buildpack, of the release into the Procfile"
        )
    if scripts.get("pr-predestroy"):
        reading.notice("scripts.pr-predestroy", _LACKED["environments"])
    return reading.text(scripts.get("postdeploy"), "scripts.postdeploy", LONGEST_COMMAND) or ""
