"""How many processes of a type there shall be when load decides, and what counts as load."""

from __future__ import annotations

from dataclasses import dataclass

from wherry.domain.errors import InvalidInput
from wherry.domain.formation import MOST_PROCESSES


@dataclass(frozen=True, slots=True)
class Autoscale:
    """Between `least` and `most` processes. `cpu` and `memory`: the share, in per cent, that each process shall use of its
    size; `requests`: a second that each shall get. 0 is: does not count.
    """

    least: int
    most: int
    cpu: int = 0
    memory: int = 0
    requests: int = 0


def autoscale(least: int, most: int, *, cpu: int = 0, memory: int = 0, requests: int = 0) -> Autoscale:
    """Raises InvalidInput with every fault."""
    problems = []
    if not 1 <= least <= most <= MOST_PROCESSES:
        problems.append(f"min and max must be 1 to {MOST_PROCESSES}, and min not above max")
    problems += [
        f"{name} must be 0 to 100 per cent" for name, each in (("cpu", cpu), ("memory", memory)) if not 0 <= each <= 100
    ]
    if not 0 <= requests <= 1_000_000:
        problems.append("requests must be 0 to 1,000,000 a second")
    if not (cpu or memory or requests):
        problems.append("one of cpu, memory and requests must count")
    if problems:
        raise InvalidInput("nothing was changed", problems=problems)
    return Autoscale(least, most, cpu, memory, requests)
