"""One try to bring several processes up at once; undone as a whole when one of them fails."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from threading import Lock, Semaphore
from typing import Any, cast

from docker.errors import APIError, NotFound

from wherry.domain.errors import PlatformFault, RolloutFailed, RolloutFailure
from wherry.domain.one_off import Task
from wherry.domain.workload import Workload
from wherry.flow.ports import Say
from wherry.flow.talk import detail
from wherry.runtimes.machine import gate, naming, retire, spec
from wherry.runtimes.machine.addresses import Addresses, Place
from wherry.runtimes.machine.checks import Patient, failed_at_start
from wherry.runtimes.machine.engine import HINT, Engine
from wherry.runtimes.machine.lives import Lives
from wherry.runtimes.machine.naming import Identity
from wherry.runtimes.machine.ours import Ours
from wherry.runtimes.machine.pull import NotPulled, Registry, pull

_STARTS_AT_ONCE = 8  # more would only queue inside the engine
_ADDRESS_TRIES = 3


@dataclass(frozen=True, slots=True)
class Wanted:
    """One process to have. `present`: the container of its name that is there already, as the engine lists it;
    `place`: where a new one goes; None where the present one runs from the same image, config and size.
    """

    who: Identity
    workload: Workload
    present: dict[str, Any] | None
    place: Place | None


@dataclass(frozen=True)
class Tools:
    """What all starts of one runtime share. Used from several threads."""

    engine: Engine
    registry: Registry
    addresses: Addresses
    ours: Ours
    turns: Semaphore = field(default_factory=lambda: Semaphore(_STARTS_AT_ONCE))
    pulling: Lock = field(default_factory=Lock)

    def list(self, platform: str) -> list[dict[str, Any]]:
        """All containers of apps, in any state, as the engine lists them."""
        found: list[dict[str, Any]] = self.engine.api.containers(all=True, filters=naming.of_platform(platform))
        return found


class Attempt:
    def __init__(self, tools: Tools, lives: Lives, say: Say) -> None:
        self._tools = tools
        self._engine = tools.engine
        self._lives = lives
        self._say = say
        self._saying = Lock()
        self._made: list[str] = []
        self._ready: list[tuple[str, float]] = []
        self._aside: list[tuple[str, str]] = []

    def run(self, wanted: Sequence[Wanted]) -> None:
        """Raises the first failure, with everything as it was before."""
        try:
            if failure := self._first_failure(wanted):
                self._undo()
                raise failure
        finally:
            self._tools.ours.discard(self._made)

    def _first_failure(self, wanted: Sequence[Wanted]) -> BaseException | None:
        with ThreadPoolExecutor(len(wanted), "start") as pool:
            futures = [pool.submit(self._bring, each) for each in wanted]
            done, _ = wait(futures, return_when=FIRST_EXCEPTION)
            failures = [error for each in futures if each in done and (error := each.exception())]
            if failures:
                self._lives.give_up()
        return failures[0] if failures else None

    def _bring(self, wanted: Wanted) -> None:
        """One process, until it is ready."""
        container, address = self._new(wanted, wanted.place) if wanted.place else self._adopted(wanted)
        life = self._lives.watch(container)
        ready = gate.passes(wanted.workload, address, life)
        patient = Patient(self._engine, container, address)
        unwell = failed_at_start(patient, wanted.workload, life) if ready else ""
        lasting = ready and not unwell and self._last(container)
        if self._lives.gone:
            raise PlatformFault(f"the Docker Engine went away while {wanted.who.process} was checked", hint=HINT)
        if not lasting or life.over.is_set():
            raise gate.why_not(self._engine, wanted.who, wanted.workload, container, life, passed=ready, unwell=unwell)
        self._ready.append((container, wanted.workload.stop_grace))
        with self._saying:
            detail(self._say, f"{wanted.who.process} is up")

    def _last(self, container: str) -> bool:
        """From now on the engine starts it again whenever it ends; False when it has ended already."""
        try:
            self._engine.api.update_container(container, restart_policy=cast(Any, spec.UP))
        except APIError:
            if self._engine.api.inspect_container(container)["State"]["Running"]:
                raise
            return False
        return True

    def _adopted(self, wanted: Wanted) -> tuple[str, str]:
        """An earlier start was cut off while this process was being checked: go on from there."""
        present = wanted.present or {}
        self._remember(present["Id"])
        return present["Id"], present["Labels"][naming.ADDRESS]

    def _new(self, wanted: Wanted, place: Place) -> tuple[str, str]:
        """The id and address of a new container that runs."""
        self._make_room(wanted)
        for left in reversed(range(_ADDRESS_TRIES)):
            container = self._create(wanted, place)
            try:
                with self._tools.turns:
                    self._engine.api.start(container)
                break
            except APIError as error:
                if not left or "Address already in use" not in str(error.explanation):
                    raise
                self._engine.remove(container)  # another process of ours was faster
                place = self._another_place(wanted.who)
        return container, place.address

    def _another_place(self, who: Identity) -> Place:
        addresses = self._tools.addresses
        with addresses.lock:
            return addresses.reserve([who.name], [each["Labels"] for each in self._tools.list(who.platform)])[who.name]

    def _make_room(self, wanted: Wanted) -> None:
        present = wanted.present
        if present is None:
            return
        if _must_stop_first(present, wanted):
            self._tools.ours.add(present["Id"])
            retire.take_away(self._engine, [(present["Id"], float(present["Labels"].get(naming.GRACE, 0)))])
            self._tools.ours.discard([present["Id"]])
        elif present["State"] in ("running", "restarting"):
            self._engine.api.rename(present["Id"], naming.aside(wanted.who.name, present["Id"]))
            self._aside.append((present["Id"], wanted.who.name))
        else:
            self._engine.remove(present["Id"])

    def _create(self, wanted: Wanted, place: Place) -> str:
        container = create(self._tools, wanted.who, wanted.workload, place)
        self._remember(container)
        return container

    def _remember(self, container: str) -> None:
        self._made.append(container)
        self._tools.ours.add(container)

    def _undo(self) -> None:
        """Processes that were ready already may be at work: they are stopped gracefully, the others killed."""
        ready = [container for container, _ in self._ready]
        unready = [(container, None) for container in self._made if container not in ready]
        retire.take_away(self._engine, [*self._ready, *unready])
        for container, name in self._aside:
            self._engine.api.rename(container, name)


def begin(tools: Tools, wanted: Wanted) -> None:
    """One process, ready or not. Raises RolloutFailed, and docker's errors."""
    assert wanted.place
    container = create(tools, wanted.who, wanted.workload, wanted.place)
    with tools.ours.during([container]):
        tools.engine.api.update_container(container, restart_policy=cast(Any, spec.UP))
        tools.engine.api.start(container)


def _must_stop_first(present: dict[str, Any], wanted: Wanted) -> bool:
    stop = naming.turn(wanted.workload, wanted.who.index).stop
    return stop > int(present["Labels"].get(naming.TURN, 0))


def create(
    tools: Tools, who: Identity, workload: Workload, place: Place, task: Task | None = None, *, once: bool = False
) -> str:
    """The id of a new container, its image pulled if need be; `task`: when it is a one-off's. Raises RolloutFailed, and
    docker's errors.
    """
    reference = tools.registry.reference(workload.image.repository, workload.image.digest)
    config = spec.container(who, workload, reference, place, once=once)
    config = spec.one_off(config, task) if task else config
    try:
        with tools.turns:
            return tools.engine.create(who.name, config)
    except NotFound as error:
        if "image" not in str(error.explanation).lower():
            raise
    with tools.pulling:  # the others that need the same image find it there
        try:
            pull(tools.engine, tools.registry, reference)
        except NotPulled as error:
            raise RolloutFailed(
                RolloutFailure.IMAGE_PULL, error.message, evidence=error.evidence, hint=error.hint
            ) from error
    return tools.engine.create(who.name, config)
