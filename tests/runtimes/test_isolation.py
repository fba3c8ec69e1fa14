"""What a process or a build cannot reach and cannot use, tried from inside."""

import http.server
import os
import shutil
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from docker import APIClient
from wherry.domain.formation import Size
from wherry.domain.image import Image
from wherry.flow.ports import Cancel, SandboxSession, SandboxSpec
from wherry.runtimes.machine.firewall import Firewall
from wherry.runtimes.machine.pull import Registry
from wherry.runtimes.machine.runtime import MachineRuntime
from wherry.runtimes.machine.sandbox import MachineSandbox

from tests.runtimes.machine_world import containers, eventually, quiet, workload
from tests.runtimes.tiny import ENGINE

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("iptables"), reason="needs root and iptables"),
]


@pytest.fixture
def platform_port() -> Iterator[int]:
    """A server on all addresses of this machine, as ours may be."""
    with http.server.ThreadingHTTPServer(("0.0.0.0", 0), http.server.SimpleHTTPRequestHandler) as server:
        threading.Thread(target=server.serve_forever).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture
def metadata_address() -> Iterator[None]:
    """169.254.169.254 on this machine, so that there is something to reach."""
    added = subprocess.run(["ip", "address", "add", "169.254.169.254/32", "dev", "lo"], check=False).returncode == 0
    yield
    if added:
        subprocess.run(["ip", "address", "del", "169.254.169.254/32", "dev", "lo"], check=True)


def own_address() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        return str(probe.getsockname()[0])


_CONNECT = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), 1).close()
except OSError:
    sys.exit(1)
"""


def inside(api: APIClient, platform: str, *labels: str) -> Callable[[str, int], bool]:
    """Does a connection from the network of that container to (address, port) succeed?"""
    (found,) = api.containers(filters={"label": [f"wherry.platform={platform}", *labels]})
    pid = api.inspect_container(found["Id"])["State"]["Pid"]

    def reaches(address: str, port: int) -> bool:
        argv = ["nsenter", "-t", str(pid), "-n", sys.executable, "-S", "-c", _CONNECT, address, str(port)]
        return subprocess.run(argv, check=False).returncode == 0

    return reaches


def test_t20_an_app_reaches_no_other_app_no_port_of_ours_and_no_metadata(
    machine_runtime: MachineRuntime,
    pushed_image: Image,
    engine_api: APIClient,
    platform_id: str,
    platform_port: int,
    metadata_address: None,
) -> None:
    machine_runtime.start([workload(pushed_image, app_id=1), workload(pushed_image, app_id=2)], quiet)
    one, two = machine_runtime.processes()
    assert one.endpoint
    assert two.endpoint
    reaches = inside(engine_api, platform_id, "wherry.app=1")
    assert reaches(one.endpoint.address, 8080)  # itself: so the probe works
    assert not reaches(two.endpoint.address, 8080)
    gateway = one.endpoint.address.rsplit(".", 2)[0] + ".0.1"
    for address in (gateway, own_address(), "172.17.0.1", "169.254.169.254"):
        assert not reaches(address, platform_port), address
    assert not reaches("127.0.0.1", platform_port)
    for endpoint in (one.endpoint, two.endpoint):  # but we, as the router does, reach them
        with urllib.request.urlopen(f"http://{endpoint.address}:{endpoint.port}/", timeout=30) as answer:
            assert b"web.1" in answer.read()


def test_t15_a_build_reaches_no_app_no_port_of_ours_and_no_metadata(
    machine_runtime: MachineRuntime,
    pushed_image: Image,
    tiny_image: str,
    engine_api: APIClient,
    platform_id: str,
    platform_port: int,
    metadata_address: None,
    tmp_path: Path,
) -> None:
    machine_runtime.start([workload(pushed_image)], quiet)
    (app,) = machine_runtime.processes()
    assert app.endpoint
    targets = [(app.endpoint.address, 8080), (own_address(), platform_port), ("169.254.169.254", platform_port)]
    reached: list[str] = []

    def steps(session: SandboxSession) -> None:
        reaches = inside(engine_api, platform_id, "wherry.build=1")
        reached.extend(address for address, port in targets if reaches(address, port))

    sandbox = MachineSandbox(ENGINE, platform_id, Registry("127.0.0.1:1"), scratch=tmp_path)
    sandbox.run(SandboxSpec(1, tiny_image, "1000:1000", {}), steps, Cancel())
    assert reached == []


def test_a61_firewall_rules_that_were_flushed_are_named_and_made_again(
    machine_runtime: MachineRuntime, pushed_image: Image, platform_id: str
) -> None:
    machine_runtime.start([workload(pushed_image)], quiet)
    assert machine_runtime.problems() == []
    Firewall(platform_id).remove()
    assert [line for line in machine_runtime.problems() if "INPUT" in line]
    ended = threading.Thread(target=machine_runtime.watch, args=(lambda _: None,), daemon=True)
    ended.start()
    eventually(lambda: machine_runtime.problems() == [])
    Firewall(platform_id).apply()  # twice is once
    Firewall(platform_id).remove()
    assert len(machine_runtime.problems()) == 2


def test_t12_a_process_is_a_plain_user_without_any_privilege(
    machine_runtime: MachineRuntime, pushed_image: Image, engine_api: APIClient, platform_id: str
) -> None:
    machine_runtime.start([workload(pushed_image)], quiet)
    (found,) = containers(engine_api, platform_id)
    made = engine_api.exec_create(str(found["Id"]), ["cat", "/proc/1/status"])
    status = dict(
        line.split(":\t", 1) for line in engine_api.exec_start(made["Id"]).decode().splitlines() if ":\t" in line
    )
    assert status["Uid"].split() == ["1001"] * 4
    assert [status["Cap" + name] for name in ("Prm", "Eff", "Bnd", "Amb")] == ["0" * 16] * 4
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"


def test_a43_a_fork_bomb_stays_within_its_processes_and_the_neighbour_serves(
    machine_runtime: MachineRuntime, pushed_image: Image, engine_api: APIClient, platform_id: str
) -> None:
    small = Size("tiny", 64, 200, pids=40)
    bomb = workload(pushed_image, "worker", app_id=2, env={"MODE": "bomb"}, size=small, settle=1.0)
    machine_runtime.start([workload(pushed_image, app_id=1), bomb], quiet)
    web = next(each.endpoint for each in machine_runtime.processes() if each.endpoint)
    (found,) = engine_api.containers(filters={"label": [f"wherry.platform={platform_id}", "wherry.app=2"]})
    assert len(engine_api.top(found["Id"])["Processes"]) <= 40
    with urllib.request.urlopen(f"http://{web.address}:{web.port}/", timeout=30) as answer:
        assert answer.status == 200


def test_b08_values_of_config_arrive_byte_for_byte(
    machine_runtime: MachineRuntime, pushed_image: Image, engine_api: APIClient, platform_id: str
) -> None:
    hard = {
        "LINES": "first\nsecond\n",
        "QUOTES": "'\"`$(id)${PATH}\\n",
        "TEMPLATE": "{{x}} --- no 0123 12:30:45",
        "SPACES": "  a\t b  ",
        "EMPTY": "",
        "UNICODE": "żółw 🚢\u2028",
        "LONG": "x" * 32768,
    }
    machine_runtime.start([workload(pushed_image, "worker", env={"MODE": "env", **hard})], quiet)
    (found,) = containers(engine_api, platform_id)
    made = engine_api.exec_create(str(found["Id"]), ["cat", "/workspace/environ"])
    raw = engine_api.exec_start(made["Id"])
    arrived = dict(entry.decode().split("=", 1) for entry in raw.split(b"\0") if entry)
    assert {key: arrived[key] for key in hard} == hard
    assert (arrived["WHERRY_PROCESS"], arrived["HOME"], "PORT" in arrived) == ("worker.1", "/workspace", False)
