"""Which buildpacks an app asks for. No release and no build: the next push is built with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from wherry.domain import buildpack_list
from wherry.domain.buildpacks import checked
from wherry.domain.model import Actor, App
from wherry.flow.ledger_ports import Ledger
from wherry.flow.ports import Clock

Change = Callable[[tuple[str, ...]], Sequence[object]]


@dataclass(frozen=True)
class Buildpacks:
    """`sources`: the operator's URL prefixes from which buildpacks may be fetched."""

    ledger: Ledger
    clock: Clock
    sources: Sequence[str] = ()

    def show(self, app: App) -> tuple[str, ...]:
        with self.ledger.begin(read_only=True) as tx:
            return tx.apps.by_id(app.id).build.buildpacks

    def set(self, actor: Actor, app: App, buildpacks: Sequence[object], origin: str = "") -> tuple[str, ...]:
        """The whole list, in its order; none: what detects. Raises InvalidInput with every fault, and changes nothing."""
        return self._change(actor, app, lambda before: buildpacks, origin)

    def add(
        self, actor: Actor, app: App, buildpack: str, place: int | None = None, origin: str = ""
    ) -> tuple[str, ...]:
        """At `place`, which counts from 1, else at the end. Raises Conflict when it is there, InvalidInput."""
        return self._change(actor, app, lambda before: buildpack_list.add(before, buildpack, place), origin)

    def remove(
        self, actor: Actor, app: App, buildpack: str | None = None, place: int | None = None, origin: str = ""
    ) -> tuple[str, ...]:
        """By name or by place. Raises NotFound, InvalidInput."""
        return self._change(actor, app, lambda before: buildpack_list.remove(before, buildpack, place), origin)

    def clear(self, actor: Actor, app: App, origin: str = "") -> None:
        self.set(actor, app, (), origin)

    def _change(self, actor: Actor, app: App, change: Change, origin: str) -> tuple[str, ...]:
        now = self.clock.now()
        with self.ledger.begin() as tx:
            settings = tx.apps.by_id(app.id).build
            after = checked(change(settings.buildpacks), self.sources)
            if after != settings.buildpacks:
                tx.apps.put_build_settings(app.id, replace(settings, buildpacks=after))
                was, now_is = ({"buildpacks": list(each)} for each in (settings.buildpacks, after))
                tx.events.add(now, actor, app.name, "buildpacks.change", was, now_is, origin)
        return after
