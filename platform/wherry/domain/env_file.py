"""Files of KEY=value lines (.env), read strictly: what two readers could take in two ways is refused, with its line.

A line is ``KEY=VALUE`` or ``export KEY=VALUE``; empty lines and lines that begin with # are left out. VALUE is written as a
shell reads one word: plain characters, '…' taken as it is, "…" with \\n \\r \\t \\\\ \\" \\$ and \\`, in any row, up to the
end of the line; quotes may span lines. So `wherry config -s` writes what this reads. There is no `$NAME` in it, since some
readers put another value there and some do not; and no blank, since some end the value there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from wherry.domain.config import KEY
from wherry.domain.errors import InvalidInput
from wherry.domain.text import printable

MOST_BYTES = 1024 * 1024

_BEGIN = re.compile(r"[ \t]*(?:export[ \t]+)?([^\s=#'\"]*)(=?)")
_BLANK = re.compile(r"[ \t\r]*(?:#[^\n]*)?(?:\n|\Z)")
_REST = re.compile(r"[ \t\r]*(?:[ \t]#[^\n]*)?(?:\n|\Z)")
_PLAIN = re.compile(r"[^\s'\"\\$`]+")
_SINGLE = re.compile(r"'([^']*)'")
_DOUBLE = re.compile(r'"((?:[^"\\$`]|\\.)*)"', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", '"': '"', "$": "$", "`": "`"}
_SIMPLE = re.compile(r"[A-Za-z0-9_@%+:,./-]+")
_LINE = re.compile(r"[^\n]*(?:\n|\Z)")


def parse(content: bytes, name: str = ".env") -> dict[str, str]:
    """Raises InvalidInput with every bad line, as NAME:NUMBER."""
    if len(content) > MOST_BYTES:
        raise InvalidInput(f"{name} cannot be read", problems=[f"{name}: more than {MOST_BYTES >> 20} MiB"])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        problem = f"{name}:{line}: byte 0x{content[error.start]:02x} is not UTF-8 text"
        raise InvalidInput(f"{name} cannot be read", problems=[problem]) from None
    reader = _Reader(text)
    reader.read()
    if reader.problems:
        problems = [f"{name}:{line}: {problem}" for line, problem in reader.problems]
        raise InvalidInput(
            f"{name} cannot be read", problems=problems, hint="A line is KEY=value, or KEY='any text at all'."
        )
    return reader.found


def render(values: Mapping[str, str]) -> str:
    """What `parse` reads as `values`."""
    return "".join(f"{key}={_quoted(value)}\n" for key, value in values.items())


def _quoted(value: str) -> str:
    """In single quotes where it can be, for then it stands there as it is; carriage returns and quotes are escaped."""
    if not value or _SIMPLE.fullmatch(value):
        return value
    if "'" not in value and "\r" not in value:
        return f"'{value}'"
    back = {char: f"\\{letter}" for letter, char in _ESCAPES.items() if char != "\n"}
    return '"' + "".join(back.get(char, char) for char in value) + '"'


@dataclass
class _Reader:
    text: str
    at: int = 0
    found: dict[str, str] = field(default_factory=dict)
    problems: list[tuple[int, str]] = field(default_factory=list)

    def read(self) -> None:
        while self.at < len(self.text):
            if blank := _BLANK.match(self.text, self.at):
                self.at = blank.end()
            else:
                self._entry()

    def _entry(self) -> None:
        start = self.at
        begin = _BEGIN.match(self.text, start)
        key, equals = (begin[1], begin[2]) if begin else ("", "")
        self.at = begin.end() if begin else start
        fault = self._key_fault(key, equals)
        value = None if fault else self._value()
        rest = _REST.match(self.text, self.at)
        if fault or value is None or rest is None:
            self._complain(start, fault or self._value_fault(key))
            return
        self.at = rest.end()
        self.found[key] = value

    def _key_fault(self, key: str, equals: str) -> str:
        if not equals:
            return "no KEY=value"
        if not KEY.fullmatch(key):
            return f"'{printable(key, 60)}' is not a key: letters, digits and underscores, no digit first, at most 128"
        return f"{key} stands twice" if key in self.found else ""

    def _value(self) -> str | None:
        """None where a piece of it cannot be read; `at` is then where."""
        parts: list[str] = []
        if self.text.startswith("#", self.at):
            return None
        while self.at < len(self.text) and self.text[self.at] not in " \t\r\n":
            if plain := _PLAIN.match(self.text, self.at):
                parts.append(plain[0])
                self.at = plain.end()
            elif single := _SINGLE.match(self.text, self.at):
                parts.append(single[1])
                self.at = single.end()
            elif (double := _DOUBLE.match(self.text, self.at)) and self._escapes_known(double[1]):
                parts.append(_ESCAPE.sub(lambda match: _ESCAPES[match[1]], double[1]))
                self.at = double.end()
            else:
                return None
        return "".join(parts)

    def _escapes_known(self, inner: str) -> bool:
        return all(match[1] in _ESCAPES for match in _ESCAPE.finditer(inner))

    def _value_fault(self, key: str) -> str:
        char = self.text[self.at : self.at + 1]
        reasons = {
            "'": "a single quote that nothing closes",
            '"': "a double quote that nothing closes, or a $, a ` or an unknown \\ in it (put \\ before it, or use single quotes)",
            "$": "a $ outside single quotes, which some readers replace",
            "`": "a ` outside single quotes",
            "\\": "a \\ outside quotes",
            "#": "a # at the beginning of the value (put it in quotes)",
        }
        return f"the value of {key} has {reasons.get(char, 'a blank outside quotes')}"

    def _complain(self, start: int, problem: str) -> None:
        """Goes on behind the line where it went wrong, so that every fault is told."""
        self.problems.append((self.text.count("\n", 0, start) + 1, problem))
        line = _LINE.match(self.text, max(self.at, start))
        self.at = line.end() if line else len(self.text)
