"""TOML files of the buildpack contract: read with limits and typed access, written whole.

Most of them are written by code that we do not trust, so every fault is one InvalidInput with the place it stands in.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tomli_w

from wherry.domain.errors import InvalidInput
from wherry.domain.text import printable

MOST_BYTES = 1024 * 1024

# tomllib keeps every beginning of a dotted key, so a key of 100,000 parts would take gigabytes. Text that only looks like
# one is refused too.
_PART = r"""(?:[A-Za-z0-9_-]++|"[^"\n]*+"|'[^'\n]*+')"""
_LONG_KEY = re.compile(rf"(?<![A-Za-z0-9_-]){_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{50}}")


@dataclass(frozen=True, slots=True)
class Table:
    """A table and where it stands, for messages. Methods raise InvalidInput for a value of another type."""

    values: Mapping[str, object]
    where: str

    def text(self, key: str, default: str = "") -> str:
        value = self.values.get(key, default)
        if not isinstance(value, str):
            raise self._wrong(key, "a string")
        if "\0" in value:
            raise self._wrong(key, "a string without NUL")
        return value

    def flag(self, key: str, default: bool = False) -> bool:
        value = self.values.get(key, default)
        if not isinstance(value, bool):
            raise self._wrong(key, "true or false")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(each, str) and "\0" not in each for each in value):
            raise self._wrong(key, "a list of strings without NUL")
        return tuple(value)

    def table(self, key: str) -> Table:
        """An empty one where there is none."""
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            raise self._wrong(key, "a table")
        return Table(value, f"{self.where}: {key}")

    def tables(self, key: str) -> list[Table]:
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            raise self._wrong(key, "a list of tables")
        return [Table(each, f"{self.where}: {key}[{index}]") for index, each in enumerate(value)]

    def _wrong(self, key: str, wanted: str) -> InvalidInput:
        return InvalidInput(f"{self.where}: {printable(key, 60)} is not {wanted}")


def parse(content: bytes, where: str) -> Table:
    """Raises InvalidInput for what is not TOML, too deep, or too long (B15)."""
    if len(content) > MOST_BYTES:
        raise InvalidInput(f"{where} is longer than {MOST_BYTES // 1024} KiB")
    try:
        text = content.decode("utf-8")
        if not _LONG_KEY.search(text):
            return Table(tomllib.loads(text), where)
        fault = "a key has more than 50 parts"
    except RecursionError:
        fault = "it is nested too deeply"
    except ValueError as error:  # TOMLDecodeError, UnicodeDecodeError, and integers of thousands of digits
        fault = printable(str(error), 300)
    raise InvalidInput(f"{where} is not TOML: {fault}")


def render(values: Mapping[str, Any]) -> bytes:
    return tomli_w.dumps(values).encode("utf-8")


def render_all(key: str, tables: Sequence[Mapping[str, Any]]) -> bytes:
    """Tables as ``[[key]]``, never inline: buildpacks in shell look for these lines. Each has a value of its own."""
    texts = (tomli_w.dumps({key: table}).replace(f"[{key}]", f"[[{key}]]", 1) for table in tables)
    return "\n".join(texts).encode("utf-8")
