"""Formation: how many processes of each type run, and how large each may grow."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from wherry.domain.errors import InvalidInput
from wherry.domain.text import printable

MOST_PROCESSES = 100


@dataclass(frozen=True, slots=True)
class Size:
    """What one process may use. `cpu` is a share of one core, in thousandths; `memory` in MiB."""

    name: str
    memory: int
    cpu: int
    pids: int = 512


SIZES: Mapping[str, Size] = {
    size.name: size
    for size in (
        Size("basic", 512, 1000),
        Size("standard", 1024, 2000),
        Size("large", 2048, 4000),
        Size("huge", 8192, 8000),
    )
}
DEFAULT_SIZE = "basic"
RELEASE = "release"
"""The process type that runs once before a release serves, and is never scaled."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The wanted quantity and size of one process type."""

    quantity: int
    size: str = DEFAULT_SIZE


Formation = Mapping[str, Scale]
_CHANGE = re.compile(r"([a-z0-9][a-z0-9-]*)([=+-])([0-9]{1,9})(?::([a-z]+))?")


def default(types: Iterable[str]) -> dict[str, Scale]:
    """Heroku's first formation: one web, nothing else."""
    return {name: Scale(1 if name == "web" else 0) for name in types if name != RELEASE}


def settled(formation: Formation, types: Iterable[str]) -> dict[str, Scale]:
    """The formation for `types`: quantities survive a deploy, zero included; new types come at their default."""
    return {name: formation.get(name, scale) for name, scale in default(types).items()}


def parse_change(text: str) -> tuple[str, str, str | None]:
    """``web=3``, ``web+1``, ``web-1:large`` as (type, quantity, size); the quantity may be relative: "+1". Raises
    InvalidInput.
    """
    match = _CHANGE.fullmatch(text)
    if not match:
        raise InvalidInput(f"'{printable(text)}' is not TYPE=N", hint="For example: wherry ps:scale web=3 worker=1")
    name, sign, number, size = match.groups()
    return name, (number if sign == "=" else sign + number), size


def scaled(formation: Formation, updates: Mapping[str, tuple[object, object]]) -> dict[str, Scale]:
    """`formation` with `updates`: type to (quantity or None, size or None). Raises InvalidInput with every fault."""
    result = dict(formation)
    problems: list[str] = []
    for name, (quantity, size) in updates.items():
        try:
            result[name] = _updated(formation, name, quantity, size)
        except InvalidInput as error:
            problems += error.evidence
    if problems:
        raise InvalidInput("nothing was scaled", problems=problems)
    return result


def _updated(formation: Formation, name: str, quantity: object, size: object) -> Scale:
    before = formation.get(name)
    if before is None:
        known = ", ".join(sorted(formation)) or "none: push first"
        raise InvalidInput("unknown", problems=[f"no process type '{printable(name, 60)}' (there are: {known})"])
    wanted = before.quantity if quantity is None else _quantity(name, quantity, before.quantity)
    if not 0 <= wanted <= MOST_PROCESSES:
        raise InvalidInput("range", problems=[f"{name}: {wanted} is not between 0 and {MOST_PROCESSES}"])
    if size is not None and (not isinstance(size, str) or size.lower() not in SIZES):
        raise InvalidInput(
            "size", problems=[f"{name}: no size '{printable(str(size), 60)}' (there are: {', '.join(SIZES)})"]
        )
    return Scale(wanted, before.size if size is None else str(size).lower())


def _quantity(name: str, quantity: object, before: int) -> int:
    if isinstance(quantity, int) and not isinstance(quantity, bool):
        return quantity
    if isinstance(quantity, str) and re.fullmatch(r"[+-][0-9]{1,9}", quantity):
        return before + int(quantity)
    if isinstance(quantity, str) and re.fullmatch(r"[0-9]{1,9}", quantity):
        return int(quantity)
    raise InvalidInput("quantity", problems=[f"{name}: '{printable(str(quantity), 60)}' is not a whole number"])
