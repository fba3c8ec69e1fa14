"""Starting again after whatever cut an earlier start off; images; addresses."""

import threading
from dataclasses import replace
from typing import Any

import pytest
from docker import APIClient
from wherry.domain.errors import PlatformFault, RolloutFailed, RolloutFailure
from wherry.domain.image import Image
from wherry.domain.workload import ProcessState
from wherry.runtimes.machine import pull
from wherry.runtimes.machine.addresses import Addresses, Place
from wherry.runtimes.machine.engine import Engine
from wherry.runtimes.machine.network import Networks
from wherry.runtimes.machine.pull import Registry
from wherry.runtimes.machine.runtime import MachineRuntime

from tests.runtimes.machine_world import containers, quiet, workload
from tests.runtimes.tiny import ENGINE

pytestmark = pytest.mark.engine


def only(api: APIClient, platform: str) -> dict[str, Any]:
    (found,) = containers(api, platform)
    inspected: dict[str, Any] = api.inspect_container(str(found["Id"]))
    return inspected


def test_a33_a_process_that_is_up_is_restarted_by_the_engine_also_after_a_reboot(
    machine_runtime: MachineRuntime, pushed_image: Image, engine_api: APIClient, platform_id: str
) -> None:
    machine_runtime.start([workload(pushed_image)], quiet)
    assert only(engine_api, platform_id)["HostConfig"]["RestartPolicy"]["Name"] == "always"


def test_a45_a_start_that_was_cut_off_during_the_check_is_taken_up_again(
    machine_runtime: MachineRuntime, pushed_image: Image, engine_api: APIClient, platform_id: str
) -> None:
    machine_runtime.start([workload(pushed_image)], quiet)
    before = only(engine_api, platform_id)
    engine_api.update_container(before["Id"], restart_policy={"Name": "no"})  # type: ignore[typeddict-item]
    (process,) = machine_runtime.processes()
    assert (process.state, process.endpoint) == (ProcessState.STARTING, None)
    machine_runtime.start([workload(pushed_image)], quiet)
    after = only(engine_api, platform_id)
    assert after["Id"] == before["Id"]
    assert after["HostConfig"]["RestartPolicy"]["Name"] == "always"


@pytest.mark.parametrize("left", ["created", "exited"])
def test_a45_what_a_killed_start_left_half_made_is_replaced(
    machine_runtime: MachineRuntime, pushed_image: Image, engine_api: APIClient, platform_id: str, left: str
) -> None:
    machine_runtime.start([workload(pushed_image)], quiet)
    whole = only(engine_api, platform_id)
    engine_api.remove_container(whole["Id"], force=True)
    config = {"Image": whole["Config"]["Image"], "Cmd": ["true"], "Labels": whole["Config"]["Labels"]}
    made = engine_api.create_container_from_config(config, whole["Name"].removeprefix("/"))  # type: ignore[no-untyped-call]
    if left == "exited":
        engine_api.start(made["Id"])
        engine_api.wait(made["Id"])
    machine_runtime.start([workload(pushed_image)], quiet)
    assert only(engine_api, platform_id)["Id"] != made["Id"]
    assert [each.state for each in machine_runtime.processes()] == [ProcessState.UP]


def test_two_starts_at_once_of_one_release_end_with_one_set_of_processes(
    machine_runtime: MachineRuntime, pushed_image: Image
) -> None:
    asked = [[workload(pushed_image, app_id=app, quantity=2)] for app in (1, 2, 3)]
    threads = [threading.Thread(target=machine_runtime.start, args=(each, quiet)) for each in asked]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = machine_runtime.processes()
    assert [(each.app_id, each.name) for each in found] == [(app, f"web.{n}") for app in (1, 2, 3) for n in (1, 2)]
    assert len({each.endpoint for each in found}) == 6


def has(engine: APIClient, reference: str) -> bool:
    return any(reference in (each.get("RepoDigests") or ()) for each in engine.images())


def test_a34_an_image_that_the_engine_lacks_is_pulled_by_digest_with_the_login(
    machine_runtime: MachineRuntime, pushed_image: Image, registry: Registry, engine_api: APIClient
) -> None:
    reference = registry.reference(pushed_image.repository, pushed_image.digest)
    if has(engine_api, reference):
        engine_api.remove_image(reference, force=True)
    machine_runtime.start([workload(pushed_image)], quiet)
    assert has(engine_api, reference)


def test_an_image_is_fetched_ahead_of_the_start_that_wants_it_and_one_that_is_not_there_harms_nothing(
    machine_runtime: MachineRuntime, pushed_image: Image, registry: Registry, engine_api: APIClient
) -> None:
    reference = registry.reference(pushed_image.repository, pushed_image.digest)
    if has(engine_api, reference):
        engine_api.remove_image(reference, force=True)
    for image in (replace(pushed_image, digest="sha256:" + "0" * 64), pushed_image):
        machine_runtime.fetch(image)
    for each in threading.enumerate():
        if each.name == "fetch":
            each.join(30)
    assert has(engine_api, reference)


def test_a13_a_registry_that_is_down_is_tried_three_times_and_told_as_ours(
    platform_id: str, pushed_image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(pull, "sleep", pauses.append)
    runtime = MachineRuntime(ENGINE, platform_id, Registry("127.0.0.1:1"))
    with pytest.raises(RolloutFailed, match="could not be pulled") as caught:
        runtime.start([workload(pushed_image, quantity=1)], quiet)
    runtime.close()
    assert caught.value.kind is RolloutFailure.IMAGE_PULL
    assert "refused" in caught.value.evidence[0]
    assert pauses == [0.5, 2.0]


def test_a17_a_digest_that_the_registry_does_not_have_is_not_tried_again(
    machine_runtime: MachineRuntime, pushed_image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pull, "sleep", lambda _: pytest.fail("it tried again"))
    with pytest.raises(RolloutFailed) as caught:
        machine_runtime.start([workload(replace(pushed_image, digest="sha256:" + "0" * 64))], quiet)
    assert caught.value.kind is RolloutFailure.IMAGE_PULL
    assert "unknown" in caught.value.evidence[0]


def test_a34_an_address_that_another_process_of_ours_took_first_is_given_up_for_another(
    machine_runtime: MachineRuntime, pushed_image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine_runtime.start([workload(pushed_image, app_id=1)], quiet)
    (taken,) = machine_runtime.processes()
    assert taken.endpoint
    real = Addresses.reserve
    first = [Place("apps-0", taken.endpoint.address)]
    monkeypatch.setattr(
        Addresses,
        "reserve",
        lambda self, names, labels: {name: first.pop() for name in names} if first else real(self, names, labels),
    )
    machine_runtime.start([workload(pushed_image, app_id=2)], quiet)
    endpoints = {each.endpoint for each in machine_runtime.processes()}
    assert len(endpoints) == 2


def test_a_network_that_was_removed_by_hand_is_made_again_on_the_next_try(
    machine_runtime: MachineRuntime, pushed_image: Image, engine_api: APIClient, platform_id: str
) -> None:
    machine_runtime.start([workload(pushed_image)], quiet)
    machine_runtime.retire(1, [])
    engine_api.remove_network(f"wherry-{platform_id}-apps-0")
    with pytest.raises(PlatformFault, match="not found"):
        machine_runtime.start([workload(pushed_image)], quiet)
    machine_runtime.start([workload(pushed_image)], quiet)
    assert [each.state for each in machine_runtime.processes()] == [ProcessState.UP]


def test_two_platforms_on_one_machine_do_not_see_each_other(
    machine_runtime: MachineRuntime, pushed_image: Image, registry: Registry, platform_id: str, other_platform_id: str
) -> None:
    other = MachineRuntime(ENGINE, other_platform_id, registry)
    for runtime in (machine_runtime, other):
        runtime.start([workload(pushed_image)], quiet)
    one, two = machine_runtime.processes(), other.processes()
    assert len(one) == len(two) == 1
    assert one[0].endpoint != two[0].endpoint
    subnets = {Networks(Engine(ENGINE), each).ensure("apps-0") for each in (platform_id, other_platform_id)}
    assert len({subnet.supernet(new_prefix=16) for subnet in subnets}) == 2
    other.retire(1, [])
    assert machine_runtime.processes() == one
    other.close()
