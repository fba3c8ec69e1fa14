"""How many of each process type, and how large. No release: quantities belong to the app and survive deploys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from wherry.domain.formation import Formation, scaled, settled, without_load
from wherry.domain.model import Actor, App, JobKind, Release
from wherry.flow.draft import newest
from wherry.flow.lanes import app_lane
from wherry.flow.ledger_ports import Ledger, Transaction
from wherry.flow.ports import Clock


@dataclass(frozen=True)
class ScaleApp:
    """`by_load`: whether load can decide on quantities. Where it cannot, what the app wishes of it waits, unseen.
    `has_volumes`: whether there are volumes, so that a type with one is one process.
    """

    ledger: Ledger
    clock: Clock
    by_load: bool = False
    has_volumes: bool = False

    def show(self, app: App) -> tuple[Formation, Release | None]:
        """The formation of the newest release's process types, and that release."""
        with self.ledger.begin(read_only=True) as tx:
            return self._current(tx, app)

    def run(self, actor: Actor, app: App, updates: Mapping[str, tuple[object, object]], origin: str = "") -> Formation:
        """`updates`: type to (quantity or None, size or None). Raises InvalidInput with every fault, and changes
        nothing.
        """
        now = self.clock.now()
        with self.ledger.begin() as tx:
            before, release = self._current(tx, app)
            single = release.image.wishes.volumes if release and self.has_volumes else {}
            after = scaled(before, updates, single)
            if after != before:
                kept = tx.apps.formation(app.id)
                waiting = {name: each.autoscale for name, each in kept.items() if not self.by_load}
                changed = {
                    name: replace(each, autoscale=waiting.get(name, each.autoscale)) for name, each in after.items()
                }
                tx.apps.put_formation(app.id, {**kept, **changed})
                tx.jobs.add(JobKind.CONVERGE, app.id, app_lane(app.id))
                tx.events.add(now, actor, app.name, "formation.change", _shown(before), _shown(after), origin)
        return after

    def _current(self, tx: Transaction, app: App) -> tuple[Formation, Release | None]:
        release = newest(tx, app.id)
        found = settled(tx.apps.formation(app.id), release.image.processes if release else ())
        return found if self.by_load else without_load(found), release


def _shown(formation: Formation) -> dict[str, object]:
    return {name: f"{scale.quantity}:{scale.size}" for name, scale in formation.items()}
