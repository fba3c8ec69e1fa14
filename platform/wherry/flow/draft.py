"""A release as it is about to be written, and the one way it is written: with its rollout job and its event, or not
at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from wherry.domain.build_settings import BuildSettings
from wherry.domain.config import Config
from wherry.domain.errors import NotFound
from wherry.domain.formation import settled
from wherry.domain.image import Image
from wherry.domain.model import Actor, App, JobKind, Release
from wherry.flow.lanes import app_lane
from wherry.flow.ledger_ports import Ledger, Transaction


@dataclass(frozen=True, slots=True)
class Draft:
    app: App
    actor: Actor
    description: str
    image: Image
    config: Config
    build_id: int | None = None
    commit: str = ""
    origin: str = ""
    settings: BuildSettings | None = None  # None: the app's own


def append(tx: Transaction, draft: Draft, now: datetime) -> Release:
    app = draft.app
    before = tx.apps.formation(app.id)
    wishes = draft.image.wishes
    formation = settled(before, draft.image.processes, wishes.formation, wishes.autoscaling)
    release = tx.releases.append(
        app.id,
        draft.actor,
        draft.description,
        draft.image,
        draft.config,
        now,
        build_id=draft.build_id,
        commit=draft.commit,
        formation=formation,
        settings=draft.settings or app.build,
    )
    tx.apps.put_formation(app.id, {**before, **formation})
    tx.jobs.add(JobKind.ROLLOUT, release.id, app_lane(app.id))
    after = {"release": release.name, "description": release.description, "digest": release.image.digest}
    tx.events.add(now, draft.actor, app.name, "release.create", after=after, origin=draft.origin)
    return release


def latest(ledger: Ledger, app: App) -> App:
    """`app` as it is now: its name or maintenance may have changed while a rollout waited for its processes."""
    try:
        with ledger.begin(read_only=True) as tx:
            return tx.apps.by_id(app.id)
    except NotFound:
        return app  # destroyed meanwhile: its own job takes everything away


def newest(tx: Transaction, app_id: int) -> Release | None:
    """The release that the app is at or on its way to: the newest that has not failed."""
    return tx.releases.newest(app_id)
