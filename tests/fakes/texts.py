"""TXT records in memory. A name in `silent` has name servers that do not answer."""

from __future__ import annotations

from wherry.flow.ports import NoAnswer


class InMemoryTexts:
    def __init__(self) -> None:
        self.records: dict[str, list[str]] = {}
        self.silent: set[str] = set()

    def of(self, name: str) -> list[str]:
        if name in self.silent:
            raise NoAnswer("no name server told (Timeout); it is asked again")
        return self.records.get(name, [])
