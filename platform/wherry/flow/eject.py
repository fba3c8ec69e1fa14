"""An app as plain files that run it without us, and its history, with which `adopt` takes it back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from wherry.domain import history
from wherry.domain.cron import TYPE, CronTask
from wherry.domain.errors import Conflict, NotFound
from wherry.domain.model import Actor, App, Release
from wherry.domain.text import printable
from wherry.domain.workload import Workload
from wherry.flow.ledger_ports import Ledger
from wherry.flow.plan import Patience, command, release_phase, workloads
from wherry.flow.ports import Clock

HISTORY = "history.json"


@dataclass(frozen=True, slots=True)
class Leaving:
    """What of an app goes into the files. `phase`: its release phase; `crons`: what it runs on a schedule; `hosts`: at
    which names it answers; `registry`: where its images lie.
    """

    name: str
    release: Release
    workloads: tuple[Workload, ...]
    phase: Workload | None
    crons: tuple[tuple[CronTask, Workload], ...]
    hosts: tuple[str, ...]
    registry: str


Writer = Callable[[Leaving], Mapping[str, str]]
"""Files of one kind, by their names."""


@dataclass(frozen=True)
class EjectApp:
    """`writers`: by the kind of files. `registry`: as nodes and engines name it. `cron_seconds`: the longest run."""

    ledger: Ledger
    clock: Clock
    writers: Mapping[str, Writer]
    patience: Patience
    registry: str
    apps_domain: str
    cron_seconds: float

    def run(self, actor: Actor, app: App, kind: str, origin: str = "") -> dict[str, str]:
        """The files, by their names; they hold the config in clear, so that an event says who has them. The app goes on.

        Raises NotFound for a kind that there is not, Conflict while the app has no release that serves.
        """
        writer = self.writers.get(kind)
        if writer is None:
            have = ", ".join(sorted(self.writers))
            raise NotFound(f"an app cannot be ejected to '{printable(kind, 40)}': have {have}")
        with self.ledger.begin(read_only=True) as tx:
            release = tx.releases.current(app.id)
            formation = tx.apps.formation(app.id)
            past = tx.releases.of_app(app.id, limit=history.MOST)
        if release is None:
            raise Conflict(f"{app.name} has no release to eject", hint="To make one: git push wherry main")
        tasks = [
            (each, command(app, release, TYPE, each.command, self.cron_seconds)) for each in release.image.wishes.cron
        ]
        leaving = Leaving(
            app.name,
            release,
            tuple(workloads(app, release, formation, self.patience)),
            release_phase(app, release, self.patience),
            tuple(tasks),
            (f"{app.name}.{self.apps_domain}", *app.domains),
            self.registry,
        )
        found = history.write(app.name, self.registry, app.domains, formation, past)
        files = {**writer(leaving), HISTORY: json.dumps(found, indent=1) + "\n"}
        with self.ledger.begin() as tx:
            after = {"to": kind, "release": release.name}
            tx.events.add(self.clock.now(), actor, app.name, "app.eject", after=after, origin=origin)
        return files
