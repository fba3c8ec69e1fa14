"""What is to be known of a Dockerfile before it is built: that it asks for nothing we do not give. Pure.

The engine's own builder reads it (docs/decisions/0008). What only another builder understands would fail there late, or
be taken for something else; what names an image that belongs to others would work.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from wherry.domain.errors import InvalidInput
from wherry.domain.text import printable
from wherry.images.manifest import architecture

MOST_BYTES = 256 * 1024
CA_FILE = ".wherry/ca-certificates.crt"
"""The operator's certificates, in what is sent along with a Dockerfile that names this path."""

_DIRECTIVE = re.compile(r"#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*")
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?:(:?[-+])([^}]*))?\})")
_HEREDOC = re.compile(r"<<-?\s*[\"']?[A-Za-z_]")
_FLAGS = re.compile(r"(?:--\S+\s+)*")
_ALIAS = re.compile(r"\sas\s+(\S+)\s*$", re.IGNORECASE)
_ID = re.compile(r"(?:sha256:)?[0-9a-f]{1,64}")
_NEWER = {
    "RUN": ("--mount", "--network", "--security"),
    "COPY": ("--link", "--chmod", "--parents", "--exclude"),
    "ADD": ("--link", "--chmod", "--keep-git-dir", "--checksum", "--exclude", "--unpack"),
}


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """`bases`: the references that it builds on, of all stages."""

    bases: tuple[str, ...]
    exposes: bool
    wants_bundle: bool


@dataclass(frozen=True, slots=True)
class _Instruction:
    line: int
    name: str
    rest: str


def read(content: bytes, shown: str, args: Mapping[str, str]) -> Dockerfile:
    """`args`: the values of its ARGs. Raises InvalidInput with every fault and its line."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{shown} is not UTF-8 text: byte 0x{content[error.start]:02x}") from None
    directives, escape = _directives(text)
    problems = [f"{shown}:{line}: {why}" for line, why in directives]
    instructions = _instructions(text, escape)
    bases = _Bases(args)
    for each in instructions:
        bases.take(each)
    for number, line in enumerate(text.split("\n"), 1):
        bases.look(number, line)
    faults = bases.faults + [(each.line, why) for each in instructions if (why := _too_new(each))]
    problems += [f"{shown}:{line}: {why}" for line, why in sorted(faults)]
    if not any(each.name == "FROM" for each in instructions):
        problems.append(f"{shown}: has no FROM")
    if problems:
        raise InvalidInput(f"{shown} cannot be built here", problems=problems, hint="What can: docs/containers.md")
    exposes = any(each.name == "EXPOSE" for each in instructions)
    return Dockerfile(tuple(dict.fromkeys(bases.found)), exposes, "/ca-certificates.cr" in text and ".wherry/" in text)


def _directives(text: str) -> tuple[list[tuple[int, str]], str]:
    """Those lines ``# key=value`` that stand before all else; the faults among them, and the escape character."""
    faults, escape = [], "\\"
    for number, line in enumerate(text.split("\n"), 1):
        match = _DIRECTIVE.fullmatch(line.strip())
        if not match:
            break
        key, value = match[1].lower(), match[2]
        if key == "syntax":
            faults.append(
                (number, f"syntax={printable(value, 60)}: another program would read the file; remove the line")
            )
        elif key == "escape" and value in ("\\", "`"):
            escape = value
    return faults, escape


def _instructions(text: str, escape: str) -> list[_Instruction]:
    """Lines put together where they go on; comments and blank lines between them count for nothing."""
    found: list[_Instruction] = []
    begun, whole = 0, ""
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.rstrip()
        if not line or line.lstrip().startswith("#"):
            continue
        begun = begun or number
        whole += line.removesuffix(escape)
        if not line.endswith(escape):
            found.append(_instruction(begun, whole))
            begun, whole = 0, ""
    return [*found, _instruction(begun, whole)] if whole else found


def _instruction(line: int, text: str) -> _Instruction:
    name, _, rest = text.strip().replace("\t", " ").partition(" ")
    if name.upper() == "ONBUILD":
        return _instruction(line, rest)
    return _Instruction(line, name.upper(), rest.strip())


def _too_new(instruction: _Instruction) -> str:
    flags = _FLAGS.match(instruction.rest + " ")
    words = flags[0].split() if flags else []
    for word in words:
        if (
            instruction.name == "FROM"
            and word.startswith("--platform=")
            and word != f"--platform=linux/{architecture()}"
        ):
            return f"FROM {printable(word, 60)}: only linux/{architecture()} is built and runs here"
    for flag in _NEWER.get(instruction.name, ()):
        if any(word == flag or word.startswith(f"{flag}=") for word in words):
            return f"{instruction.name} {flag} is BuildKit's: the engine's own builder does not know it"
    if instruction.name in ("RUN", "COPY", "ADD") and _HEREDOC.match(_FLAGS.sub("", instruction.rest, count=1)):
        return f"{instruction.name} << is BuildKit's: write the lines with && between them, or in a file"
    return ""


class _Bases:
    """What FROM and COPY --from name beyond the stages of the file itself."""

    def __init__(self, args: Mapping[str, str]) -> None:
        self._args = args
        self._values: dict[str, str] = {}
        self._stages: set[str] = set()
        self._begun = False
        self.found: list[str] = []
        self.faults: list[tuple[int, str]] = []

    def take(self, each: _Instruction) -> None:
        if each.name == "ARG" and not self._begun:
            for word in each.rest.split():
                name, _, default = word.partition("=")
                self._values[name] = self._args.get(name, _filled(default.strip("\"'"), self._values))
        for name in self._named(each):
            if self._is_ours(name, each):
                continue
            if _ID.fullmatch(name) or not name.isprintable() or "$" in name or not name:
                self._refuse(each.line, name)
            else:
                self.found.append(name)
        if each.name == "FROM":
            self._begun = True
            if alias := _ALIAS.search(each.rest):
                self._stages.add(alias[1].lower())

    def look(self, number: int, line: str) -> None:
        """A line by itself: engines differ about where an instruction ends that has comments within, and none of their
        readings may name an image by its id.
        """
        each = _instruction(number, line)
        for name in self._named(each):
            if _ID.fullmatch(name) and not self._is_ours(name, each):
                self._refuse(number, name)

    def _named(self, each: _Instruction) -> list[str]:
        if each.name == "FROM":
            words = [word for word in each.rest.split() if not word.startswith("--")]
            return [_filled(words[0].strip("\"'"), self._values)] if words else []
        if each.name in ("COPY", "ADD"):
            return [word.partition("=")[2] for word in each.rest.split() if word.startswith("--from=")]
        return []

    def _is_ours(self, name: str, each: _Instruction) -> bool:
        return name.lower() in self._stages or name == "scratch" or (each.name != "FROM" and name.isdecimal())

    def _refuse(self, line: int, name: str) -> None:
        fault = (line, f"'{printable(name, 80)}' is not the name of an image, as debian:12 or NAME@sha256:… is")
        if fault not in self.faults:
            self.faults.append(fault)


def _filled(text: str, values: Mapping[str, str]) -> str:
    """With ${NAME}, ${NAME:-else} and ${NAME:+then} put in, as the Dockerfile reference has them."""

    def one(match: re.Match[str]) -> str:
        value = values.get(match[1] or match[2], "")
        sign, other = match[3] or "", match[4] or ""
        if sign.endswith("-"):
            return value or other
        return (other if value else "") if sign.endswith("+") else value

    return _VARIABLE.sub(one, text)
