"""Which layers of earlier builds an image's next build may use again: those of its own, held by tags in the engine.

The engine would use anybody's for the same instructions on the same base: what one app's build fetched, with arguments
that do not count, would end up in another's image (T16).
"""

from __future__ import annotations

from collections.abc import Sequence

from docker.errors import NotFound

from wherry.runtimes.machine.engine import Engine

PREFIX = "wherry-cache"
_WHOLE = "whole"


class Cache:
    """Raises docker's errors."""

    def __init__(self, engine: Engine, platform: str, app_id: int, name: str) -> None:
        self._engine = engine
        self._repository = f"{PREFIX}/{platform}/{app_id}-{name}"

    @classmethod
    def forget(cls, engine: Engine, platform: str, app_id: int) -> None:
        for tag in _tags(engine, f"{PREFIX}/{platform}/{app_id}-*"):
            engine.discard(tag)

    def sources(self) -> list[str]:
        return sorted(_tags(self._engine, self._repository))

    def keep(self, stages: Sequence[str], whole: str) -> None:
        """The newest image of each stage, also of a build that failed later: its next try begins there."""
        before = {tag: self._id(tag) for tag in self.sources()}
        kept = {f"stage-{number}": image for number, image in enumerate(stages) if image}
        if whole:
            kept[_WHOLE] = whole
        for tag, image in kept.items():
            self._engine.api.tag(image, self._repository, tag, force=True)
        if whole:
            for tag in {tag for tag in before if tag.rpartition(":")[2] not in kept}:
                self._engine.discard(tag)
        for image in {each for each in before.values() if each} - {self._id(tag) for tag in self.sources()}:
            self._drop(image)

    def _drop(self, image: str) -> None:
        """Only when nobody has a name for it: a build that stopped at its first step has left its base here."""
        try:
            found = self._engine.api.inspect_image(image)  # type: ignore[no-untyped-call]
        except NotFound:
            return
        if not found.get("RepoTags") and not found.get("RepoDigests"):
            self._engine.discard(image)

    def _id(self, tag: str) -> str:
        try:
            return str(self._engine.api.inspect_image(tag)["Id"])  # type: ignore[no-untyped-call]
        except NotFound:
            return ""


def _tags(engine: Engine, reference: str) -> list[str]:
    found = engine.api.images(filters={"reference": reference})
    return [tag for each in found for tag in each.get("RepoTags") or () if tag.startswith(f"{PREFIX}/")]
