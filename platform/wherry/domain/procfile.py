"""Procfile: ``type: command`` a line (Heroku's dialect, with Dokku's grammar of types)."""

from __future__ import annotations

import re

from wherry.domain.errors import InvalidInput
from wherry.domain.text import printable

TYPE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
MOST_BYTES = 64 * 1024
MOST_TYPES = 100
LONGEST_COMMAND = 32 * 1024


def parse(content: bytes) -> dict[str, str]:
    """Process types to shell commands, in the file's order; {} for a file without any.

    Blank lines, ``#`` comments, CRLF, a byte order mark and a missing last newline are taken. The command is not
    parsed: an unclosed quote is the shell's to refuse when the process starts. Raises InvalidInput with every fault
    and its line.
    """
    if len(content) > MOST_BYTES or b"\0" in content:
        raise InvalidInput("Procfile is not a regular text file of at most 64 KiB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = content[: error.start].count(b"\n") + 1
        raise InvalidInput(
            "Procfile is not UTF-8 text", problems=[f"Procfile:{number}: byte 0x{content[error.start]:02x}"]
        ) from None
    types: dict[str, str] = {}
    problems: list[str] = []
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        name, colon, command = (part.strip() for part in line.partition(":"))
        if fault := _fault(name, colon, command, types):
            problems.append(f"Procfile:{number}: {fault}")
        else:
            types[name] = command
    if len(types) > MOST_TYPES:
        problems.append(f"Procfile: {len(types)} process types; the most is {MOST_TYPES}")
    if problems:
        raise InvalidInput(
            "Procfile cannot be read",
            problems=problems,
            hint="A line is 'type: command', as in 'web: python app.py'.",
        )
    return types


def _fault(name: str, colon: str, command: str, seen: dict[str, str]) -> str:
    if not colon:
        return f"no colon in '{printable(name, 60)}'"
    if not TYPE.fullmatch(name):
        return f"'{printable(name, 60)}' is not a process type (lower-case letters, digits and dashes)"
    if not command:
        return f"'{name}' has no command"
    if len(command) > LONGEST_COMMAND:
        return f"the command of '{name}' is longer than {LONGEST_COMMAND} characters"
    return f"'{name}' stands twice" if name in seen else ""
