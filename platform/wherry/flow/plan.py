"""What a release asks of a runtime and of the router, from what the ledger knows. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from wherry.domain.errors import RolloutFailed, RolloutFailure
from wherry.domain.formation import RELEASE, SIZES, Formation, settled
from wherry.domain.health import Check
from wherry.domain.image import Start
from wherry.domain.model import App, Release
from wherry.domain.one_off import OneOff, Task
from wherry.domain.restarts import Turn, Wish, turn
from wherry.domain.secret import Secret
from wherry.domain.volume import ONE_AT_A_TIME
from wherry.domain.workload import AppRoute, Process, Workload

ONE_OFF_GRACE = 10.0
"""Seconds from SIGTERM to SIGKILL for a one-off: somebody waits for its end."""
LAUNCHER = "/cnb/lifecycle/launcher"
WEB = "web"


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
            checks=_checks(release, name),
            autoscale=scale.autoscale,
            volumes=release.image.wishes.volumes.get(name, ()),
            turns=_turns(wishes, name, scale.most),
        )
        for name, scale in scales.items()
        if scale.quantity > 0
    ]


def left_alone(release: Release, formation: Formation, by_load: bool) -> list[str]:
    """What app.json says of scaling by load without effect, in words for the pusher."""
    told = []
    for name, wish in sorted(release.image.wishes.autoscaling.items()):
        if name not in formation or (by_load and formation[name].autoscale == wish):
            continue
        now = (
            f"{name} stays {formation[name].autoscale or 'as it was scaled'}: wherry ps:autoscale:enable {name} --max N"
        )
        why = (
            f"it is for types that are new; {now}"
            if by_load
            else f"only on a Kubernetes; here: wherry ps:scale {name}=N"
        )
        told.append(f"app.json: formation.{name}.autoscaling does nothing: {why}")
    return told


def check_volumes(app: App, wanted: Sequence[Workload]) -> None:
    """Where there are volumes. Raises RolloutFailed for types that are to run more than once and have one."""
    torn = [each for each in wanted if each.volumes and each.most > 1]
    if not torn:
        return
    once = " ".join(f"{each.type}=1" for each in torn)
    by_load = [f"wherry ps:autoscale:disable {each.type} -a {app.name}" for each in torn if each.autoscale]
    raise RolloutFailed(
        RolloutFailure.REFUSED,
        f"{', '.join(each.type for each in torn)} would run more than once",
        evidence=[f"{each.type}: {ONE_AT_A_TIME}, and {each.most} are asked for" for each in torn],
        hint="; ".join(["Nothing was switched. To run one", *by_load, f"wherry ps:scale {once} -a {app.name}"])
        + "; then the release once more: wherry releases:retry",
    )


def _turns(wishes: Sequence[Wish], name: str, most: int) -> dict[int, Turn]:
    turns = {index: turn(wishes, name, index) for index in range(1, most + 1)} if wishes else {}
    return {index: each for index, each in turns.items() if each.number}


def _checks(release: Release, name: str) -> tuple[Check, ...]:
    """Commands get the environment that the buildpacks' launcher makes, as the process itself does."""
    checks = release.image.wishes.healthchecks.get(name, ())
    if name in release.image.starts:
        return checks
    return tuple(replace(each, command=(LAUNCHER, "--", *each.command)) if each.command else each for each in checks)


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


def task(app: App, release: Release, one_off: OneOff, grace: float = ONE_OFF_GRACE) -> Task:
    """The image of its type where the release has such a process, else that of web. A shell reads the command: that of
    the launcher, with the buildpacks' environment, or the image's own.
    """
    like = next((name for name in (one_off.type, WEB) if name in release.image.processes), "")
    begun = release.image.starts.get(like) or next(iter(release.image.starts.values()), None)
    shell = ("/bin/sh", "-c") if begun else (LAUNCHER,)
    home = {} if begun else {"HOME": Secret("/workspace")}
    workload = Workload(
        app_id=app.id,
        app_name=app.name,
        release=release.number,
        type=one_off.type,
        image=release.image.of(like),
        start=Start((*shell, one_off.command), begun.user if begun else ""),
        # Inside a process there is the environment of that process already.
        env=one_off.env if one_off.inside else {**home, **_env(release), **one_off.env},
        size=SIZES[one_off.size],
        stop_grace=grace,
    )
    return Task(one_off.id, one_off.number, workload, one_off.attach, one_off.tty)


def command(app: App, release: Release, type: str, line: str, seconds: float) -> Workload:
    """A line of the app's own, once, in the image and with the environment of its web process."""
    like = WEB if WEB in release.image.processes else ""
    begun = release.image.starts.get(like) or next(iter(release.image.starts.values()), None)
    shell = ("/bin/sh", "-c") if begun else (LAUNCHER,)
    home = {} if begun else {"HOME": Secret("/workspace")}
    return Workload(
        app_id=app.id,
        app_name=app.name,
        release=release.number,
        type=type,
        image=release.image.of(like),
        start=Start((*shell, line), begun.user if begun else ""),
        env={**home, **_env(release)},
        boot_limit=seconds,
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
