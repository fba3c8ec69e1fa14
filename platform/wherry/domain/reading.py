"""Reads a JSON document of a user's, and keeps every fault with its path, so that all can be told at once."""

from __future__ import annotations

from collections.abc import Mapping

from wherry.domain.errors import InvalidInput
from wherry.domain.text import printable

_MOST_FAULTS = 50
_MOST_KEYS = 200
_MOST_ITEMS = 200
_LONGEST = 32 * 1024


class Reading:
    """`name`: of the file, which begins every path. A wrong value is noted, and read as its default."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._faults: list[str] = []
        self._notices: list[str] = []

    @property
    def notices(self) -> tuple[str, ...]:
        return tuple(self._notices[:_MOST_FAULTS])

    def check(self, message: str) -> None:
        """Raises InvalidInput when there was a fault."""
        if self._faults:
            more = len(self._faults) - _MOST_FAULTS
            problems = [*self._faults[:_MOST_FAULTS], *([f"… and {more} more"] if more > 0 else [])]
            raise InvalidInput(message, problems=problems)

    def fault(self, where: str, what: str) -> None:
        self._faults.append(f"{self._name}: {where}: {what}" if where else f"{self._name}: {what}")

    def notice(self, where: str, why: str) -> None:
        self._notices.append(f"{self._name}: {where} does nothing here" + (f": {why}" if why else ""))

    def mapping(self, value: object, where: str, most: int = _MOST_KEYS) -> Mapping[str, object]:
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.fault(where, f"must be an object, is {_kind(value)}")
            return {}
        if len(value) > most:
            self.fault(where, f"has {len(value)} entries; the most is {most}")
            return {}
        return value

    def items(self, value: object, where: str, most: int = _MOST_ITEMS) -> list[object]:
        if value is None:
            return []
        if not isinstance(value, list):
            self.fault(where, f"must be a list, is {_kind(value)}")
            return []
        if len(value) > most:
            self.fault(where, f"has {len(value)} entries; the most is {most}")
            return []
        return value

    def text(self, value: object, where: str, longest: int = _LONGEST) -> str | None:
        if value is None:
            return None
        if not isinstance(value, str):
            self.fault(where, f"must be a string, is {_kind(value)}")
            return None
        if "\0" in value or len(value) > longest:
            self.fault(where, f"has a NUL or is longer than {longest} characters")
            return None
        return value

    def flag(self, value: object, where: str, default: bool) -> bool:
        if value is None or isinstance(value, bool):
            return default if value is None else value
        self.fault(where, f"must be true or false, is {_kind(value)}")
        return default

    def whole(self, value: object, where: str, least: int, most: int) -> int | None:
        """A whole number, None where it is absent."""
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool):
            self.fault(where, f"must be a whole number, is {_kind(value)}")
            return None
        if not least <= value <= most:
            self.fault(where, f"must be {least} to {most}")
            return None
        return value

    def only(self, found: Mapping[str, object], known: frozenset[str], where: str) -> None:
        """A slip of the keys must not pass as a default."""
        for key in found:
            if key not in known:
                self.fault(f"{where}.{printable(key, 60)}", f"not known (known are: {', '.join(sorted(known))})")


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "true or false"
    names = {int: "a number", float: "a number", str: "a string", list: "a list"}
    return names.get(type(value), "an object")
