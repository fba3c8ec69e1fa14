"""heroku.yml: which Dockerfiles make an app, and what its images run (Heroku, "Building Docker Images with heroku.yml").
Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wherry.builds import yaml_files
from wherry.builds.project_reading import Faults, Node
from wherry.domain.config import KEY, LONGEST_VALUE, MOST_KEYS
from wherry.domain.errors import InvalidInput
from wherry.domain.formation import RELEASE
from wherry.domain.procfile import LONGEST_COMMAND, MOST_TYPES, TYPE
from wherry.domain.text import printable

NAME = "heroku.yml"
MOST_BYTES = 64 * 1024
_PROXIES = ("http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy")
"""Arguments that the engine hands to every step unasked, and that are the operator's to set."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """One image: its Dockerfile, whose folder is what is sent along, and the stage to stop at ("" for the last)."""

    dockerfile: str
    target: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """`command`: words, or one line for the shell. `image`: the type whose image it runs."""

    command: tuple[str, ...]
    image: str = ""


@dataclass(frozen=True, slots=True)
class HerokuYml:
    """`images` by process type; `run` has the release phase too, as `release`."""

    images: Mapping[str, Recipe] = field(default_factory=dict)
    args: Mapping[str, str] = field(default_factory=dict)
    run: Mapping[str, Run] = field(default_factory=dict)
    notices: tuple[str, ...] = ()


def read(content: bytes | None) -> HerokuYml:
    """Raises InvalidInput with every fault and its path."""
    if content is None:
        return HerokuYml()
    faults = Faults()
    found = _read(Node(yaml_files.parse(content, NAME), "", faults))
    if faults.problems:
        raise InvalidInput(f"{NAME} is not right", problems=faults.problems, hint="Its keys: docs/containers.md")
    return found


def _read(root: Node) -> HerokuYml:
    root.only(("setup", "build", "release", "run"))
    build = root.table("build")
    build.only(("docker", "config"))
    images = _images(build.table("docker"))
    run = _runs(root.table("run"))
    if release := _release(root.table("release")):
        run[RELEASE] = release
    _check_images(root, images, run)
    notices = list(root.faults.notices)
    if "setup" in root.values:
        notices.append("setup is passed over: add-ons and config are set on the app itself.")
    return HerokuYml(images, _args(build.table("config")), run, tuple(notices))


def _images(docker: Node) -> dict[str, Recipe]:
    found: dict[str, Recipe] = {}
    for name, value in docker.values.items():
        _check_type(docker, name)
        if isinstance(value, dict):
            table = docker.table(name)
            table.only(("dockerfile", "target"))
            path, target, at = table.text("dockerfile"), table.text("target"), (table, "dockerfile")
        else:
            path, target, at = docker.text(name), "", (docker, name)
        if fault := _path_fault(path):
            at[0].wrong(at[1], fault)
        found[name] = Recipe(path.removeprefix("./"), target)
    if len(found) > MOST_TYPES:
        docker.wrong("", f"has {len(found)} images; the most is {MOST_TYPES}")
    return found


def _path_fault(path: str) -> str:
    parts = path.removeprefix("./").split("/")
    if not path:
        return "must be the path of a Dockerfile"
    if any(part in ("", ".", "..") for part in parts) or not path.isprintable() or len(path) > 1000:
        return f"'{printable(path, 60)}' is not a path inside the app"
    return ""


def _args(config: Node) -> dict[str, str]:
    found = {}
    for name in config.values:
        value = config.text(name)
        if not KEY.fullmatch(name):
            config.wrong(name, "is not the name of a variable")
        elif name.lower() in _PROXIES:
            config.wrong(name, "not permitted: the platform's operator chooses it")
        elif len(value.encode("utf-8", "surrogatepass")) > LONGEST_VALUE:
            config.wrong(name, "is longer than 32 KiB")
        found[name] = value
    if len(found) > MOST_KEYS:
        config.wrong("", f"has {len(found)} variables; the most is {MOST_KEYS}")
    return found


def _runs(table: Node) -> dict[str, Run]:
    found = {}
    for name, value in table.values.items():
        _check_type(table, name)
        if name == RELEASE:
            table.wrong(name, "stands at the top of the file, not below run")
        if isinstance(value, dict):
            inner = table.table(name)
            inner.only(("command", "image"))
            found[name] = Run(_command(inner, "command"), inner.text("image"))
        else:
            found[name] = Run(_command(table, name))
    if len(found) > MOST_TYPES:
        table.wrong("", f"has {len(found)} process types; the most is {MOST_TYPES}")
    return found


def _release(table: Node) -> Run | None:
    if not table.values:
        return None
    table.only(("command", "image"))
    command = _command(table, "command") if "command" in table.values else ()
    return Run(command, table.text("image"))


def _command(table: Node, key: str) -> tuple[str, ...]:
    """A list of one is a line for the shell, as on Heroku; a longer one is the words of a program that needs none."""
    value = table.values.get(key)
    words = tuple(table.texts(key) or ()) if isinstance(value, list) else tuple(filter(None, [table.text(key)]))
    if not words or not words[0].strip():
        table.wrong(key, "has no command")
    elif sum(map(len, words)) > LONGEST_COMMAND:
        table.wrong(key, f"is longer than {LONGEST_COMMAND} characters")
    return words


def _check_type(table: Node, name: str) -> None:
    if not TYPE.fullmatch(name):
        table.wrong(name, "is not a process type (lower-case letters, digits and dashes)")


def _check_images(root: Node, images: Mapping[str, Recipe], run: Mapping[str, Run]) -> None:
    """Each process runs its own image, the one that it names, or the only one there is."""
    if not images:
        return
    for name, each in run.items():
        node, key = (root, RELEASE) if name == RELEASE else (root.table("run"), name)
        if each.image and each.image not in images:
            have = ", ".join(images)
            node.wrong(key, f"image '{printable(each.image, 60)}' is not among those of build.docker: have {have}")
        elif not each.image and name not in images and len(images) > 1:
            node.wrong(key, f"says no image, and there are several: {', '.join(images)}")
        elif name == RELEASE and not each.command and not each.image and name not in images:
            node.wrong(key, "says neither command nor image")
