"""How many processes of a type there shall be when load decides, and what counts as load. In Dokku's words (app.json,
`formation.TYPE.autoscaling`): ``{min_quantity, max_quantity, triggers: [{type: cpu, metadata: {value: 70}}]}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wherry.domain.reading import Reading

MOST_PROCESSES = 100
_MOST = {"cpu": 100, "memory": 100, "requests": 1_000_000}
_TIMES = ("cooldown_period_seconds", "polling_interval_seconds")


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

    def __str__(self) -> str:
        """For people: ``1 to 5 by cpu 80%``."""
        shares = [f"{kind} {share}%" for kind, share in (("cpu", self.cpu), ("memory", self.memory)) if share]
        by = [*shares, *([f"{self.requests} requests/s"] if self.requests else [])]
        return f"{self.least} to {self.most} by {', '.join(by)}"

    def within(self, quantity: int) -> int:
        """The nearest quantity that load could have chosen."""
        return min(max(quantity, self.least), self.most)


def read(reading: Reading, value: object, where: str) -> Autoscale | None:
    if value is None:
        return None
    found = reading.mapping(value, where)
    reading.only(found, frozenset({"min_quantity", "max_quantity", "triggers", *_TIMES}), where)
    for key in _TIMES:
        if found.get(key):
            reading.notice(f"{where}.{key}", "the cluster's own is used")
    least = reading.whole(found.get("min_quantity"), f"{where}.min_quantity", 1, MOST_PROCESSES) or 1
    most = reading.whole(found.get("max_quantity"), f"{where}.max_quantity", 1, MOST_PROCESSES)
    triggers = reading.items(found.get("triggers"), f"{where}.triggers", len(_MOST))
    counted = [_trigger(reading, each, f"{where}.triggers[{place}]") for place, each in enumerate(triggers)]
    counts = dict(counted)
    if len(counts) != len(counted):
        reading.fault(f"{where}.triggers", "a type stands twice")
    if most is None or most < least:
        reading.fault(f"{where}.max_quantity", "must be there, and not below min_quantity")
        return None
    if not triggers:
        reading.fault(f"{where}.triggers", f"must have one of type {', '.join(_MOST)}")
    return Autoscale(least, most, counts.get("cpu", 0), counts.get("memory", 0), counts.get("requests", 0))


def write(wish: Autoscale) -> dict[str, object]:
    """What `read` reads again."""
    counts = {"cpu": wish.cpu, "memory": wish.memory, "requests": wish.requests}
    triggers = [{"type": kind, "metadata": {"value": value}} for kind, value in counts.items() if value]
    return {"min_quantity": wish.least, "max_quantity": wish.most, "triggers": triggers}


def _trigger(reading: Reading, value: object, where: str) -> tuple[str, int]:
    found = reading.mapping(value, where)
    kind = found.get("type")
    if kind not in _MOST:
        reading.fault(f"{where}.type", f"there are: {', '.join(_MOST)}")
        return "", 0
    metadata: Mapping[str, object] = reading.mapping(found.get("metadata"), f"{where}.metadata")
    wanted = metadata.get("value")
    # Dokku's own examples write numbers as text.
    number = int(wanted) if isinstance(wanted, str) and wanted.isdecimal() and len(wanted) < 10 else wanted
    place = f"{where}.metadata.value"
    share = reading.whole(number, place, 1, _MOST[str(kind)])
    if share is None and number is None:
        reading.fault(place, "must be there")
    return str(kind), share or 0
