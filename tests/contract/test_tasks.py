"""What every Runtime does with one-offs: the same assertions on the Docker Engine, on a Kubernetes, and on programs of this
machine.
"""

from __future__ import annotations

import itertools
import threading
from dataclasses import replace

import pytest
from wherry.domain.errors import NotFound
from wherry.domain.image import Start
from wherry.domain.one_off import Task
from wherry.flow.task_ports import Channel, Session, Stage

from tests.contract.runtime_world import World
from tests.runtimes.machine_world import eventually, quiet, workload

_ids = itertools.count(1)


def task(world: World, command: str, *, attach: bool = True, tty: bool = False, **env: str) -> Task:
    number = next(_ids)
    asked = workload(world.image, "run", env=env, start=Start(("/bin/sh", "-c", command)), stop_grace=2.0)
    return Task(number, 4000 + number, asked, attach, tty)


def heard(session: Session) -> dict[Channel, bytes]:
    """All that it writes until it ends."""
    found = {Channel.OUT: b"", Channel.ERR: b""}
    for channel, data in session.output():
        found[channel] += data
    return found


def test_what_it_writes_and_its_exit_code_are_its_clients_and_nothing_is_left(world: World) -> None:
    world.runtime.start([workload(world.image)], quiet)
    session = world.runtime.attach(task(world, 'echo "to $WHO"; echo grumble >&2; exit 3', WHO="you"))
    assert heard(session) == {Channel.OUT: b"to you\n", Channel.ERR: b"grumble\n"}
    assert session.ended().code == 3
    assert world.runtime.tasks() == []
    assert world.ids() == [(1, 1, "web.1")]


def test_input_arrives_byte_by_byte_until_its_end(world: World) -> None:
    sent = bytes(range(256)) * 4096
    session = world.runtime.attach(task(world, "cat"))

    def write() -> None:
        session.write(sent)
        session.end_input()

    writer = threading.Thread(target=write)
    writer.start()
    assert heard(session)[Channel.OUT] == sent
    writer.join()
    assert session.ended().code == 0


def test_a_terminal_echoes_has_a_size_and_passes_ctrl_c(world: World) -> None:
    command = "trap 'echo caught; exit 7' INT; echo ready; while :; do sleep 0.1; done"
    session = world.runtime.attach(task(world, command, tty=True))
    output = session.output()
    said = b""
    while b"ready" not in said:
        said += next(output)[1]
    session.resize(40, 132)
    session.write(b"\x03")
    said += b"".join(data for _, data in output)
    assert b"caught" in said
    assert b"\r\n" in said
    assert session.ended().code == 7


def test_end_of_input_on_a_terminal_ends_what_reads_it(world: World) -> None:
    session = world.runtime.attach(task(world, "cat", tty=True))
    session.write(b"one line\n")
    session.end_input()
    assert heard(session)[Channel.OUT].count(b"one line\r\n") == 2  # the echo, then cat
    assert session.ended().code == 0


def test_a_client_that_goes_ends_it_even_when_it_does_not_listen(world: World) -> None:
    session = world.runtime.attach(task(world, "trap '' HUP TERM INT; echo on; while :; do sleep 0.1; done"))
    assert next(session.output()) == (Channel.OUT, b"on\n")
    session.close()
    session.close()
    assert world.runtime.tasks() == []


def test_one_without_a_client_runs_beside_the_processes_and_is_told_of_until_it_is_ended(world: World) -> None:
    world.runtime.start([workload(world.image)], quiet)
    asked, quick = task(world, "sleep 600", attach=False), task(world, "exit 4", attach=False)
    world.runtime.launch(asked)
    world.runtime.launch(quick)
    eventually(lambda: {each.stage for each in world.runtime.tasks(1)} == {Stage.RUNNING, Stage.ENDED})
    ended = {each.id: each.ended for each in world.runtime.tasks(1)}
    assert ended[asked.id] is None
    assert (how := ended[quick.id])
    assert how.code == 4
    world.runtime.retire(1, [workload(world.image)])
    world.runtime.retire(1, ())
    assert [each.id for each in world.runtime.tasks()] == [asked.id, quick.id]
    assert world.runtime.tasks(2) == []
    world.runtime.end([asked.id, quick.id, 10**6])
    world.runtime.end([asked.id, quick.id])
    assert world.runtime.tasks() == []


def test_a_stopped_one_tells_its_client(world: World) -> None:
    asked = task(world, "echo on; sleep 600")
    session = world.runtime.attach(asked)
    output = session.output()
    assert next(output) == (Channel.OUT, b"on\n")
    stopper = threading.Thread(target=world.runtime.end, args=([asked.id],))
    stopper.start()
    assert list(output) == []
    assert session.ended().code != 0
    stopper.join()


@pytest.mark.parametrize("tty", [False, True])
def test_a_program_runs_inside_a_process_and_leaves_it_as_it_was(world: World, tty: bool) -> None:
    world.runtime.start([workload(world.image)], quiet)
    before = world.ids()
    session = world.runtime.enter(task(world, 'echo "from $WHO"; exit 6', WHO="within", tty=tty), "web.1")
    assert heard(session)[Channel.OUT].replace(b"\r", b"") == b"from within\n"
    assert session.ended().code == 6
    assert world.ids() == before


def test_a_program_inside_a_process_ends_with_its_client_and_the_process_stays(world: World) -> None:
    world.runtime.start([workload(world.image)], quiet)
    session = world.runtime.enter(task(world, "echo on; sleep 600 & sleep 600"), "web.1")
    assert next(session.output()) == (Channel.OUT, b"on\n")
    session.close()
    assert session.ended().code != 0
    assert [each.restarts for each in world.runtime.processes(1)] == [0]


def test_there_is_nothing_to_enter_where_nothing_runs(world: World) -> None:
    world.runtime.start([workload(world.image)], quiet)
    for name in ("web.2", "nope.1", "web", "../../x", ""):
        with pytest.raises(NotFound):
            world.runtime.enter(task(world, "true"), name)
    other = task(world, "true")
    with pytest.raises(NotFound):
        world.runtime.enter(replace(other, workload=replace(other.workload, app_id=7)), "web.1")
