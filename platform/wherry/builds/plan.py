"""The build plan: which members of a group that passed detection work together. Pure (buildpack.md "Phase #1").

Each buildpack offers one or more alternatives of what it provides and requires. A trial takes one alternative of each,
depth first; it holds when every require is provided by the same or an earlier buildpack and every provide is required
by the same or a later one. Optional buildpacks that stand in the way are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, product

from wherry.builds.toml_files import Table
from wherry.domain.errors import InvalidInput

MOST_TRIALS = 10_000


@dataclass(frozen=True, slots=True)
class Require:
    name: str
    metadata: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Alternative:
    provides: tuple[str, ...] = ()
    requires: tuple[Require, ...] = ()


@dataclass(frozen=True, slots=True)
class Passed:
    """A buildpack whose detect passed; `alternatives` has at least one, the first is the plan's top level."""

    id: str
    optional: bool = False
    alternatives: tuple[Alternative, ...] = (Alternative(),)


@dataclass(frozen=True, slots=True)
class Entry:
    """What is required under one name, and the ids of the buildpacks that may provide it, the first one first."""

    name: str
    providers: tuple[str, ...]
    requires: tuple[Require, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Ids of the group in order, and its entries."""

    group: tuple[str, ...]
    entries: tuple[Entry, ...] = ()

    def of(self, buildpack: str) -> tuple[Require, ...]:
        """What `buildpack` is asked to provide now."""
        return tuple(require for each in self.entries if buildpack in each.providers for require in each.requires)

    def met_by(self, buildpack: str, unmet: Sequence[str]) -> Plan:
        """The plan after `buildpack` has met its entries; those it left unmet go on to the next provider."""
        left = tuple(each for each in self.entries if buildpack not in each.providers or each.name in unmet)
        return replace(self, entries=left)


@dataclass(frozen=True, slots=True)
class Unresolved:
    """Why the last trial failed, one line a reason."""

    reasons: tuple[str, ...]


def resolve(passed: Sequence[Passed]) -> Plan | Unresolved:
    reasons: tuple[str, ...] = ("no buildpack is left in the group",)
    for alternatives in islice(product(*(each.alternatives for each in passed)), MOST_TRIALS):
        outcome = _trial(list(zip(passed, alternatives, strict=True)))
        if isinstance(outcome, Plan):
            return outcome
        reasons = outcome.reasons
    return Unresolved(reasons)


def read_alternatives(table: Table) -> tuple[Alternative, ...]:
    """The plan that a detect wrote: ``provides``, ``requires`` and any number of ``[[or]]``. Raises InvalidInput."""
    return tuple(_alternative(each) for each in (table, *table.tables("or")))


def _alternative(table: Table) -> Alternative:
    requires = tuple(_require(each) for each in table.tables("requires"))
    return Alternative(tuple(_name(each) for each in table.tables("provides")), requires)


def _require(table: Table) -> Require:
    if "version" in table.values:
        raise InvalidInput(f"{table.where}: a version is told in its metadata")
    return Require(_name(table), table.table("metadata").values)


def _name(table: Table) -> str:
    name = table.text("name")
    if not name:
        raise InvalidInput(f"{table.where} has no name")
    return name


_Trial = list[tuple[Passed, Alternative]]


def _trial(trial: _Trial) -> Plan | Unresolved:
    while trial:
        entries, faults = _connect(trial)
        if not faults:
            return Plan(tuple(each.id for each, _ in trial), tuple(entries))
        if hard := tuple(reason for each, reason in faults if not each.optional):
            return Unresolved(hard)
        dropped = {each.id for each, _ in faults}
        trial = [each for each in trial if each[0].id not in dropped]
    return Unresolved(("no buildpack is left in the group",))


def _connect(trial: _Trial) -> tuple[list[Entry], list[tuple[Passed, str]]]:
    """The entries of this trial, and what is wrong with it: requires without a provider first."""
    links: dict[str, _Link] = {}
    for buildpack, alternative in trial:
        for name in alternative.provides:
            links.setdefault(name, _Link()).waiting.append(buildpack)
        for require in alternative.requires:
            links.setdefault(require.name, _Link()).require(buildpack, require)
    unmet = [
        (each, f"{each.id} requires {name}, which nothing here provides")
        for name, link in links.items()
        for each in link.unmet
    ]
    unused = [(each, f"{each.id} provides {name}, unused") for name, link in links.items() for each in link.waiting]
    return list(_entries(links)), unmet or unused


def _entries(links: Mapping[str, _Link]) -> Iterator[Entry]:
    for name, link in links.items():
        if link.requires:
            yield Entry(name, tuple(each.id for each in link.providers), tuple(link.requires))


class _Link:
    """Who provides a name and who requires it; `waiting` are providers that nobody has required yet."""

    def __init__(self) -> None:
        self.waiting: list[Passed] = []
        self.providers: list[Passed] = []
        self.requires: list[Require] = []
        self.unmet: list[Passed] = []

    def require(self, buildpack: Passed, require: Require) -> None:
        self.providers += self.waiting
        self.waiting = []
        if self.providers:
            self.requires.append(require)
        else:
            self.unmet.append(buildpack)
