"""The environment of build phases and processes, as changes to apply in order. Pure (buildpack.md "Environment").

Values are text; bytes that are not UTF-8 are carried as surrogates and come out as they went in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from wherry.domain.errors import InvalidInput
from wherry.domain.text import printable

BUILD_PATHS = {
    "bin": ("PATH",),
    "lib": ("LD_LIBRARY_PATH", "LIBRARY_PATH"),
    "include": ("CPATH",),
    "pkgconfig": ("PKG_CONFIG_PATH",),
}
"""What a layer's folders are added to, for the buildpacks that come later."""
LAUNCH_PATHS = {"bin": ("PATH",), "lib": ("LD_LIBRARY_PATH",)}
"""The same for processes."""

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PATH_LIKE = frozenset(name for names in BUILD_PATHS.values() for name in names)
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
_PASS = frozenset({"HOME", "HOSTNAME", "CNB_STACK_ID", *_PROXIES, *_PATH_LIKE})


class Action(StrEnum):
    OVERRIDE = "override"
    APPEND = "append"
    PREPEND = "prepend"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Change:
    """One variable's change. `delim` stands between the old value and the new one, where there is an old one."""

    name: str
    action: Action
    value: str
    delim: str = ""


def apply(env: Mapping[str, str], changes: Iterable[Change]) -> dict[str, str]:
    result = dict(env)
    for each in changes:
        result[each.name] = _changed(result.get(each.name, ""), each)
    return result


def changes_of(files: Mapping[str, bytes], default: Action = Action.OVERRIDE) -> list[Change]:
    """The files of one env folder, in the order of their names; `default` is what a name without suffix does.

    The name ends at its first dot. Unknown suffixes count for nothing; contents are taken as they are. Raises
    InvalidInput for what no environment can carry.
    """
    changes = []
    for file in sorted(files):
        name, dot, suffix = file.partition(".")
        action = _action(suffix) if dot else default
        if action is None:
            continue
        if not NAME.fullmatch(name):
            raise InvalidInput(f"'{printable(name, 60)}' is not the name of a variable")
        delim = _text(files.get(f"{name}.delim", b""), name)
        changes.append(Change(name, action, _text(files[file], name), delim))
    return changes


def path_changes(layer: str, folders: Iterable[str], paths: Mapping[str, tuple[str, ...]]) -> list[Change]:
    """`layer`: its path in the container; `folders`: the names that it has."""
    have = set(folders)
    return [
        Change(name, Action.PREPEND, f"{layer}/{folder}", ":")
        for folder, names in paths.items()
        if folder in have
        for name in names
    ]


def base_environment(image: Mapping[str, str], platform: Mapping[str, str]) -> dict[str, str]:
    """What passes from the image and from the platform to detect and build: nothing but the listed variables."""
    merged = {"PATH": DEFAULT_PATH, **image, **platform}
    return {name: value for name, value in merged.items() if name in _PASS}


def with_user(env: Mapping[str, str], user: Mapping[str, str]) -> dict[str, str]:
    """Variables like PATH are put before what is there, all others replace it (buildpack.md "User-Provided")."""
    changes = (
        Change(name, Action.PREPEND if name in _PATH_LIKE else Action.OVERRIDE, value, ":")
        for name, value in user.items()
    )
    return apply(env, changes)


def _action(suffix: str) -> Action | None:
    return Action(suffix) if suffix in set(Action) else None


def _changed(old: str, change: Change) -> str:
    match change.action:
        case Action.OVERRIDE:
            return change.value
        case Action.DEFAULT:
            return old or change.value
        case Action.APPEND:
            return old + change.delim + change.value if old else change.value
        case Action.PREPEND:
            return change.value + change.delim + old if old else change.value


def _text(content: bytes, name: str) -> str:
    if b"\0" in content:
        raise InvalidInput(f"the value of {name} has a NUL byte")
    return content.decode("utf-8", "surrogateescape")
