"""The YAML that bin/release prints, strictly: tables of texts and lists of texts, one level deep. Pure.

What such scripts print is no more than this. Anything else (a block, an anchor, a table in braces) is refused with its
line, rather than read in another way than YAML would.
"""

from __future__ import annotations

import json
import re

_KEY = re.compile(r"""(?P<key>[A-Za-z0-9_.-]+|"[^"\\]*"|'[^']*')\s*:(?:\s+(?P<value>.*))?""")
_EMPTY = {"", "{}", "[]", "~", "null"}


class Fault(Exception):
    """A line that is not understood."""


def read(text: str) -> dict[str, dict[str, str] | list[str]]:
    """Raises Fault."""
    tables: dict[str, dict[str, str] | list[str]] = {}
    current = ""
    for number, raw in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        line = raw.rstrip()
        if not line.strip() or line.lstrip().startswith("#") or re.fullmatch(r"--- *({})?|\.\.\.", line):
            continue
        try:
            current = _line(tables, current, line)
        except Fault as fault:
            raise Fault(f"line {number}: {fault}") from None
    return tables


def _line(tables: dict[str, dict[str, str] | list[str]], current: str, line: str) -> str:
    """The table that the next line may belong to."""
    if "\t" in line[: len(line) - len(line.lstrip())]:
        raise Fault("a tab before the text")
    if line[0] != " " and not line.startswith("- "):
        return _open(tables, line)
    _add(tables, current, line.strip())
    return current


def _open(tables: dict[str, dict[str, str] | list[str]], line: str) -> str:
    key, value = _pair(line)
    if _plain(value) not in _EMPTY:
        raise Fault(f"{key} is no table")
    if key in tables:
        raise Fault(f"{key} stands twice")
    tables[key] = {}
    return key


def _add(tables: dict[str, dict[str, str] | list[str]], current: str, line: str) -> None:
    table = tables.get(current)
    if table is None:
        raise Fault("it belongs to no table")
    if line.startswith("- "):
        table = table or []
        tables[current] = table
        if not isinstance(table, list):
            raise Fault("a list in a table")
        table.append(_scalar(line[2:].strip()))
        return
    key, value = _pair(line)
    if not isinstance(table, dict):
        raise Fault("a table in a list")
    if key in table:
        raise Fault(f"{key} stands twice")
    table[key] = _scalar(value)


def _pair(line: str) -> tuple[str, str]:
    match = _KEY.fullmatch(line)
    if not match:
        raise Fault(f"no NAME: VALUE in {line[:60]!a}")
    return match["key"].strip("\"'"), (match["value"] or "").strip()


def _scalar(text: str) -> str:
    if text.startswith('"'):
        match = re.fullmatch(r'("(?:[^"\\]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*")(?:\s+#.*)?', text)
        if not match:
            raise Fault("a text in quotes that does not end, or with an escape that is not known")
        return str(json.loads(match[1], strict=False))
    if text.startswith("'"):
        match = re.fullmatch(r"'((?:[^']|'')*)'(?:\s+#.*)?", text)
        if not match:
            raise Fault("a text in quotes that does not end")
        return match[1].replace("''", "'")
    if text[:1] in tuple("|>&*!{[%@`"):
        raise Fault(f"{text[:1]} begins what is not read here: write a text on one line")
    return _plain(text)


def _plain(text: str) -> str:
    return "" if text.startswith("#") else re.split(r"\s+#", text, maxsplit=1)[0].strip()
