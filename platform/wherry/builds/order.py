"""The order of buildpacks: which groups to try, one after another. Pure (buildpack.md "Order Resolution").

An order is a list of groups; a member of a group may be a composite buildpack, which has an order of its own and
stands for each of its groups in turn. Groups are tried from left to right, depth first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from wherry.builds.descriptor import Descriptor, Member, fits
from wherry.domain.errors import InvalidInput

Find = Callable[[str, str], Descriptor]
_DEEPEST = 50


@dataclass(frozen=True, slots=True)
class Candidate:
    """A buildpack with code to run, in a group that may be chosen."""

    descriptor: Descriptor
    optional: bool


def candidates(
    order: Sequence[Sequence[Member]], find: Find, exec_env: str = "production"
) -> Iterator[tuple[Candidate, ...]]:
    """Every group in the order in which they are to be tried, composites expanded.

    `find(id, version)` gives a buildpack's descriptor, and raises InvalidInput for one that is not there. A buildpack
    that stands twice in a group counts once, one for other execution environments not at all. Raises InvalidInput for
    composites nested too deeply.
    """
    for group in order:
        yield from _expanded(tuple(group), (), find, exec_env, 0)


def with_system(
    group: Sequence[Member], before: Sequence[Member] = (), after: Sequence[Member] = ()
) -> tuple[Member, ...]:
    """The group with the platform's own buildpacks around it, but for those that it names itself (Platform API 0.15)."""
    named = {member.id for member in group}
    return (
        *(each for each in before if each.id not in named),
        *group,
        *(each for each in after if each.id not in named),
    )


def _expanded(
    members: tuple[Member, ...], done: tuple[Candidate, ...], find: Find, exec_env: str, depth: int
) -> Iterator[tuple[Candidate, ...]]:
    if depth > _DEEPEST:
        raise InvalidInput(f"composite buildpacks are nested deeper than {_DEEPEST}: do they contain each other?")
    for index, member in enumerate(members):
        if not fits(member.exec_env, exec_env):
            continue
        descriptor = find(member.id, member.version)
        if not fits(descriptor.exec_env, exec_env):
            continue
        if descriptor.order:
            rest = members[index + 1 :]
            for inner in descriptor.order:
                yield from _expanded((*inner, *rest), done, find, exec_env, depth + 1)
            if member.optional:
                yield from _expanded(rest, done, find, exec_env, depth + 1)
            return
        if all(each.descriptor.id != descriptor.id for each in done):
            done = (*done, Candidate(descriptor, member.optional))
    yield done
