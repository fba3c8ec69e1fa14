"""What every route is given: the world, and one call with its actor."""

from __future__ import annotations

from dataclasses import dataclass

from wherry.api.ids import Ids
from wherry.api.rates import Rates
from wherry.api.shapes import Shapes
from wherry.api.streams import Streams
from wherry.api.tickets import Tickets
from wherry.domain.errors import NotFound
from wherry.domain.model import Actor, App, Build, Release
from wherry.domain.roles import Permission
from wherry.domain.text import printable
from wherry.wiring.web import World


@dataclass(frozen=True)
class Desk:
    world: World
    ids: Ids
    tickets: Tickets
    streams: Streams
    rates: Rates

    @classmethod
    def of(cls, world: World) -> Desk:
        rates = Rates(world.settings.number("api_per_hour"))
        return cls(world, Ids(world.ticket_key), Tickets(world.ticket_key), Streams(), rates)

    def app(self, actor: Actor, text: str, permission: Permission) -> App:
        """By name or id, through its actor. Raises NotFound, the same for missing and foreign; Forbidden for one that
        may be seen without this permission.
        """
        number = self.ids.number("app", text)
        return self.world.access.app(actor, text if number is None else str(number), permission)

    def release(self, app: App, text: str) -> Release:
        """By number (12, v12) or id, of this app only. Raises NotFound, the same for missing and another app's."""
        number = self.ids.number("release", text)
        try:
            wanted = self.ids.find("release", text, prefix="v") if number is None else number
            with self.world.ledger.begin(read_only=True) as tx:
                found = tx.releases.by_number(app.id, wanted) if number is None else tx.releases.by_id(wanted)
        except NotFound:
            found = None
        if found is None or found.app_id != app.id:
            raise NotFound(
                f"{app.name} has no release '{printable(text, 60)}'", hint=f"To see them: wherry releases -a {app.name}"
            )
        return found

    def slug(self, app: App, text: str) -> Release:
        """The release that a slug's id stands for: its build's first one, or by itself where nothing was built. Raises
        NotFound.
        """
        build, release = self.ids.number("build", text), self.ids.number("slug", text)
        with self.world.ledger.begin(read_only=True) as tx:
            try:
                found = tx.releases.of_build(build) if build else tx.releases.by_id(release or 0)
            except NotFound:
                found = None
        if found is None or found.app_id != app.id:
            raise NotFound(f"{app.name} has no slug '{printable(text, 60)}'", hint="It is the 'slug' of a release.")
        return found

    def build(self, app: App, text: str) -> Build:
        """By number or id, of this app only. Raises NotFound, the same for missing and another app's."""
        wanted = self.ids.find("build", text)
        try:
            with self.world.ledger.begin(read_only=True) as tx:
                found = tx.builds.by_id(wanted)
        except NotFound:
            found = None
        if found is None or found.app_id != app.id:
            raise NotFound(f"{app.name} has no build '{text}'", hint=f"To see them: wherry builds -a {app.name}")
        return found


@dataclass(frozen=True)
class Call:
    """One authenticated request. `origin` goes into the events that it causes."""

    desk: Desk
    actor: Actor
    shapes: Shapes
    origin: str

    @property
    def world(self) -> World:
        return self.desk.world

    def demand(self, app: App, permission: Permission) -> None:
        """More than the route's own permission, for a part of what it does. Raises Forbidden."""
        self.world.access.demand(self.actor, app, permission)
