"""Formation: how many processes of each type run, and how large each may grow."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from wherry.domain.autoscale import MOST_PROCESSES, Autoscale
from wherry.domain.errors import InvalidInput
from wherry.domain.text import printable
from wherry.domain.volume import ONE_AT_A_TIME


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
        # Heroku's names, with the memory that they have there, so that its scripts and app.json files work as they are.
        Size("eco", 512, 1000),
        Size("standard-1x", 512, 1000),
        Size("standard-2x", 1024, 2000),
        Size("performance-m", 2560, 4000),
        Size("performance-l", 14336, 8000),
    )
}
DEFAULT_SIZE = "basic"
RELEASE = "release"
"""The process type that runs once before a release serves, and is never scaled."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The wanted quantity and size of one process type. With `autoscale`, load decides between its bounds where the
    runtime lets it, and `quantity` says only whether the type runs (0: not).
    """

    quantity: int
    size: str = DEFAULT_SIZE
    autoscale: Autoscale | None = None

    @property
    def most(self) -> int:
        """How many there may be at a time."""
        return self.autoscale.most if self.autoscale and self.quantity else self.quantity


@dataclass(frozen=True, slots=True)
class FormationWish:
    """What an app.json wants a new process type to begin with."""

    quantity: int | None = None
    size: str | None = None


_NO_WISH = FormationWish()
Formation = Mapping[str, Scale]
_RESIZE = re.compile(r"(?:([a-z0-9][a-z0-9-]*)=)?([A-Za-z0-9-]{1,40})")
_CHANGE = re.compile(r"([a-z0-9][a-z0-9-]*)([=+-])([0-9]{1,9})(?::([A-Za-z0-9-]{1,40}))?")


def default(
    types: Iterable[str],
    wishes: Mapping[str, FormationWish] | None = None,
    autoscaling: Mapping[str, Autoscale] | None = None,
) -> dict[str, Scale]:
    """What the app wishes, else Heroku's first formation: one web, nothing else."""
    wished, scaling = wishes or {}, autoscaling or {}
    return {name: _default(name, wished.get(name, _NO_WISH), scaling.get(name)) for name in types if name != RELEASE}


def settled(
    formation: Formation,
    types: Iterable[str],
    wishes: Mapping[str, FormationWish] | None = None,
    autoscaling: Mapping[str, Autoscale] | None = None,
) -> dict[str, Scale]:
    """The formation for `types`: quantities survive a deploy, zero included; new types come at their default."""
    return {name: formation.get(name, scale) for name, scale in default(types, wishes, autoscaling).items()}


def without_load(formation: Formation) -> dict[str, Scale]:
    """As it acts where load decides nothing."""
    return {name: replace(scale, autoscale=None) for name, scale in formation.items()}


def _default(name: str, wish: FormationWish, autoscale: Autoscale | None) -> Scale:
    quantity = wish.quantity if wish.quantity is not None else 1 if name == "web" or autoscale else 0
    if autoscale and quantity:
        quantity = autoscale.within(quantity)
    return Scale(quantity, wish.size or DEFAULT_SIZE, autoscale)


def parse_change(text: str) -> tuple[str, str, str | None]:
    """``web=3``, ``web+1``, ``web-1:large`` as (type, quantity, size); the quantity may be relative: "+1". Raises
    InvalidInput.
    """
    match = _CHANGE.fullmatch(text)
    if not match:
        raise InvalidInput(f"'{printable(text)}' is not TYPE=N", hint="For example: wherry ps:scale web=3 worker=1")
    name, sign, number, size = match.groups()
    return name, (number if sign == "=" else sign + number), size


def parse_size(text: str) -> tuple[str, str]:
    """``web=standard-2x`` as (type, size); ``standard-2x`` alone is every type's, with "" as type. Raises InvalidInput."""
    match = _RESIZE.fullmatch(text)
    if not match:
        raise InvalidInput(f"'{printable(text)}' is not TYPE=SIZE", hint="For example: wherry ps:type web=standard")
    return match[1] or "", match[2]


def size_named(wanted: object) -> str:
    """The one spelling of a size's name. Raises InvalidInput."""
    if isinstance(wanted, str) and wanted.lower() in SIZES:
        return wanted.lower()
    raise InvalidInput(f"no size '{printable(str(wanted), 60)}' (there are: {', '.join(SIZES)})")


def scaled(
    formation: Formation, updates: Mapping[str, tuple[object, object]], single: Collection[str] = ()
) -> dict[str, Scale]:
    """`formation` with `updates`: type to (quantity or None, size or None). `single`: types with a volume. Raises
    InvalidInput with every fault.
    """
    result = dict(formation)
    problems: list[str] = []
    for name, (quantity, size) in updates.items():
        try:
            result[name] = _updated(formation, name, quantity, size, name in single)
        except InvalidInput as error:
            problems += error.evidence
    if problems:
        raise InvalidInput("nothing was scaled", problems=problems)
    return result


def _updated(formation: Formation, name: str, quantity: object, size: object, single: bool) -> Scale:
    before = formation.get(name)
    if before is None:
        known = ", ".join(sorted(formation)) or "none: push first"
        raise InvalidInput("unknown", problems=[f"no process type '{printable(name, 60)}' (there are: {known})"])
    problems: list[str] = []
    wanted, chosen = before.quantity, before.size
    try:
        wanted = before.quantity if quantity is None else _quantity(quantity, before.quantity)
        _leave_to_load(name, before, wanted)
        _leave_to_volume(name, before, wanted if single else 0)
    except InvalidInput as error:
        problems.append(f"{name}: {error.message}")
    try:
        chosen = before.size if size is None else size_named(size)
    except InvalidInput as error:
        problems.append(f"{name}: {error.message}")
    if problems:
        raise InvalidInput("wrong", problems=problems)
    return Scale(wanted, chosen, before.autoscale)


def _leave_to_load(name: str, before: Scale, wanted: int) -> None:
    """What load decides nobody sets beside it; but one may stop the type, and start it again within the bounds."""
    load = before.autoscale
    if load is None or wanted in (0, before.quantity) or (not before.quantity and wanted == load.within(wanted)):
        return
    raise InvalidInput(f"it is scaled from {load}; to set it yourself: wherry ps:autoscale:disable {name}")


def _leave_to_volume(name: str, before: Scale, wanted: int) -> None:
    if wanted > 1 and wanted != before.quantity:
        raise InvalidInput(f"{ONE_AT_A_TIME}; for a larger one: wherry ps:type {name}=SIZE")


def _quantity(quantity: object, before: int) -> int:
    if isinstance(quantity, int) and not isinstance(quantity, bool):
        wanted = quantity
    elif isinstance(quantity, str) and re.fullmatch(r"[+-][0-9]{1,9}", quantity):
        wanted = before + int(quantity)
    elif isinstance(quantity, str) and re.fullmatch(r"[0-9]{1,9}", quantity):
        wanted = int(quantity)
    else:
        raise InvalidInput(f"'{printable(str(quantity), 60)}' is not a whole number")
    if not 0 <= wanted <= MOST_PROCESSES:
        shown = str(wanted) if abs(wanted) < 10**12 else "that"
        raise InvalidInput(f"{shown} is not between 0 and {MOST_PROCESSES}")
    return wanted
