"""A change of config: several keys, one release; before the first push it only waits for one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wherry.domain.config import Config, changed
from wherry.domain.model import Actor, App, Release
from wherry.flow.draft import Draft, append, newest
from wherry.flow.ledger_ports import Ledger
from wherry.flow.ports import Clock


@dataclass(frozen=True)
class Configure:
    ledger: Ledger
    clock: Clock

    def show(self, app: App) -> Config:
        with self.ledger.begin(read_only=True) as tx:
            return tx.apps.config(app.id)

    def run(self, actor: Actor, app: App, changes: Mapping[str, str | None], origin: str = "") -> Release | None:
        """None when nothing changed, or nothing is released yet. Raises InvalidInput with every fault of `changes`."""
        now = self.clock.now()
        with self.ledger.begin() as tx:
            before = tx.apps.config(app.id)
            after = changed(before, changes)
            if after == before:
                return None
            tx.apps.put_config(app.id, after)
            real = {key: value for key, value in changes.items() if before.get(key) != after.get(key)}
            tx.events.add(now, actor, app.name, "config.change", after=_keys(real), origin=origin)
            base = newest(tx, app.id)
            if base is None:
                return None
            described = _described(real)
            draft = Draft(app, actor, described, base.image, after, base.build_id, base.commit, origin, base.settings)
            return append(tx, draft, now)


def _keys(changes: Mapping[str, str | None]) -> dict[str, list[str]]:
    return {
        "set": sorted(key for key, value in changes.items() if value is not None),
        "unset": sorted(key for key, value in changes.items() if value is None),
    }


def _described(changes: Mapping[str, str | None]) -> str:
    """Heroku's words: "Set A, B config vars", "Unset C config vars"."""
    keys = _keys(changes)
    parts = [
        f"{verb} {', '.join(names)} config vars"
        for verb, names in (("Set", keys["set"]), ("Unset", keys["unset"]))
        if names
    ]
    return "; ".join(parts)[:250]
