"""What every Runtime does: the same assertions on the Docker Engine, as a swarm and not, on a Kubernetes, and on the one in
memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
from wherry.domain.errors import Cancelled, NotFound, PlatformFault, RolloutFailed, RolloutFailure
from wherry.domain.formation import Size
from wherry.domain.image import Image
from wherry.domain.restarts import Turn
from wherry.domain.workload import ProcessState
from wherry.flow.ports import Cancel, Runtime

from tests.contract.runtime_world import World
from tests.fakes.runtime import InMemoryRuntime
from tests.runtimes.machine_world import SMALL, eventually, quiet, workload


class Kept:
    """What a run said, as a log keeps it. `then` is told of each line."""

    def __init__(self, then: Callable[[str], None] = lambda _: None) -> None:
        self.lines: list[str] = []
        self.marks: list[str] = []
        self._then = then

    def say(self, line: str, mark: str = "") -> None:
        self.lines.append(line)
        self.marks.append(mark)
        self._then(line)

    def take(self, other: Kept, count: int) -> None:
        self.lines, self.marks = other.lines[:count], other.marks[:count]


def test_started_processes_are_up_and_only_web_has_an_endpoint(world: World) -> None:
    said: list[str] = []
    world.runtime.start([workload(world.image, quantity=2), workload(world.image, "worker")], said.append)
    found = world.runtime.processes(1)
    assert [(each.name, each.state) for each in found] == [
        ("web.1", ProcessState.UP),
        ("web.2", ProcessState.UP),
        ("worker.1", ProcessState.UP),
    ]
    assert [each.endpoint is not None for each in found] == [True, True, False]
    assert len({each.endpoint for each in found}) == 3
    assert sorted(line.strip() for line in said) == ["web.1 is up", "web.2 is up", "worker.1 is up"]


def test_nothing_wanted_is_nothing_started(world: World) -> None:
    world.runtime.start([], quiet)
    assert world.runtime.processes() == []


def test_starting_twice_is_starting_once(world: World) -> None:
    asked = [workload(world.image), workload(world.image, "worker")]
    world.runtime.start(asked, quiet)
    before = world.runtime.processes()
    world.runtime.start(asked, quiet)
    assert world.runtime.processes() == before


def test_scaling_keeps_what_runs_and_retire_stops_what_is_too_many(world: World) -> None:
    one = workload(world.image)
    world.runtime.start([one], quiet)
    (first,) = world.runtime.processes()
    world.runtime.start([replace(one, quantity=3)], quiet)
    assert world.ids() == [(1, 1, "web.1"), (1, 1, "web.2"), (1, 1, "web.3")]
    world.runtime.retire(1, [replace(one, quantity=2)])
    assert world.ids() == [(1, 1, "web.1"), (1, 1, "web.2")]
    assert world.runtime.processes()[0] == first


def test_a_new_release_starts_beside_the_old_which_is_gone_when_it_is_retired(world: World) -> None:
    old, new = workload(world.image, release=1), workload(world.image, release=2)
    world.runtime.start([old], quiet)
    world.runtime.start([new], quiet)
    if world.keeps_the_old:
        assert world.ids() == [(1, 1, "web.1"), (1, 2, "web.1")]
    assert (1, 2, "web.1") in world.ids()
    world.runtime.retire(1, [new])
    world.runtime.retire(1, [new])
    assert world.ids() == [(1, 2, "web.1")]


def test_retire_leaves_other_apps_alone(world: World) -> None:
    world.runtime.start([workload(world.image, app_id=1), workload(world.image, app_id=11)], quiet)
    world.runtime.retire(1, [])
    assert world.ids() == [(11, 1, "web.1")]
    assert world.runtime.processes(1) == []


def test_another_size_replaces_the_process(world: World) -> None:
    small = workload(world.image)
    large = replace(small, size=Size("larger", SMALL.memory * 2, SMALL.cpu))
    world.runtime.start([small], quiet)
    (before,) = world.runtime.processes()
    world.runtime.start([large], quiet)
    (after,) = world.runtime.processes()
    assert after.endpoint != before.endpoint
    world.runtime.retire(1, [large])
    assert world.runtime.processes() == [after]


def test_a_restart_wish_replaces_the_process_beside_the_old_one_and_only_once(world: World) -> None:
    one = workload(world.image, quantity=2)
    world.runtime.start([one], quiet)
    first, second = world.runtime.processes()
    again = replace(one, turns={2: Turn(7)})
    for _ in range(2):
        world.runtime.start([again], quiet)
        world.runtime.retire(1, [again])
    kept, fresh = world.runtime.processes()
    assert kept == first
    assert (fresh.name, fresh.state) == ("web.2", ProcessState.UP)
    assert fresh.endpoint != second.endpoint


def test_a_process_that_must_be_stopped_first_is_gone_before_its_successor_begins(world: World) -> None:
    world.runtime.start([workload(world.image, "worker")], quiet)
    broken = workload(world.image, "worker", env={"MODE": "exits"}, turns={1: Turn(7, 7)}, settle=3.0)
    with pytest.raises(RolloutFailed):
        world.runtime.start([broken], quiet)
    assert world.runtime.processes() == []
    again = workload(world.image, "worker", turns={1: Turn(7, 7)})
    world.runtime.start([again], quiet)
    (process,) = world.runtime.processes()
    world.runtime.start([again], quiet)
    assert world.runtime.processes() == [process]


def test_what_is_insisted_on_is_there_though_it_fails_and_is_tried_again(world: World) -> None:
    broken = workload(world.image, "worker", env={"MODE": "exits"})
    world.runtime.insist([broken])
    eventually(lambda: world.runtime.processes()[0].state is not ProcessState.UP)
    world.runtime.insist([broken])
    world.runtime.start([broken], quiet)  # it is the engine's to start again
    assert world.ids() == [(1, 1, "worker.1")]


def test_a_process_whose_successor_failed_may_stay(world: World) -> None:
    world.runtime.start([workload(world.image)], quiet)
    before = world.runtime.processes()
    broken = workload(world.image, env={"MODE": "exits"}, turns={1: Turn(7)})
    with pytest.raises(RolloutFailed):
        world.runtime.start([broken], quiet)
    world.runtime.retire(1, [broken], by_name=True)
    assert world.runtime.processes() == before
    world.runtime.retire(1, [broken])
    assert world.runtime.processes() == []


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("exits", RolloutFailure.EXITED),
        ("deaf", RolloutFailure.NOT_LISTENING),
        ("hungry", RolloutFailure.OUT_OF_MEMORY),
    ],
)
def test_a_process_that_fails_its_gate_fails_the_start_and_the_old_release_stays(
    world: World, mode: str, kind: RolloutFailure
) -> None:
    world.runtime.start([workload(world.image, release=1)], quiet)
    before = world.runtime.processes()
    limit = {"boot_limit": 1.0} if kind is RolloutFailure.NOT_LISTENING else {}  # the others are to end before it
    broken = workload(world.image, release=2, env={"MODE": mode}, **limit)
    with pytest.raises(RolloutFailed) as caught:
        world.runtime.start([workload(world.image, "worker", release=2), broken], quiet)
    assert caught.value.kind is kind
    assert "web.1" in caught.value.message
    assert world.runtime.processes() == before


def test_a_failed_change_of_size_leaves_the_process_as_it_was(world: World) -> None:
    world.runtime.start([workload(world.image)], quiet)
    before = world.runtime.processes()
    with pytest.raises(RolloutFailed):
        world.runtime.start([workload(world.image, env={"MODE": "exits"})], quiet)
    assert world.runtime.processes() == before
    world.runtime.retire(1, [workload(world.image)])
    assert world.runtime.processes() == before


def test_a33_a_process_that_crashes_is_started_again_at_the_same_endpoint(world: World) -> None:
    world.runtime.start([workload(world.image)], quiet)
    (before,) = world.runtime.processes()
    world.crash(1, "web.1")
    eventually(lambda: world.runtime.processes()[0].restarts == 1)
    (after,) = world.runtime.processes()
    assert (after.endpoint, after.name) == (before.endpoint, before.name)
    world.runtime.start([workload(world.image)], quiet)  # it is kept, not replaced
    assert world.runtime.processes()[0].restarts == 1


def test_watch_tells_of_a_crash_and_not_of_what_we_do(world: World) -> None:
    told: list[int] = []
    heard = threading.Event()

    def on_change(app_id: int) -> None:
        told.append(app_id)
        heard.set()

    world.runtime.start([workload(world.image, app_id=1)], quiet)
    threading.Thread(target=world.runtime.watch, args=(on_change,), daemon=True).start()
    time.sleep(0.2)  # there is no sign of when a watch has begun
    world.runtime.start([workload(world.image, app_id=2)], quiet)
    world.runtime.retire(2, [])
    world.crash(1, "web.1")
    assert heard.wait(60)
    assert set(told) == {1}


def test_a_run_that_is_left_goes_on_and_is_found_again_and_no_retire_takes_it(world: World) -> None:
    line = workload(world.image, "release", env={"MODE": "slow"}, release=3)
    leave = Cancel()
    threading.Timer(1, leave.cancel).start()
    with pytest.raises(Cancelled):
        world.runtime.run(line, quiet, Cancel(), number=1007, leave=leave)
    world.runtime.retire(1, ())
    again, kill = Cancel(), Cancel()
    threading.Timer(1, kill.cancel).start()
    with pytest.raises(Cancelled):
        world.runtime.run(line, quiet, kill, number=1007, leave=again, resume=True)
    with pytest.raises(NotFound):
        world.runtime.run(line, quiet, Cancel(), number=1007, leave=Cancel(), resume=True)
    assert world.runtime.processes(1) == []


def test_a_run_of_its_own_number_ends_beside_the_processes(world: World) -> None:
    world.runtime.start([workload(world.image)], quiet)
    kept = Kept()
    assert world.runtime.run(workload(world.image, "release"), kept.say, Cancel(), number=1001, leave=Cancel()) == 0
    assert kept.lines == ["migrated"]
    assert world.ids() == [(1, 1, "web.1")]


def test_whoever_goes_on_with_a_run_hears_each_line_after_the_last_that_was_kept_once(world: World) -> None:
    counts = workload(world.image, "release", env={"MODE": "counts"}, release=3)
    run, numbers = partial(world.runtime.run, counts, number=1008), [str(each) for each in range(1, 11)]
    leave = Cancel()
    before = Kept(lambda line: leave.cancel() if line == "5" else None)
    with pytest.raises(Cancelled):
        run(before.say, Cancel(), leave=leave)
    assert before.lines == numbers[:5]
    log = Kept()
    log.take(before, 2)  # what came after it died with who heard it
    with pytest.raises(Cancelled):
        run(quiet, Cancel(), leave=leave, resume=True, heard=log.marks[-1])
    assert run(log.say, Cancel(), leave=Cancel(), resume=True, heard=log.marks[-1]) == 0
    assert log.lines == numbers
    assert run(log.say, Cancel(), leave=Cancel(), heard=log.marks[-1]) == 0  # another one: nothing is left of the first
    assert log.lines == numbers * 2
    assert log.marks == sorted(set(log.marks))


def test_nothing_is_lost_of_a_run_of_which_no_line_was_kept(world: World) -> None:
    counts = workload(world.image, "release", env={"MODE": "counts"}, boot_limit=600.0)
    leave, log = Cancel(), Kept()
    with pytest.raises(Cancelled):
        world.runtime.run(counts, lambda line, mark="": leave.cancel(), Cancel(), number=1009, leave=leave)
    another = "000041/another/2026-11-21T15:04:05.5Z"
    assert world.runtime.run(counts, log.say, Cancel(), number=1009, leave=Cancel(), resume=True, heard=another) == 0
    assert log.lines == [str(each) for each in range(1, 11)]
    assert min(log.marks) > another


def test_without_an_engine_every_method_is_a_platform_fault() -> None:
    fake = InMemoryRuntime()
    fake.go_away()
    for act in _every_method(fake):
        with pytest.raises(PlatformFault):
            act()


def _every_method(runtime: Runtime) -> list[Callable[[], object]]:
    return [
        lambda: runtime.start([workload(Image("apps/1", "sha256:0"))], quiet),
        lambda: runtime.retire(1, []),
        lambda: runtime.insist([workload(Image("apps/1", "sha256:0"))]),
        runtime.processes,
        lambda: runtime.watch(lambda _: None),
    ]


def test_discarding_an_image_keeps_what_runs_on_it_and_may_be_repeated(world: World) -> None:
    world.runtime.start([workload(world.image)], quiet)
    images = {(world.image.repository, world.image.digest), ("apps/1", "sha256:" + "0" * 64)}
    world.runtime.discard(images)
    world.runtime.discard(images)
    assert world.ids() == [(1, 1, "web.1")]
    world.runtime.retire(1, ())
    world.runtime.discard(images)
    world.runtime.start([workload(world.image)], quiet)
    assert world.ids() == [(1, 1, "web.1")]


@pytest.mark.parametrize(("mode", "code", "line"), [("works", 0, "migrated"), ("exits", 5, "no table")])
def test_a_process_runs_once_to_its_end_beside_what_serves(world: World, mode: str, code: int, line: str) -> None:
    world.runtime.start([workload(world.image)], quiet)
    log = Kept()
    asked = workload(world.image, "release", release=2, env={"MODE": mode})
    assert world.runtime.run(asked, log.say, Cancel()) == code
    assert world.runtime.run(asked, log.say, Cancel()) == code
    assert log.lines == [line, line]
    assert world.ids() == [(1, 1, "web.1")]


def test_a_process_that_takes_too_long_or_is_cancelled_is_stopped(world: World) -> None:
    slow = workload(world.image, "release", boot_limit=0.5, env={"MODE": "slow"})
    with pytest.raises(RolloutFailed, match="ran longer"):
        world.runtime.run(slow, quiet, Cancel())
    cancel = Cancel()
    threading.Timer(0.5, cancel.cancel).start()
    with pytest.raises(Cancelled):
        world.runtime.run(replace(slow, boot_limit=600.0), quiet, cancel)
    assert world.ids() == []


def test_a_process_that_was_cancelled_before_it_began_does_not_run_its_time(world: World) -> None:
    slow = workload(world.image, "release", boot_limit=600.0, env={"MODE": "slow"})
    cancel = Cancel()
    cancel.cancel()
    with pytest.raises(Cancelled):
        world.runtime.run(slow, quiet, cancel, number=1001, leave=Cancel())
    with pytest.raises(NotFound):
        world.runtime.run(slow, quiet, Cancel(), number=1001, leave=Cancel(), resume=True)
