"""What the stories need of the ledger about apps: themselves, and what somebody has asked for one."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from wherry.domain.build_settings import BuildSettings
from wherry.domain.config import Config
from wherry.domain.domains import CustomDomain
from wherry.domain.drains import Drain
from wherry.domain.formation import Formation
from wherry.domain.model import Actor, App
from wherry.domain.one_off import OneOff
from wherry.domain.paging import Window
from wherry.domain.restarts import Target, Wish
from wherry.domain.secret import Secret


class Apps(Protocol):
    def add(self, name: str, owner: Actor, now: datetime) -> App:
        """Raises Conflict when the name is taken or was another app's within the last 90 days."""

    def by_id(self, app_id: int) -> App:
        """Raises NotFound."""

    def by_name(self, name: str) -> App:
        """Raises NotFound."""

    def all(self) -> list[App]: ...

    def seen_by(self, user_id: int) -> list[App]:
        """Those that the user owns or has a role on, by name."""

    def page(self, user_id: int | None, window: Window, by_id: bool = False) -> list[App]:
        """By name, or by id: those that the user owns or has a role on; None: all."""

    def among(self, user_id: int | None, ids: Collection[int], names: Collection[str]) -> list[App]:
        """Those of `page` that have one of these ids or names, by name."""

    def rename(self, app_id: int, name: str, now: datetime) -> App:
        """Raises Conflict as `add` does."""

    def set_owner(self, app_id: int, owner: Actor, now: datetime) -> None: ...

    def set_deploy_branch(self, app_id: int, branch: str) -> None: ...

    def set_maintenance(self, app_id: int, on: bool) -> None: ...

    def put_build_settings(self, app_id: int, settings: BuildSettings) -> None: ...

    def remove(self, app_id: int, now: datetime) -> None:
        """Keeps the name as a tombstone; removes config, formation and pending jobs."""

    def config(self, app_id: int) -> Config: ...

    def put_config(self, app_id: int, config: Config) -> None: ...

    def formation(self, app_id: int) -> Formation: ...

    def formations(self, app_ids: Collection[int]) -> dict[int, Formation]:
        """Of many apps at once; one that has none is left out."""

    def put_formation(self, app_id: int, formation: Formation) -> None: ...


class Restarts(Protocol):
    def wish(self, app_id: int, target: Target, stop_first: bool) -> Wish:
        """Takes the place of an earlier wish of the same kind for the same target; its number is the highest."""

    def of_app(self, app_id: int) -> list[Wish]:
        """By number."""


class Domains(Protocol):
    def add(
        self, app_id: int, owner_id: int, name: str, now: datetime, verified_at: datetime | None
    ) -> CustomDomain: ...

    def of_app(self, app_id: int) -> list[CustomDomain]:
        """By name."""

    def near(self, name: str) -> list[CustomDomain]:
        """Those of all apps that share their last two labels with `name`."""

    def checked(self, domain_id: int, now: datetime, verified_at: datetime | None, reason: str) -> CustomDomain:
        """Raises NotFound."""

    def due(self, now: datetime, most: int) -> list[CustomDomain]:
        """Those of living apps that DNS proved, and whose record is to be looked at again by `now`; the longest due
        first.
        """

    def looked(self, domain: CustomDomain) -> None:
        """Keeps its `look_at`, `missing_since`, `doubted_at` and `reason`. Raises NotFound."""

    def remove(self, domain_id: int) -> None: ...


class Drains(Protocol):
    def add(self, app_id: int, token: str, url: Secret, now: datetime) -> Drain:
        """The URL is sealed. Raises NotFound for an app that is gone."""

    def of_app(self, app_id: int) -> list[Drain]:
        """Oldest first."""

    def all(self) -> list[Drain]:
        """Those of every living app."""

    def remove(self, drain_id: int) -> None: ...


class OneOffs(Protocol):
    """Those that wait, run, or have ended and not been cleared up."""

    def add(self, one_off: OneOff, digest: str | None) -> OneOff:
        """With its id, and with the next free number where its own is taken. `digest`: of the word that attaches to it.
        Raises Conflict when all numbers are taken.
        """

    def by_name(self, app_id: int, name: str) -> OneOff:
        """Raises NotFound."""

    def take(self, digest: str) -> OneOff | None:
        """The one that the word attaches to; a second time, None."""

    def all(self, app_id: int | None = None) -> list[OneOff]:
        """Oldest first; those of apps that are gone are left out."""

    def remove(self, one_off_id: int) -> bool:
        """False when it was gone already."""
