"""What every Sandbox does, on the real engine: the machine's own, and the one that a build's pod has, whose container
somebody else makes. (A fake sandbox would prove nothing.)
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from docker import APIClient
from wherry.domain.errors import BuildFailed, BuildFailure, Cancelled
from wherry.flow.ports import Cancel, Sandbox, SandboxSession, SandboxSpec
from wherry.runtimes.agent import channel
from wherry.runtimes.agent.sibling import Gone, SiblingSandbox
from wherry.runtimes.machine.pull import Registry
from wherry.runtimes.machine.sandbox import MachineSandbox
from wherry.runtimes.machine.sandbox_container import container

from tests.runtimes.machine_world import containers, eventually
from tests.runtimes.tiny import ENGINE

pytestmark = pytest.mark.engine
PATH = {"PATH": "/usr/bin:/bin"}


@pytest.fixture
def machine(platform_id: str, tmp_path: Path) -> MachineSandbox:
    return MachineSandbox(ENGINE, platform_id, Registry("127.0.0.1:1"), scratch=tmp_path / "scratch")


@pytest.fixture(params=["machine", "sibling"])
def sandbox(request: pytest.FixtureRequest, machine: MachineSandbox, engine_api: APIClient, tmp_path: Path) -> Sandbox:
    return machine if request.param == "machine" else Pod(engine_api, machine, tmp_path / "pod")


@dataclass
class Pod:
    """What a cluster does around a SiblingSandbox: makes the container beside it, with the caps, and takes it away."""

    engine: APIClient
    machine: MachineSandbox
    folder: Path
    after: Callable[[str], object] = lambda name: None

    def prepare(self, spec: SandboxSpec) -> None: ...

    def sweep(self, build_id: int) -> None: ...

    def run(self, spec: SandboxSpec, steps: Callable[[SandboxSession], None], cancel: Cancel) -> None:
        self.folder.mkdir(mode=0o700)
        channel.lay(self.folder)
        self.machine._networks.ensure("build")
        config = container(self.machine._platform, spec, self.folder / "inside")
        made = self.engine.create_container_from_config(config, f"wherry-test-{secrets.token_hex(4)}")
        self.engine.start(made)
        try:
            SiblingSandbox(self.folder).run(spec, steps, cancel)
            self.after(made["Id"])
        finally:
            self.engine.remove_container(made["Id"], force=True)
            shutil.rmtree(self.folder)


def spec(image: str, **changes: object) -> SandboxSpec:
    values: dict[str, object] = {"build_id": 7, "image": image, "user": "1000:1000", "mounts": {}, "memory": 64}
    return SandboxSpec(**(values | changes))  # type: ignore[arg-type]


def shell(session: SandboxSession, command: str, env: dict[str, str] = PATH, cwd: str = "/") -> tuple[int, list[bytes]]:
    lines: list[bytes] = []
    code = session.execute(["/bin/sh", "-c", command], env, cwd, lines.append)
    return code, lines


def run(sandbox: Sandbox, what: SandboxSpec, steps: Callable[[SandboxSession], None]) -> None:
    sandbox.run(what, steps, Cancel())


def test_programs_run_one_after_another_in_one_container(sandbox: Sandbox, tiny_image: str) -> None:
    seen = []

    def steps(session: SandboxSession) -> None:
        seen.append(shell(session, "echo one >/tmp/file; echo to stdout; echo to stderr >&2; exit 3"))
        seen.append(shell(session, "cat /tmp/file; id -u; id -g"))
        seen.append(shell(session, "exit 0"))

    run(sandbox, spec(tiny_image), steps)
    assert seen == [(3, [b"to stdout", b"to stderr"]), (0, [b"one", b"1000", b"1000"]), (0, [])]


def test_b08_a_program_gets_exactly_its_environment_byte_for_byte(sandbox: Sandbox, tiny_image: str) -> None:
    hard = {
        "LINES": "first\nsecond\n",
        "QUOTES": "'\"`$(id)${PATH}\\n'\\''",
        "SPACES": "  a\t b  ",
        "EMPTY": "",
        "UNICODE": "żółw 🚢",
        "BYTES": b"\xff\x80\x81\xfe".decode("utf-8", "surrogateescape"),
        "LONG": "x" * 32_768,
        "with.dot-and-dash": "1",
        "-i": "an option's name",
    }
    seen: list[bytes] = []

    def steps(session: SandboxSession) -> None:
        session.execute(["/bin/cat", "/proc/self/environ"], hard, "/", seen.append)

    run(sandbox, spec(tiny_image), steps)
    whole = b"\n".join(seen).split(b"\0")
    assert whole == [f"{key}={value}".encode("utf-8", "surrogateescape") for key, value in hard.items()] + [b""]


def test_arguments_and_folder_are_taken_literally(sandbox: Sandbox, tiny_image: str, tmp_path: Path) -> None:
    folder = tmp_path / "work"
    (folder / "it's $HOME").mkdir(parents=True)
    seen: list[bytes] = []

    def steps(session: SandboxSession) -> None:
        script = 'pwd; for each; do echo "<$each>"; done'
        argv = ["/bin/sh", "-c", script, "sh", "a b", "", "*", "'", "--", "$(id)", "K=V"]
        assert session.execute(argv, PATH, "/work/it's $HOME", seen.append) == 0
        assert session.execute(["/nowhere/tool"], PATH, "/", seen.append) == 127
        assert session.execute(["/bin/true"], PATH, "/nowhere", seen.append) == 126

    run(sandbox, spec(tiny_image, mounts={"/work": (folder, True)}), steps)
    assert seen[:8] == [b"/work/it's $HOME", b"<a b>", b"<>", b"<*>", b"<'>", b"<-->", b"<$(id)>", b"<K=V>"]


def test_lines_arrive_while_the_program_runs(sandbox: Sandbox, tiny_image: str, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    seen: list[bytes] = []

    def answer(line: bytes) -> None:
        seen.append(line)
        (tmp_path / "go").touch()

    def steps(session: SandboxSession) -> None:
        command = "echo waiting; while ! [ -e /mnt/go ]; do sleep 0.02; done; printf 'no newline'"
        assert session.execute(["/bin/sh", "-c", command], PATH, "/", answer) == 0

    run(sandbox, spec(tiny_image, mounts={"/mnt": (tmp_path, True)}, seconds=100), steps)
    assert seen == [b"waiting", b"no newline"]


def test_output_cannot_pass_for_a_result(sandbox: Sandbox, tiny_image: str) -> None:
    def steps(session: SandboxSession) -> None:
        command = "for f in /run/wherry/[0-9]*; do echo ${f##*/} 0; done; echo ready; exit 9"
        assert shell(session, command)[0] == 9

    run(sandbox, spec(tiny_image), steps)


def test_what_a_program_leaves_running_is_stopped_with_it(sandbox: Sandbox, tiny_image: str) -> None:
    def steps(session: SandboxSession) -> None:
        assert shell(session, "sleep 300 & echo started") == (0, [b"started"])
        code, lines = shell(session, "cat /proc/[0-9]*/cmdline")
        assert code == 0
        assert not any(b"sleep\x00300" in line for line in lines)

    run(sandbox, spec(tiny_image), steps)


def test_t13_the_container_has_no_privilege_and_no_credential(sandbox: Sandbox, tiny_image: str) -> None:
    def steps(session: SandboxSession) -> None:
        _, lines = shell(session, "cat /proc/self/status")
        status = dict(line.split(b":\t", 1) for line in lines if b":\t" in line)
        assert [status[b"Cap" + name] for name in (b"Prm", b"Eff", b"Bnd")] == [b"0" * 16] * 3
        assert status[b"NoNewPrivs"] == b"1"
        assert shell(session, "touch /run/wherry/x")[0] != 0
        assert shell(session, "ls /var/run/docker.sock")[0] != 0

    run(sandbox, spec(tiny_image), steps)


def test_a11_a_build_beyond_its_memory_fails_with_the_limit_in_its_message(sandbox: Sandbox, tiny_image: str) -> None:
    with pytest.raises(BuildFailed, match="needs more than its 64 MiB of memory") as caught:
        run(sandbox, spec(tiny_image), lambda session: _ok(shell(session, "tail /dev/zero; exit 1")))
    assert caught.value.kind is BuildFailure.OUT_OF_MEMORY


def test_a11_memory_of_a_child_that_the_program_outlives_is_no_failure(sandbox: Sandbox, tiny_image: str) -> None:
    def steps(session: SandboxSession) -> None:
        assert shell(session, "tail /dev/zero; exit 0")[0] == 0
        assert shell(session, "kill -9 $$")[0] == 137  # nobody ran out of memory this time

    run(sandbox, spec(tiny_image), steps)


def test_a11_a_build_that_hangs_ends_at_its_limit(sandbox: Sandbox, tiny_image: str) -> None:
    with pytest.raises(BuildFailed, match="longer than its 1 seconds") as caught:
        run(sandbox, spec(tiny_image, seconds=1.0), lambda session: _ok(shell(session, "sleep 300")))
    assert caught.value.kind is BuildFailure.OUT_OF_TIME


def test_t18_endless_output_ends_the_build(sandbox: Sandbox, tiny_image: str) -> None:
    for command in ("yes", "cat /dev/zero"):
        with pytest.raises(BuildFailed) as caught:
            run(sandbox, spec(tiny_image, log_bytes=1_000_000), lambda session, c=command: _ok(shell(session, c)))
        assert caught.value.kind is BuildFailure.LOG_TOO_LONG


def test_t18_a_fork_bomb_stays_in_its_cap(machine: MachineSandbox, tiny_image: str) -> None:
    mark = 10**9 + secrets.randbelow(10**9)  # in the words of each of its programs, and of no other's
    most = 0

    def steps(session: SandboxSession) -> None:
        nonlocal most
        code, _ = shell(
            session, f"bomb() {{ bomb | bomb & }}; bomb; i=0; while [ $i -lt 60 ]; do sleep {mark} & i=$((i+1)); done"
        )
        most = _bearing(mark)
        assert code != 0
        shell(session, "true")

    kinds: set[BuildFailure] = set()
    try:
        run(machine, spec(tiny_image, pids=32, seconds=100), steps)
    except BuildFailed as failure:  # or not: which of its programs finds no room is up to the kernel
        kinds.add(failure.kind)
    assert kinds <= {BuildFailure.BUILDPACK_FAILED}
    assert most <= 32
    eventually(lambda: _bearing(mark) == 0)


def _bearing(mark: int) -> int:
    """How many programs of this machine have it in their words."""
    found = 0
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it has just ended
            found += str(mark).encode() in each.read_bytes()
    return found


def test_a_cancel_ends_the_build_at_once(sandbox: Sandbox, tiny_image: str) -> None:
    cancel = Cancel()

    def steps(session: SandboxSession) -> None:
        session.execute(["/bin/sh", "-c", "echo on; sleep 600"], PATH, "/", lambda _: timer.start())

    timer = threading.Timer(0.1, cancel.cancel)
    began = time.monotonic()
    with pytest.raises(Cancelled):
        sandbox.run(spec(tiny_image), steps, cancel)
    assert time.monotonic() - began < 100


def test_an_error_of_the_steps_comes_out_and_the_container_is_gone(
    machine: MachineSandbox, tiny_image: str, platform_id: str, tmp_path: Path, engine_api: APIClient
) -> None:
    def steps(session: SandboxSession) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        run(machine, spec(tiny_image), steps)
    assert list((tmp_path / "scratch").iterdir()) == []
    (left,) = containers(engine_api, platform_id)
    eventually(lambda: engine_api.inspect_container(left["Id"])["State"]["Status"] == "exited")
    machine.prepare(spec(tiny_image))
    assert left["Id"] not in [each["Id"] for each in containers(engine_api, platform_id)]


def test_a09_sweep_removes_what_a_killed_builder_left_of_this_build_only(
    machine: MachineSandbox, tiny_image: str, platform_id: str, engine_api: APIClient
) -> None:
    for build in ("7", "8"):
        engine_api.create_container_from_config(
            {"Image": tiny_image, "Cmd": ["true"], "Labels": {"wherry.platform": platform_id, "wherry.build": build}},
            f"wherry-{platform_id}-build-{build}-{platform_id}",
        )
    machine.sweep(7)
    machine.sweep(7)
    labels = {"label": f"wherry.platform={platform_id}"}
    left = engine_api.containers(all=True, filters=labels)
    assert [each["Labels"]["wherry.build"] for each in left] == ["8"]


def _ok(_: object) -> None:
    return None


def test_a_prepared_container_is_used_once_and_by_such_a_build_only(
    machine: MachineSandbox, tiny_image: str, engine_api: APIClient, platform_id: str
) -> None:
    hosts: list[bytes] = []

    def steps(session: SandboxSession) -> None:
        hosts.extend(shell(session, "cat /proc/sys/kernel/hostname")[1])

    machine.prepare(spec(tiny_image))
    machine.prepare(spec(tiny_image, build_id=9))
    (waiting,) = engine_api.containers(filters={"label": f"wherry.platform={platform_id}"})
    run(machine, spec(tiny_image, build_id=8, memory=32), steps)
    run(machine, spec(tiny_image, build_id=8), steps)
    run(machine, spec(tiny_image, build_id=8), steps)
    assert [host == waiting["Id"][:12].encode() for host in hosts] == [False, True, False]


def test_a_prepared_container_that_died_is_not_used(
    machine: MachineSandbox, tiny_image: str, engine_api: APIClient, platform_id: str
) -> None:
    machine.prepare(spec(tiny_image))
    (waiting,) = engine_api.containers(filters={"label": f"wherry.platform={platform_id}"})
    engine_api.remove_container(waiting["Id"], force=True)
    codes = []
    run(machine, spec(tiny_image), lambda session: codes.append(shell(session, "true")[0]))
    assert codes == [0]


def test_the_driver_hears_at_once_that_the_container_beside_it_died(
    machine: MachineSandbox, tiny_image: str, engine_api: APIClient, platform_id: str, tmp_path: Path
) -> None:
    def steps(session: SandboxSession) -> None:
        labels = {"label": f"wherry.platform={platform_id}"}
        command = ["/bin/sh", "-c", "echo on; sleep 300"]
        (beside,) = engine_api.containers(filters=labels)
        session.execute(command, PATH, "/", lambda _: engine_api.kill(beside["Id"]))

    with pytest.raises(Gone):
        run(Pod(engine_api, machine, tmp_path / "pod"), spec(tiny_image), steps)


def test_the_container_beside_a_driver_ends_when_the_driver_does(
    machine: MachineSandbox, tiny_image: str, engine_api: APIClient, tmp_path: Path
) -> None:
    pod = Pod(engine_api, machine, tmp_path / "pod")
    pod.after = lambda id: eventually(lambda: not engine_api.inspect_container(id)["State"]["Running"])
    run(pod, spec(tiny_image), lambda session: _ok(shell(session, "true")))
