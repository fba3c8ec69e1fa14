"""Load decides how many processes of a type run, between two bounds, or no longer. Kept with the formation, so that it
survives deploys and rollbacks as quantity and size do.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from wherry.domain import autoscale
from wherry.domain.errors import InvalidInput, NotFound, PlatformFault
from wherry.domain.formation import Scale, settled
from wherry.domain.model import Actor, App, JobKind, Release
from wherry.domain.reading import Reading
from wherry.domain.restarts import type_named
from wherry.domain.volume import ONE_AT_A_TIME
from wherry.flow.draft import newest
from wherry.flow.lanes import app_lane
from wherry.flow.ledger_ports import Ledger, Transaction
from wherry.flow.ports import Clock, Runtime


@dataclass(frozen=True)
class AutoscaleApp:
    ledger: Ledger
    runtime: Runtime
    clock: Clock

    def enable(self, actor: Actor, app: App, type: str, asked: object, origin: str = "") -> None:
        """`asked`: as `formation.TYPE.autoscaling` of an app.json. A type that is stopped begins with it. Raises NotFound for
        a type that the app does not have, InvalidInput with every fault; then nothing has changed.
        """
        if not self.runtime.by_load:
            raise InvalidInput(
                "processes are scaled by load on a Kubernetes only, and this platform's apps run on Docker",
                hint=f"To set how many run: wherry ps:scale {type}=3",
            )
        reading = Reading(type)
        wish = autoscale.read(reading, asked or {}, "autoscaling")
        with self.ledger.begin() as tx:
            before, release = self._now(tx, app, type)
            if wish and wish.most > 1 and self.runtime.has_volumes and release.image.wishes.volumes.get(type):
                reading.fault("autoscaling", ONE_AT_A_TIME)
            reading.check("nothing was changed")
            if wish is None or (before.autoscale == wish and before.quantity):
                return
            after = replace(before, quantity=wish.within(before.quantity), autoscale=wish)
            was = before.autoscale or f"{before.quantity}:{before.size}"
            self._put(tx, app, type, after)
            self._note(tx, actor, app, "autoscaling.enable", (type, str(was), str(wish)), origin)

    def disable(self, actor: Actor, app: App, type: str, origin: str = "") -> None:
        """As many go on as run now. Raises NotFound for a type that is not scaled by load."""
        count = self._running(app, type)
        with self.ledger.begin() as tx:
            before, _ = self._now(tx, app, type)
            if before.autoscale is None:
                raise NotFound(
                    f"{type} is not scaled by load", hint=f"To see what is: wherry ps:autoscale -a {app.name}"
                )
            quantity = before.autoscale.within(count or before.quantity) if before.quantity else 0
            self._put(tx, app, type, Scale(quantity, before.size))
            said = (type, str(before.autoscale), f"{quantity}:{before.size}")
            self._note(tx, actor, app, "autoscaling.disable", said, origin)

    def _now(self, tx: Transaction, app: App, type: str) -> tuple[Scale, Release]:
        release = newest(tx, app.id)
        if release is None:
            raise NotFound(f"{app.name} has no processes yet", hint="To make some: git push wherry main")
        formation = settled(tx.apps.formation(app.id), release.image.processes)
        type_named(type, formation)
        return formation[type], release

    def _running(self, app: App, type: str) -> int:
        """Of the release that serves; 0 where nobody can tell."""
        with self.ledger.begin(read_only=True) as tx:
            current = tx.releases.current(app.id)
        try:
            found = self.runtime.processes(app.id)
        except PlatformFault:
            return 0
        return sum(current is not None and (each.type, each.release) == (type, current.number) for each in found)

    def _put(self, tx: Transaction, app: App, type: str, scale: Scale) -> None:
        tx.apps.put_formation(app.id, {**tx.apps.formation(app.id), type: scale})
        tx.jobs.add(JobKind.CONVERGE, app.id, app_lane(app.id))

    def _note(
        self, tx: Transaction, actor: Actor, app: App, action: str, said: tuple[str, str, str], origin: str
    ) -> None:
        type, before, after = said
        tx.events.add(self.clock.now(), actor, app.name, action, {type: before}, {type: after}, origin)
