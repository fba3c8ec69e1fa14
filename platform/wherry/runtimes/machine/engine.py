"""The Docker Engine by its address, and the one place where its client's errors become ours.

    with engine.doing("start web.1"):
        engine.api.start(container)

- no answer                         PlatformFault "the Docker Engine at URL does not answer"
- an answer that says no            PlatformFault "the Docker Engine could not start web.1: its own words"
- NotFound, Conflict                the same, unless the caller expects them and catches docker's own class inside
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from threading import Lock
from typing import Any, NoReturn, TypeVar

import requests
import urllib3
from docker import APIClient
from docker.errors import APIError, DockerException, NotFound, StreamParseError
from docker.types.daemon import CancellableStream

from wherry.domain.errors import PlatformFault
from wherry.domain.text import printable

T = TypeVar("T")

# All that the client lets out: its own, what it stands on, and what it trips over when a connection is cut.
CLIENT_ERRORS = (
    DockerException,
    StreamParseError,
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    OSError,
    json.JSONDecodeError,
    struct.error,
)
HINT = "Run: wherry doctor"
_CONNECTIONS = 128  # follow-streams and waits hold one each; more are opened on demand and not kept
_SECONDS = 60
_END = 10


class Engine:
    """Connects on first use, so that an object can be built while the engine is down. `before_removal`: called with
    each container that has ended and is about to be removed.
    """

    def __init__(self, url: str, before_removal: Callable[[str], None] | None = None) -> None:
        self.url = url
        self._before_removal = before_removal
        self._lock = Lock()
        self._api: APIClient | None = None

    @property
    def api(self) -> APIClient:
        with self._lock:
            if self._api is None:
                self._api = APIClient(base_url=self.url, version="auto", timeout=_SECONDS, max_pool_size=_CONNECTIONS)
            return self._api

    def create(self, name: str, config: Mapping[str, Any]) -> str:
        """POST /containers/create with the body as the API takes it; the container's id. Raises docker's errors."""
        made = self.api.create_container_from_config(dict(config), name)  # type: ignore[no-untyped-call]
        return str(made["Id"])

    def remove(self, container: str) -> None:
        """Kills it if it runs; what is gone already is fine. Raises docker's errors."""
        if self._before_removal:
            self._kill(container)
            self._before_removal(container)
        try:
            self.api.remove_container(container, force=True, v=True)
        except NotFound:
            return
        except APIError as error:
            if "is already in progress" not in str(error.explanation):
                raise

    def _kill(self, container: str) -> None:
        """Returns when it has ended, and its output is complete."""
        try:
            self.api.kill(container)
            self.api.wait(container, timeout=_END)
        except NotFound:
            return
        except APIError as error:
            if error.status_code != 409:  # it does not run
                raise

    def discard(self, image: str) -> None:
        """Removes an image by this name; one that is gone, or that a container still uses, is left as it is."""
        try:
            self.api.remove_image(image)
        except NotFound:
            return
        except APIError as error:
            if error.status_code != 409:
                raise

    @contextmanager
    def doing(self, what: str) -> Iterator[None]:
        """Raises PlatformFault in place of whatever the client raises; `what` completes "could not …"."""
        try:
            yield
        except CLIENT_ERRORS as error:
            self._raise(what, error)

    def _raise(self, what: str, error: Exception) -> NoReturn:
        if isinstance(error, APIError):
            said = printable(str(error.explanation or error), 500)
            raise PlatformFault(f"the Docker Engine could not {what}: {said}", hint=HINT) from error
        evidence = [printable(str(error), 300)]
        raise PlatformFault(f"the Docker Engine at {self.url} does not answer", evidence=evidence, hint=HINT) from error

    def close(self) -> None:
        with self._lock:
            if self._api is not None:
                self._api.close()
                self._api = None


def close_stream(stream: CancellableStream[Any]) -> None:
    """Ends a stream of the engine's from any thread, also one that has just ended by itself."""
    with suppress(OSError, AttributeError):  # the client looks for a socket that is gone by then
        stream.close()


@contextmanager
def ended(stream: CancellableStream[T]) -> Iterator[CancellableStream[T]]:
    """`close_stream` afterwards, whatever happens."""
    try:
        yield stream
    finally:
        close_stream(stream)
