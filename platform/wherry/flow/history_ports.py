"""What the stories need of the ledger about builds and releases."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from wherry.domain.build_settings import BuildSettings
from wherry.domain.config import Config
from wherry.domain.formation import Formation
from wherry.domain.image import Image
from wherry.domain.model import Actor, Build, Release, ReleaseStatus, Source
from wherry.domain.paging import Window
from wherry.domain.retention import Standing


class Builds(Protocol):
    def add(self, app_id: int, actor: Actor, branch: str, previous: str, source: Source, now: datetime) -> Build: ...

    def by_id(self, build_id: int) -> Build:
        """Raises NotFound."""

    def of_app(self, app_id: int, limit: int = 50) -> list[Build]:
        """Newest first."""

    def page(self, app_id: int, window: Window) -> list[Build]:
        """By id."""

    def unfinished(self, app_id: int) -> list[Build]: ...

    def start(self, build_id: int) -> None: ...

    def finish(self, build: Build) -> bool:
        """Writes status, image, failure, message and finished_at, unless the build is final already (then False)."""


class Releases(Protocol):
    def append(
        self,
        app_id: int,
        actor: Actor,
        description: str,
        image: Image,
        config: Config,
        now: datetime,
        build_id: int | None = None,
        commit: str = "",
        formation: Formation | None = None,
        settings: BuildSettings | None = None,
    ) -> Release:
        """The next number, pending."""

    def begin_at(self, app_id: int, number: int) -> None:
        """The first release will have this number; once there is one, nothing changes."""

    def by_id(self, release_id: int) -> Release:
        """Raises NotFound."""

    def by_number(self, app_id: int, number: int) -> Release:
        """Raises NotFound."""

    def of_app(self, app_id: int, limit: int = 50) -> list[Release]:
        """Newest first."""

    def of_builds(self, build_ids: Collection[int]) -> dict[int, Release]:
        """The first release of each, without its config."""

    def page(self, app_id: int, window: Window, by_id: bool = False) -> list[Release]:
        """By number, or by id; without their config (config.UNREAD)."""

    def kept(self, app_id: int, most: int) -> list[Release]:
        """Those whose image stays (domain/retention.py), without their config."""

    def standing(self, app_id: int, most: int) -> Standing:
        """`most`: of how many that served the image is kept."""

    def newest(self, app_id: int) -> Release | None:
        """The newest that has not failed."""

    def newests(self, app_ids: Collection[int]) -> dict[int, Release]:
        """`newest` of many apps at once, without their config."""

    def before(self, app_id: int, number: int) -> Release | None:
        """The succeeded release with the highest number below."""

    def of_build(self, build_id: int) -> Release | None:
        """The first release of that build."""

    def current(self, app_id: int) -> Release | None:
        """The succeeded release with the highest number."""

    def currents(self, app_ids: Collection[int]) -> dict[int, Release]:
        """Of many apps at once, without their config."""

    def finish(
        self, release_id: int, status: ReleaseStatus, now: datetime, failure: str = "", message: str = ""
    ) -> bool:
        """False when it was final already."""
