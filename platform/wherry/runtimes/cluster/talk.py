"""Opens the API server's two-way streams into pods: attach, and exec (Kubernetes API, "connect" operations)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlencode

from kubernetes.stream.ws_client import create_websocket
from websocket import WebSocketBadStatusException, WebSocketException

from wherry.domain.errors import PlatformFault
from wherry.domain.text import printable
from wherry.runtimes.cluster import errors, naming
from wherry.runtimes.cluster.channels import SUBPROTOCOLS, Stream, WebSocket
from wherry.runtimes.cluster.credentials import Credentials
from wherry.runtimes.cluster.errors import HINT


@dataclass(frozen=True, slots=True)
class Pod:
    namespace: str
    name: str


class Talk:
    """All raise NotFound for a pod that is gone, Refused, PlatformFault."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def attach(self, pod: Pod, *, tty: bool) -> Stream:
        """To a program that reads its input."""
        return self._open(pod, "attach", tty=tty, stdin=True)

    def execute(self, pod: Pod, argv: Sequence[str], *, tty: bool = False, stdin: bool = False) -> Stream:
        return self._open(pod, "exec", argv, tty=tty, stdin=stdin)

    def run(self, pod: Pod, argv: Sequence[str]) -> None:
        """To its end, whatever it says."""
        stream = self.execute(pod, argv)
        for _ in stream.output():
            pass
        stream.close()

    def _open(self, pod: Pod, how: str, argv: Sequence[str] = (), *, tty: bool, stdin: bool) -> Stream:
        asked = {"container": naming.CONTAINER, "stdin": stdin, "stdout": True, "stderr": not tty, "tty": tty}
        query = [(key, str(value).lower()) for key, value in asked.items()] + [("command", each) for each in argv]
        path = f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}/{how}?{urlencode(query)}"
        doing = f"{how} {'to' if how == 'attach' else 'in'} {pod.name}"
        return Stream(self._connected(path, doing))

    def _connected(self, path: str, doing: str, *, again: bool = True) -> WebSocket:
        """Once more with other credentials, when those we had are refused."""
        door = self._credentials.door()
        headers = {"sec-websocket-protocol": SUBPROTOCOLS}
        headers |= {name.lower(): value for name, value in door.headers.items()}
        url = "ws" + door.url.removeprefix("http") + path
        try:
            found: Any = create_websocket(door.configuration, url, headers)
        except WebSocketBadStatusException as error:
            if error.status_code == 401 and again:
                self._credentials.forget(door)
                return self._connected(path, doing, again=False)
            body = error.resp_body if isinstance(error.resp_body, bytes) else b""
            raise errors.of_answer(error.status_code, body, doing) from error
        except (OSError, WebSocketException) as error:
            said = printable(str(error), 300)
            raise PlatformFault(f"could not {doing}: the cluster does not answer ({said})", hint=HINT) from error
        return cast(WebSocket, found)
