"""launch.toml: the processes, labels and slices of one buildpack, and how those of a group add up. Pure
(buildpack.md "launch.toml").
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from wherry.builds.descriptor import at_least, fits
from wherry.builds.model import Buildpack, LaunchProcess
from wherry.builds.toml_files import Table
from wherry.domain.errors import InvalidInput
from wherry.domain.text import printable

TYPE = re.compile(r"[A-Za-z0-9._-]{1,63}")


@dataclass(frozen=True, slots=True)
class Launch:
    processes: tuple[LaunchProcess, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    slices: tuple[tuple[str, ...], ...] = ()


def read_launch(table: Table, buildpack: Buildpack, exec_env: str = "production") -> Launch:
    """Raises InvalidInput for a process that cannot start, or two of one type."""
    found = (_process(each, buildpack) for each in table.tables("processes"))
    processes = tuple(each for each in found if fits(each.exec_env, exec_env))
    types = [each.type for each in processes]
    if twice := {each for each in types if types.count(each) > 1}:
        raise InvalidInput(f"{table.where} has the process type {', '.join(sorted(twice))} twice")
    if sum(each.default for each in processes) > 1:
        raise InvalidInput(f"{table.where} has more than one default process")
    labels = tuple((each.text("key"), each.text("value")) for each in table.tables("labels"))
    return Launch(processes, labels, tuple(each.texts("paths") for each in table.tables("slices")))


def merged(launches: Iterable[Launch]) -> Launch:
    """Of all buildpacks of the group, in its order. A later one replaces processes of the same type; the last default
    counts, and is none when its type is replaced by a process that is not the default.
    """
    processes: dict[str, LaunchProcess] = {}
    labels: dict[str, str] = {}
    slices: list[tuple[str, ...]] = []
    default = ""
    for launch in launches:
        for each in launch.processes:
            processes[each.type] = replace(each, default=False)
            if each.default:
                default = each.type
            elif default == each.type:
                default = ""
        labels |= dict(launch.labels)
        slices += launch.slices
    if default:
        processes[default] = replace(processes[default], default=True)
    ordered = tuple(processes[name] for name in sorted(processes))
    return Launch(ordered, tuple(sorted(labels.items())), tuple(slices))


def _process(table: Table, buildpack: Buildpack) -> LaunchProcess:
    kind = table.text("type")
    if not TYPE.fullmatch(kind) or kind in (".", ".."):
        raise InvalidInput(f"{table.where}: '{printable(kind, 60)}' is not a process type")
    command, args, direct = _command(table, buildpack)
    if not command or not command[0] or command[0].startswith("-"):
        raise InvalidInput(f"{table.where}: the process {kind} has no command")
    exec_env = table.texts("exec-env") if at_least(buildpack.api, 0, 12) else ()
    working_dir = table.text("working-dir")
    return LaunchProcess(kind, command, args, table.flag("default"), direct, working_dir, buildpack.id, exec_env)


def _command(table: Table, buildpack: Buildpack) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    """Before Buildpack API 0.9 the command is a string, which a shell runs unless ``direct`` is set, and a user's
    arguments are appended, as they are to `command` now.
    """
    args = table.texts("args")
    if at_least(buildpack.api, 0, 9):
        if "direct" in table.values:
            raise InvalidInput(
                f"{table.where}: 'direct' ended with Buildpack API 0.9: for a shell, command = ['bash', '-c', …]"
            )
        return table.texts("command"), args, True
    if table.flag("direct"):
        return (table.text("command"), *args), (), True
    return (table.text("command"),), args, False
