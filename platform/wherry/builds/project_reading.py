"""Typed access to a table of which every fault is to be told, not only the first. Pure.

A value of the wrong type is noted with its path, and reads as if it were absent.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from wherry.domain.text import printable

_MOST = 50


@dataclass(slots=True)
class Faults:
    """What is wrong, and what is only worth a notice; each line begins with its path."""

    problems: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Node:
    values: Mapping[str, object]
    path: str
    faults: Faults

    def wrong(self, key: str, fault: str) -> None:
        self._note(self.faults.problems, f"{self._at(key)}: {fault}")

    def only(self, known: Collection[str], refused: Collection[str] = ()) -> None:
        """Keys in `refused` are faults; others that are not `known` are passed over with a notice."""
        for key in self.values:
            if key in refused:
                self.wrong(key, "not permitted: the platform's operator chooses it")
            elif key not in known:
                self._note(self.faults.notices, f"{self._at(key)} is not known here and counts for nothing.")

    def text(self, key: str, default: str = "") -> str:
        value = self.values.get(key, default)
        if isinstance(value, str) and "\0" not in value:
            return value
        self.wrong(key, "must be a string without NUL" if isinstance(value, str) else "must be a string")
        return default

    def texts(self, key: str) -> tuple[str, ...] | None:
        """None where there is none."""
        value = self.values.get(key)
        if value is None:
            return None
        if isinstance(value, list) and all(isinstance(each, str) and "\0" not in each for each in value):
            return tuple(value)
        self.wrong(key, "must be a list of strings")
        return None

    def table(self, key: str) -> Node:
        """An empty one where there is none."""
        value = self.values.get(key, {})
        if isinstance(value, dict):
            return Node(value, self._at(key), self.faults)
        self.wrong(key, "must be a table")
        return Node({}, self._at(key), self.faults)

    def tables(self, key: str) -> list[Node]:
        value = self.values.get(key, [])
        if isinstance(value, list) and all(isinstance(each, dict) for each in value):
            return [Node(each, f"{self._at(key)}[{index}]", self.faults) for index, each in enumerate(value)]
        self.wrong(key, "must be a list of tables")
        return []

    def _at(self, key: str) -> str:
        shown = printable(key, 60)
        return f"{self.path}.{shown}" if self.path else shown

    def _note(self, lines: list[str], line: str) -> None:
        """Each once: `Node.table` may be asked twice for the same key."""
        if line not in lines and len(lines) < _MOST:
            lines.append(line)
