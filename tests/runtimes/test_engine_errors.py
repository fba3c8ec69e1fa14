"""No error of the engine's client comes out of this room: all become PlatformFault, with the next command."""

import gc
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import docker.errors
import pytest
import requests
import urllib3
from wherry.domain.errors import PlatformFault
from wherry.domain.image import Image
from wherry.flow.ports import Cancel, SandboxSpec
from wherry.runtimes.machine.collect import Collector
from wherry.runtimes.machine.engine import Engine
from wherry.runtimes.machine.pull import Registry
from wherry.runtimes.machine.runtime import MachineRuntime
from wherry.runtimes.machine.sandbox import MachineSandbox

from tests.fakes.app_logs import MemoryAppLogs
from tests.runtimes.machine_world import quiet, workload

# docker's own connection class leaves its socket to the garbage collector when connecting fails.
pytestmark = pytest.mark.filterwarnings(
    "ignore:unclosed <socket:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
IMAGE = Image("apps/1", "sha256:" + "0" * 64)


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    yield
    gc.collect()


def methods(url: str) -> list[Callable[[], object]]:
    runtime = MachineRuntime(url, "p1", Registry("127.0.0.1:1"))
    sandbox = MachineSandbox(url, "p1", Registry("127.0.0.1:1"))
    return [
        lambda: runtime.start([workload(IMAGE)], quiet),
        lambda: runtime.retire(1, []),
        runtime.processes,
        Collector(url, "p1", MemoryAppLogs()).run,
        lambda: runtime.watch(lambda _: None),
        runtime.remove,
        lambda: sandbox.run(SandboxSpec(1, "image", "1:1", {}), lambda _: None, Cancel()),
        lambda: sandbox.sweep(1),
    ]


@pytest.mark.parametrize("number", range(8))
def test_an_engine_that_is_gone_is_named_with_the_next_command(number: int, tmp_path: Path) -> None:
    url = f"unix://{tmp_path}/no.sock"
    with pytest.raises(PlatformFault) as caught:
        methods(url)[number]()
    assert caught.value.message == f"the Docker Engine at {url} does not answer"
    assert caught.value.hint == "Run: wherry doctor"
    assert caught.value.__cause__ is not None


@pytest.fixture
def broken_engine(tmp_path: Path) -> Iterator[str]:
    """Answers /version and then refuses everything with 500, in JSON as the engine does."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(f"{tmp_path}/e.sock")
    server.listen()

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                request = connection.recv(65536)
                good = b"/version" in request.split(b"\r\n")[0]
                body = json.dumps({"ApiVersion": "1.41"} if good else {"message": "no space\x1b left"}).encode()
                status = b"200 OK" if good else b"500 Internal Server Error"
                head = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nConnection: close\r\n" % status
                connection.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"unix://{tmp_path}/e.sock"
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join()


@pytest.mark.parametrize("number", range(8))
def test_an_engine_that_refuses_is_quoted_with_control_characters_escaped(number: int, broken_engine: str) -> None:
    with pytest.raises(PlatformFault, match=r"the Docker Engine could not .*: no space\\x1b left"):
        methods(broken_engine)[number]()


@pytest.mark.parametrize(
    "error",
    [
        *[getattr(docker.errors, name)("x") for name in ("DockerException", "APIError", "NotFound", "ImageNotFound")],
        docker.errors.StreamParseError("x"),
        requests.exceptions.ConnectionError("x"),
        requests.exceptions.ReadTimeout("x"),
        requests.exceptions.ChunkedEncodingError("x"),
        requests.exceptions.JSONDecodeError("x", "y", 0),
        urllib3.exceptions.ProtocolError("x"),
        urllib3.exceptions.ReadTimeoutError(None, "", "x"),  # type: ignore[arg-type]
        json.JSONDecodeError("x", "y", 0),
        struct.error("x"),
        ConnectionResetError("x"),
        BrokenPipeError("x"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_each_error_of_the_client_is_translated_with_its_cause(error: Exception) -> None:
    with pytest.raises(PlatformFault) as caught, Engine("unix:///x").doing("do a thing"):
        raise error
    assert caught.value.__cause__ is error


def test_our_own_errors_pass_unchanged() -> None:
    with pytest.raises(KeyError), Engine("unix:///x").doing("do a thing"):
        raise KeyError("ours")
