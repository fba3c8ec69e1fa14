"""The launcher of an image, generated at export: small shell scripts, nothing to interpret but what is known only at
the start. Pure (platform.md "Launch"; cnb.md 23).

    /cnb/lifecycle/launcher              picks one of the following by the name it was called by
    /cnb/process/<type>                  a link to it
    /cnb/lifecycle/processes/<type>.sh   the environment of the layers, then the command
    /cnb/lifecycle/command.sh            the same for a command that a user gives
    /cnb/lifecycle/exec-d.awk            only where a layer has exec.d

Every value stands between single quotes, so no shell ever reads it. The variables of the launcher itself begin with
CNB_, which no app may use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from wherry.builds.env import Action, Change
from wherry.builds.model import LaunchProcess

LIFECYCLE = "/cnb/lifecycle"
APP = "/workspace"
SYMLINK = 0o120000
_AGAIN = 'exec bash -c "$@"'
_TEMPORARY = "CNB_START CNB_TOML CNB_SET CNB_TOKENS CNB_EACH OLDPWD"
_OF_BUILD = "CNB_LAYERS_DIR CNB_APP_DIR CNB_PROCESS_TYPE CNB_PLATFORM_API CNB_DEPRECATION_MODE"


@dataclass(frozen=True, slots=True)
class Part:
    """What the layers add before the start, in this order: changes, exec.d programs (paths in the image), and the scripts
    that a shell sources before it runs a process.
    """

    changes: tuple[Change, ...] = ()
    programs: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Start:
    """All that the launcher needs. `parts` maps a process type, or "" for any other command, to what it starts with."""

    processes: Sequence[LaunchProcess]
    parts: Mapping[str, Part]

    def part(self, process: str) -> Part:
        return self.parts.get(process, Part())


def launcher_files(start: Start) -> dict[str, tuple[bytes, int]]:
    """Absolute path in the image to (content, mode); a mode of SYMLINK makes a link."""
    made: dict[str, tuple[bytes, int]] = {f"{LIFECYCLE}/launcher": (_text("launcher.sh"), 0o755)}
    for process in start.processes:
        part = start.part(process.type)
        body = [*_prelude(part), *_run(process, part.profiles)]
        made[f"{LIFECYCLE}/processes/{process.type}.sh"] = (_script(body), 0o644)
        made[f"/cnb/process/{process.type}"] = (f"{LIFECYCLE}/launcher".encode(), SYMLINK)
    made[f"{LIFECYCLE}/command.sh"] = (_script([*_prelude(start.part("")), *_command(start.part("").profiles)]), 0o644)
    if any(part.programs for part in start.parts.values()):
        made[f"{LIFECYCLE}/exec-d.awk"] = (_text("exec-d.awk"), 0o644)
    return made


def quote(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"


def assignment(change: Change) -> str:
    """One change as a line of shell; what it depends on is known only when the process starts."""
    name, value, delim = change.name, quote(change.value), quote(change.delim) if change.delim else ""
    match change.action:
        case Action.OVERRIDE:
            return f"export {name}={value}"
        case Action.DEFAULT:
            return f'[ -n "${{{name}-}}" ] || {name}={value}; export {name}'
        case Action.APPEND:
            joined = f'"${name}"{delim}{value}'
        case Action.PREPEND:
            joined = f'{value}{delim}"${name}"'
    return f'if [ -n "${{{name}-}}" ]; then {name}={joined}; else {name}={value}; fi; export {name}'


def _prelude(part: Part) -> list[str]:
    """Whatever a program of exec.d sets counts more than env files, of later buildpacks too (platform.md "launcher")."""
    return [
        f"unset {_OF_BUILD}",
        _go_to(APP),
        *(assignment(change) for change in part.changes),
        *(f"launch_exec_d {quote(program)}" for program in part.programs),
    ]


def _go_to(folder: str) -> str:
    return f"cd -- {quote(folder)} || exit 82"


def _run(process: LaunchProcess, profiles: Sequence[str]) -> list[str]:
    args = " ".join(quote(each) for each in process.args)
    folder = process.working_dir or APP
    if not process.direct:
        return [f'set -- {quote(process.command[0])} {args} "$@"', *_shell(profiles, folder)]
    defaults = [f"[ $# -gt 0 ] || set -- {args}"] if args else []
    command = " ".join(quote(each) for each in process.command)
    return [*defaults, _go_to(folder), f"unset {_TEMPORARY}", f'exec {command} "$@"']


def _command(profiles: Sequence[str]) -> list[str]:
    """``launcher -- COMMAND ARGS`` runs it as it is, ``launcher COMMAND ARGS`` in a shell."""
    return [
        'if [ "${1-}" = -- ]; then shift; CNB_START=direct; fi',
        'if [ $# -eq 0 ]; then echo "launcher: say what to run: launcher -- COMMAND" >&2; exit 82; fi',
        f'if [ "$CNB_START" = direct ]; then unset {_TEMPORARY}; exec "$@"; fi',
        *_shell(profiles, APP),
    ]


def _shell(profiles: Sequence[str], folder: str) -> list[str]:
    """Runs "$@" by bash in `folder`: one word is a script, more are a command whose words each undergo expansion once.
    Profiles are sourced in the app's folder.
    """
    sources = "".join(f"source {quote(each)}\n" for each in profiles)
    sources += f"if [ -f {quote(APP + '/.profile')} ]; then source {quote(APP + '/.profile')}; fi\n"
    sources += f"{_go_to(folder)}\nunset OLDPWD\n"
    return [
        'CNB_TOKENS=\'"$(eval echo \\"$0\\")"\'',
        "CNB_EACH=1",
        'while [ "$CNB_EACH" -lt $# ]; do',
        '  CNB_TOKENS="$CNB_TOKENS \\"\\$(eval echo \\\\\\"\\${$CNB_EACH}\\\\\\")\\""',
        "  CNB_EACH=$((CNB_EACH + 1))",
        "done",
        '[ $# -eq 1 ] || set -- "$CNB_TOKENS" "$@"',
        f"unset {_TEMPORARY}",
        f'exec bash -c {quote(sources + _AGAIN)} bash "$@"',
    ]


def _script(lines: Sequence[str]) -> bytes:
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogateescape")


def _text(name: str) -> bytes:
    return files("wherry.builds").joinpath(name).read_bytes()
