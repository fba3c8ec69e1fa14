"""Completion: from the words before the cursor to what may stand there. Knows the commands; what only the platform knows
comes from suggestions.py.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping, Sequence

import click

from wherry.cli import suggestions
from wherry.cli.names import ALIASES, COMMANDS, MACHINE, MACHINE_OPTIONS, canonical, joined
from wherry.cli.shells import BREAKS, FILES, LINE
from wherry.cli.suggestions import Candidate
from wherry.cli.words import Carrying

_ABOUT_HELP = "Show how it is used."


def complete(group: click.Group, shell: str, argv: Sequence[str], environ: Mapping[str, str]) -> None:
    """Prints the candidates as the shell's script (shells.py) reads them."""
    words = _words(environ.get(LINE, "")) if shell == "bash" else list(argv[1:])  # after their first "--"
    current = words[-1] if words else ""
    kept = _bash_keeps(current, environ.get(BREAKS, "")) if shell == "bash" else 0
    for value, about in candidates(group, words):
        sys.stdout.write(f"{value[kept:] if value != FILES else value}\t{about}".rstrip("\t") + "\n")
    sys.stdout.flush()


def candidates(group: click.Group, words: Sequence[str]) -> list[Candidate]:
    """`words`: all behind `wherry`; the last is what is being typed, and may be empty."""
    *before, current = words or [""]
    if not before:
        return _starting(_names(), current)
    spaced = _spaced(before[0]) if len(before) == 1 else []
    name, *rest = joined(before)
    context = click.Context(group, resilient_parsing=True)
    command = None if name in MACHINE else group.get_command(context, canonical(name))
    of_machine = [Candidate(option) for option in MACHINE_OPTIONS.get(name, ())]
    found = _of_command(command, canonical(name), rest, current) if command else _starting(of_machine, current)
    return [*_starting(spaced, current), *found]


def _names() -> list[Candidate]:
    known = {name: about.help for name, about in COMMANDS.items()} | MACHINE
    short = {name: f"{of}: {known[of]}" for name, of in ALIASES.items() if ":" not in name}
    return sorted(Candidate(name, about) for name, about in (known | short).items())


def _spaced(topic: str) -> list[Candidate]:
    """``ps scale`` is ``ps:scale``."""
    names = {name: about for name, about in _names() if name.startswith(f"{topic}:")}
    return [Candidate(name.removeprefix(f"{topic}:"), about) for name, about in names.items()]


def _of_command(command: click.Command, name: str, rest: Sequence[str], current: str) -> list[Candidate]:
    options = {each: option for option in command.params if isinstance(option, click.Option) for each in option.opts}
    given: dict[str, str] = {}
    pending: click.Option | None = None
    place, ended = 0, False
    for word in rest:
        flag, equals, value = word.partition("=")
        if pending:
            given[str(pending.name)], pending = word, None
        elif ended or not word.startswith("-") or word == "-":
            place += 1
        elif word == "--":
            ended = True
        elif option := options.get(flag):
            given[str(option.name)] = value
            pending = None if option.is_flag or equals else option
    asked = suggestions.Asked(name, given, current)
    if pending:
        return _values(pending, asked)
    flag, equals, value = current.partition("=")
    if equals and flag in options and flag.startswith("--") and not ended:
        found = _values(options[flag], suggestions.Asked(name, given, value))
        return [Candidate(f"{flag}={each.value}", each.about) for each in found if each.value != FILES]
    if current.startswith("-") and not ended:
        return _flags(command, given, current)
    return _of_place(command, asked, place)


def _flags(command: click.Command, given: Mapping[str, str], current: str) -> list[Candidate]:
    """The long names; short ones only while there is nothing but the dash."""
    found = [Candidate("--help", _ABOUT_HELP)]
    for option in command.params:
        if isinstance(option, click.Option) and not option.hidden and (option.name not in given or option.multiple):
            names = [each for each in option.opts if each.startswith("--") or current != "--"]
            found += [Candidate(each, option.help or "") for each in names if each.startswith("--") or current == "-"]
    return _starting(found, current)


def _of_place(command: click.Command, asked: suggestions.Asked, place: int) -> list[Candidate]:
    arguments = [each for each in command.params if isinstance(each, click.Argument)]
    if not arguments or (place >= len(arguments) and arguments[-1].nargs != -1):
        return []
    argument = arguments[min(place, len(arguments) - 1)]
    if isinstance(command, Carrying) and argument.nargs == -1:
        return [Candidate(FILES)]
    return _values(argument, asked)


def _values(parameter: click.Parameter, asked: suggestions.Asked) -> list[Candidate]:
    if isinstance(parameter.type, click.Choice):
        return _starting([Candidate(str(each)) for each in parameter.type.choices], asked.current)
    if isinstance(parameter.type, click.Path | click.File):
        return [Candidate(FILES)]
    return _starting(suggestions.values(str(parameter.name), asked, os.environ), asked.current)


def _starting(found: Sequence[Candidate], current: str) -> list[Candidate]:
    return [each for each in found if each.value.startswith(current)]


def _words(line: str) -> list[str]:
    """As a shell splits them, an open quote at the end included; without the command itself."""
    reader = shlex.shlex(line, posix=True, punctuation_chars=False)
    reader.whitespace_split, reader.commenters = True, ""
    words: list[str] = []
    try:
        words += iter(reader)
    except ValueError:
        return [*words[1:], reader.token or ""]
    return words[1:] + ([""] if line[-1:].isspace() else [])


def _bash_keeps(current: str, breaks: str) -> int:
    """How much of the word bash leaves as it is: it replaces only what follows the last break."""
    return max((current.rfind(each) + 1 for each in breaks if not each.isspace()), default=0)
