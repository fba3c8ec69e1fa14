"""One-offs: who may have how many, who attaches, and what is cleared up when nobody is left to do it."""

from __future__ import annotations

import pytest
from wherry.domain.errors import Conflict, InvalidInput, NotFound, RolloutFailed, RolloutFailure, Unauthorized
from wherry.domain.image import Start
from wherry.domain.model import App
from wherry.domain.one_off import Errand, OneOff, Task
from wherry.domain.secret import Secret
from wherry.flow.task_ports import Stage as TaskStage

from tests.api.house import eventually
from tests.flow.conftest import Stage

WAITS = Errand("sleep 600")


@pytest.fixture
def deployed(stage: Stage, app: App) -> App:
    stage.configure.run(stage.user, app, {"COLOUR": "red", "DEPTH": "3"})
    stage.deploy(app, "a" * 40)
    return app


def names(stage: Stage, app: App) -> list[str]:
    return [each.name for each, _ in stage.one_offs.of_app(app)]


def known(stage: Stage) -> list[OneOff]:
    with stage.ledger.begin(read_only=True) as tx:
        return tx.one_offs.all()


def test_a_one_off_has_the_current_image_config_and_its_own_variables(stage: Stage, deployed: App) -> None:
    errand = Errand("sleep 600", env={"DEPTH": Secret("9")}, size="LARGE", type="worker", seconds=60)
    one_off, word = stage.one_offs.run(stage.user, deployed, errand)
    (task,) = stage.runtime.begun
    current = stage.current(deployed)
    assert current
    assert word is None
    assert (task.workload.image.digest, task.workload.release) == (current.image.digest, current.number)
    env = {name: value.reveal() for name, value in task.workload.env.items()}
    assert (env["COLOUR"], env["DEPTH"], env["WHERRY_RELEASE_VERSION"]) == ("red", "9", "v1")
    assert (task.workload.size.name, one_off.size, one_off.type) == ("large", "large", "worker")
    assert task.workload.start == Start(("/cnb/lifecycle/launcher", "sleep 600"))
    assert names(stage, deployed) == [f"worker.{one_off.number}"]
    assert 1000 <= one_off.number <= 9999
    assert stage.events(deployed)[0] == "one-off.run"


def test_without_a_release_there_is_nothing_to_run(stage: Stage, app: App) -> None:
    with pytest.raises(Conflict, match="no release"):
        stage.one_offs.run(stage.user, app, WAITS)


def test_every_fault_of_an_errand_is_told_at_once_and_nothing_is_kept(stage: Stage, deployed: App) -> None:
    env = {"PORT": Secret("1"), "a b": Secret("1"), "NUL": Secret("\0")}
    for errand, count in (
        (Errand(" ", env=env, size="giant", type="../x", seconds=0), 7),
        (Errand("x" * 40_000), 1),
        (Errand("a\0b", seconds=3601), 2),
        (Errand("\ud800", attach=True), 1),
    ):
        with pytest.raises(InvalidInput) as caught:
            stage.one_offs.run(stage.user, deployed, errand)
        assert len(caught.value.evidence) == count, caught.value.evidence
    assert known(stage) == []


def test_no_more_than_so_many_at_a_time_and_those_that_have_ended_do_not_count(stage: Stage, deployed: App) -> None:
    stage.one_offs.run(stage.user, deployed, Errand("true"))
    first, _ = stage.one_offs.run(stage.user, deployed, WAITS)
    eventually(lambda: TaskStage.ENDED in {each.stage for each in stage.runtime.tasks()})
    stage.one_offs.run(stage.user, deployed, WAITS)
    with pytest.raises(Conflict, match="2 one-offs already"):
        stage.one_offs.run(stage.user, deployed, WAITS)
    stage.one_offs.stop(stage.user, deployed, first.name)
    stage.one_offs.run(stage.user, deployed, WAITS)
    assert len(names(stage, deployed)) == 2


def test_t04_the_word_attaches_once_and_within_a_minute(stage: Stage, deployed: App) -> None:
    one_off, word = stage.one_offs.run(stage.user, deployed, Errand("cat", attach=True))
    assert word
    assert stage.runtime.begun == []
    opened, session = stage.terminal.open(word)
    assert opened == one_off
    for wrong in (word, Secret("x" * 43), Secret(""), Secret("ł\0")):
        with pytest.raises(Unauthorized):
            stage.terminal.open(wrong)
    session.close()
    stage.terminal.over(opened, None)
    assert known(stage) == []

    _, late = stage.one_offs.run(stage.user, deployed, Errand("cat", attach=True))
    assert late
    stage.clock.turn(61)
    assert names(stage, deployed) == []
    with pytest.raises(Unauthorized):
        stage.terminal.open(late)
    assert len(stage.runtime.begun) == 1


def test_inside_a_process_it_has_the_environment_of_that(stage: Stage, deployed: App) -> None:
    errand = Errand("echo hello", inside="web.1", env={"MINE": Secret("1")})
    _, word = stage.one_offs.run(stage.user, deployed, errand)
    assert word
    one_off, session = stage.terminal.open(word)
    ((process, task),) = stage.runtime.entered
    assert (process, set(task.workload.env)) == ("web.1", {"MINE"})
    stage.terminal.over(one_off, session.ended())
    _, word = stage.one_offs.run(stage.user, deployed, Errand("echo", inside="web.7"))
    assert word
    with pytest.raises(NotFound):
        stage.terminal.open(word)
    assert known(stage) == []


def test_one_that_does_not_start_leaves_nothing(stage: Stage, deployed: App, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(task: Task) -> None:
        raise RolloutFailed(RolloutFailure.IMAGE_PULL, "no such image")

    monkeypatch.setattr(stage.runtime, "launch", fail)
    monkeypatch.setattr(stage.runtime, "attach", fail)
    with pytest.raises(RolloutFailed):
        stage.one_offs.run(stage.user, deployed, WAITS)
    _, word = stage.one_offs.run(stage.user, deployed, Errand("cat", attach=True))
    assert word
    with pytest.raises(RolloutFailed):
        stage.terminal.open(word)
    assert known(stage) == []


def test_what_is_late_or_was_never_begun_or_is_nobodys_is_cleared_up(stage: Stage, deployed: App) -> None:
    stage.one_offs.run(stage.user, deployed, Errand("sleep 600", seconds=120))
    stage.one_offs.run(stage.user, deployed, Errand("cat", attach=True))
    assert stage.tidy.run() == 120
    stage.clock.turn(120)
    assert stage.tidy.run() == 480
    assert stage.runtime.tasks() == []
    stage.clock.turn(480)
    assert stage.tidy.run() is None
    assert known(stage) == []

    one_off, _ = stage.one_offs.run(stage.user, deployed, WAITS)
    with stage.ledger.begin() as tx:
        tx.one_offs.remove(one_off.id)
    assert stage.tidy.run() is None
    assert stage.runtime.tasks() == []


def test_what_has_ended_stays_a_while_for_those_who_read_its_output(stage: Stage, deployed: App) -> None:
    stage.one_offs.run(stage.user, deployed, Errand("exit 3"))
    eventually(lambda: stage.runtime.tasks()[0].stage is TaskStage.ENDED)
    assert stage.tidy.run() == 10
    assert names(stage, deployed) == []
    stage.clock.turn(60)
    assert stage.tidy.run() is None
    assert stage.runtime.tasks() == []
    with stage.ledger.begin(read_only=True) as tx:
        event = tx.events.of_app(deployed.name)[0]
    assert (event.action, event.after["code"]) == ("one-off.end", 3)


def test_a_new_door_ends_what_an_earlier_one_had_and_leaves_the_others(stage: Stage, deployed: App) -> None:
    _, word = stage.one_offs.run(stage.user, deployed, Errand("cat", attach=True))
    assert word
    detached, _ = stage.one_offs.run(stage.user, deployed, WAITS)
    stage.terminal.open(word)
    stage.clock.turn(1)
    stage.terminal.abandon(stage.clock.now())
    assert [each.id for each in stage.runtime.tasks()] == [detached.id]
    assert names(stage, deployed) == [detached.name]


def test_a07_a_destroyed_app_takes_its_one_offs_along(stage: Stage, deployed: App) -> None:
    stage.one_offs.run(stage.user, deployed, WAITS)
    _, word = stage.one_offs.run(stage.user, deployed, Errand("cat", attach=True))
    assert word
    stage.destroy.run(stage.user, deployed)
    stage.work()
    assert stage.runtime.tasks() == []
    assert known(stage) == []
    with pytest.raises(Unauthorized):
        stage.terminal.open(word)


def test_scaling_to_nothing_and_a_new_release_leave_one_offs_alone(stage: Stage, deployed: App) -> None:
    one_off, _ = stage.one_offs.run(stage.user, deployed, WAITS)
    stage.scale.run(stage.user, deployed, {"web": (0, None)})
    stage.deploy(deployed, "b" * 40)
    assert [each.id for each in stage.runtime.tasks()] == [one_off.id]
    stage.one_offs.stop(stage.user, deployed, one_off.name)
    for name in (one_off.name, "run.1", "web.1", "", "run.99999999999999999999"):
        with pytest.raises(NotFound):
            stage.one_offs.stop(stage.user, deployed, name)
