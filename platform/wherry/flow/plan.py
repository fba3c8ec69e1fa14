"""What a release asks of a runtime and of the router, from what the ledger knows. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wherry.domain.formation import RELEASE, SIZES, Formation, settled
from wherry.domain.model import App, Release
from wherry.domain.restarts import Turn, Wish, turn
from wherry.domain.secret import Secret
from wherry.domain.workload import AppRoute, Process, Workload


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: until a web process must listen, for requests in flight to end, from SIGTERM to SIGKILL; and how
    long a new release is watched for crashes (0: not at all); and how long its release phase may take."""

    boot: float = 60.0
    drain: float = 30.0
    stop: float = 30.0
    watch: float = 300.0
    release: float = 3600.0


def workloads(
    app: App, release: Release, formation: Formation, patience: Patience, wishes: Sequence[Wish] = ()
) -> list[Workload]:
    """One for each process type of the release, those with quantity 0 left out."""
    scales = settled(formation, release.image.processes)
    return [
        Workload(
            app_id=app.id,
            app_name=app.name,
            release=release.number,
            type=name,
            image=release.image.of(name),
            start=release.image.starts.get(name),
            env=_env(release),
            quantity=scale.quantity,
            size=SIZES[scale.size],
            boot_limit=patience.boot,
            stop_grace=patience.stop,
            turns=_turns(wishes, name, scale.quantity),
        )
        for name, scale in scales.items()
        if scale.quantity > 0
    ]


def _turns(wishes: Sequence[Wish], name: str, quantity: int) -> dict[int, Turn]:
    turns = {index: turn(wishes, name, index) for index in range(1, quantity + 1)} if wishes else {}
    return {index: each for index, each in turns.items() if each.number}


def release_phase(app: App, release: Release, patience: Patience) -> Workload | None:
    """The Procfile's ``release``, which runs once with the new image and config before anything of it starts."""
    if RELEASE not in release.image.processes:
        return None
    return Workload(
        app_id=app.id,
        app_name=app.name,
        release=release.number,
        type=RELEASE,
        image=release.image.of(RELEASE),
        start=release.image.starts.get(RELEASE),
        env=_env(release),
        boot_limit=patience.release,
    )


def _env(release: Release) -> Mapping[str, Secret]:
    ours = {"WHERRY_RELEASE_VERSION": release.name, "WHERRY_SLUG_COMMIT": release.commit}
    return {**release.config, **{key: Secret(value) for key, value in ours.items() if value}}


def route(app: App, release: Release, processes: Sequence[Process]) -> AppRoute:
    """The web processes of `release` among `processes`."""
    endpoints = tuple(
        process.endpoint
        for process in sorted(processes, key=lambda each: each.index)
        if process.release == release.number and process.endpoint is not None
    )
    return AppRoute(app.id, (app.name,), release.number, endpoints, app.maintenance, app.domains)
