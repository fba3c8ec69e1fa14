"""A09: the builder is killed with SIGKILL while its container runs."""

import subprocess
import sys
from pathlib import Path

import pytest
from docker import APIClient
from wherry.domain.image import Image
from wherry.flow.ports import Cancel, SandboxSpec
from wherry.runtimes.machine.pull import Registry
from wherry.runtimes.machine.runtime import MachineRuntime
from wherry.runtimes.machine.sandbox import MachineSandbox

from tests.runtimes.machine_world import containers, eventually, quiet, workload
from tests.runtimes.tiny import ENGINE

pytestmark = pytest.mark.engine
_BUILD = """
import sys, time
from pathlib import Path
from wherry.flow.ports import Cancel, SandboxSpec
from wherry.runtimes.machine.pull import Registry
from wherry.runtimes.machine.runtime import MachineRuntime
from wherry.runtimes.machine.sandbox import MachineSandbox

engine, platform, scratch, image, command = sys.argv[1:]

def steps(session):
    print("in", flush=True)
    session.execute(["/bin/sh", "-c", command], {"PATH": "/bin"}, "/", lambda _: None)
    print("done", flush=True)
    time.sleep(300)

sandbox = MachineSandbox(engine, platform, Registry("127.0.0.1:1"), scratch=Path(scratch))
sandbox.run(SandboxSpec(7, image, "1000:1000", {}), steps, Cancel())
"""


@pytest.mark.parametrize(("command", "word"), [("sleep 300", b"in\n"), ("true", b"in\ndone\n")])
def test_a09_what_a_killed_builder_leaves_is_swept_by_the_next_attempt(
    command: str, word: bytes, platform_id: str, tiny_image: str, tmp_path: Path, engine_api: APIClient
) -> None:
    argv = [sys.executable, "-c", _BUILD, ENGINE, platform_id, str(tmp_path), tiny_image, command]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as builder:
        assert builder.stdout
        assert builder.stdout.read(len(word)) == word
        builder.kill()
    assert len(containers(engine_api, platform_id)) == 1
    if command == "true":  # nothing runs in it, so it ends by itself as soon as we are gone
        eventually(lambda: containers(engine_api, platform_id)[0]["State"] == "exited")
    MachineSandbox(ENGINE, platform_id, Registry("127.0.0.1:1"), scratch=tmp_path).sweep(7)
    assert containers(engine_api, platform_id) == []
    assert list(tmp_path.iterdir()) == []


def test_a34_the_build_image_is_pulled_by_digest_with_the_login(
    platform_id: str, pushed_image: Image, registry: Registry, tmp_path: Path, engine_api: APIClient
) -> None:
    reference = registry.reference(pushed_image.repository, pushed_image.digest)
    if any(reference in (each.get("RepoDigests") or ()) for each in engine_api.images()):
        engine_api.remove_image(reference, force=True)
    codes: list[int] = []
    MachineSandbox(ENGINE, platform_id, registry, scratch=tmp_path).run(
        SandboxSpec(7, reference, "1000:1000", {}),
        lambda session: codes.append(session.execute(["true"], {"PATH": "/bin"}, "/", lambda _: None)),
        Cancel(),
    )
    assert codes == [0]


def test_removing_the_platform_leaves_no_container_and_no_network(
    machine_runtime: MachineRuntime,
    pushed_image: Image,
    tiny_image: str,
    platform_id: str,
    tmp_path: Path,
    engine_api: APIClient,
) -> None:
    machine_runtime.start([workload(pushed_image)], quiet)
    sandbox = MachineSandbox(ENGINE, platform_id, Registry("127.0.0.1:1"), scratch=tmp_path)
    sandbox.prepare(SandboxSpec(0, tiny_image, "1000:1000", {}))
    assert len(containers(engine_api, platform_id)) == 2
    machine_runtime.remove()
    assert containers(engine_api, platform_id) == []
    assert engine_api.networks(filters={"label": f"wherry.platform={platform_id}"}) == []
