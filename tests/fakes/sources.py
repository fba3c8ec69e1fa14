"""Sources in memory: an adapter of flow.ports.Sources for the stories' tests. `move` and `refuse` play git's part."""

from __future__ import annotations

from pathlib import Path

from wherry.domain.errors import PushRefused
from wherry.domain.model import Source


class InMemorySources:
    def __init__(self) -> None:
        self._heads: dict[int, dict[str, str]] = {}
        self._refused: dict[str, PushRefused] = {}

    def create(self, app_id: int) -> None:
        self._heads.setdefault(app_id, {})

    def remove(self, app_id: int) -> None:
        self._heads.pop(app_id, None)

    def head(self, app_id: int, branch: str) -> str | None:
        return self._heads.get(app_id, {}).get(branch)

    def export(self, app_id: int, commit: str, quarantine: Path | None) -> Source:
        if commit in self._refused:
            raise self._refused[commit]
        return Source(commit, tree=commit[::-1], archive=f"/memory/{app_id}/{commit}.tar")

    def move(self, app_id: int, branch: str, commit: str) -> None:
        """The ref moves, as git does after pre-receive."""
        self._heads[app_id][branch] = commit

    def refuse(self, commit: str, refusal: PushRefused) -> None:
        """The tree of this commit cannot be built."""
        self._refused[commit] = refusal
