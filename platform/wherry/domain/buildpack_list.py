"""Changes of an app's list of buildpacks, as Heroku's commands make them. Places count from 1. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from wherry.domain.buildpacks import reference
from wherry.domain.errors import Conflict, InvalidInput, NotFound
from wherry.domain.text import printable


def put(buildpacks: Sequence[str], wanted: str, place: int = 1) -> list[str]:
    """With `wanted` instead of what stands at `place`; after the last place it is added. Raises Conflict when it is
    there already, InvalidInput for what names no buildpack.
    """
    index = _index(place)
    rest = [*buildpacks[:index], *buildpacks[index + 1 :]]
    rest.insert(index, _new(rest, wanted))
    return rest


def add(buildpacks: Sequence[str], wanted: str, place: int | None = None) -> list[str]:
    """With `wanted` at `place`, and what stood there after it; without a place, at the end. Raises as `put`."""
    result = list(buildpacks)
    result.insert(len(result) if place is None else _index(place), _new(result, wanted))
    return result


def remove(buildpacks: Sequence[str], unwanted: str | None, place: int | None = None) -> list[str]:
    """Without the one of that name or place: exactly one of both is given. Raises NotFound, InvalidInput."""
    if (unwanted is None) == (place is None):
        raise InvalidInput("name the buildpack to remove, or its place: one of both")
    if unwanted is not None:
        name = str(reference(unwanted))
        if name not in buildpacks:
            raise NotFound(f"the app does not name the buildpack {name}; nothing was removed")
        return [each for each in buildpacks if each != name]
    index = _index(place or 0)
    if index >= len(buildpacks):
        raise NotFound(f"there is no buildpack at place {place}: the app names {len(buildpacks)}")
    return [*buildpacks[:index], *buildpacks[index + 1 :]]


def _new(buildpacks: Sequence[str], wanted: str) -> str:
    name = str(reference(wanted))
    if name in buildpacks:
        raise Conflict(f"the buildpack {printable(name)} is set already")
    return name


def _index(place: int) -> int:
    if place < 1:
        raise InvalidInput(f"{place} is not a place: the first is 1")
    return place - 1
