"""Calls to the API of a cluster, in plain JSON: the one place that speaks to it.

Every call has a time limit. A server that is busy is waited for as long as it asks; one that is gone is tried once a
second at most, whatever is asked of us, so that its return is not met by a storm.
"""

from __future__ import annotations

import json
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlencode

import urllib3
from urllib3.exceptions import HTTPError

from wherry.domain.errors import NotFound
from wherry.domain.text import printable
from wherry.runtimes.cluster import errors
from wherry.runtimes.cluster.credentials import Credentials, Door
from wherry.runtimes.cluster.errors import HINT, Unreachable
from wherry.runtimes.cluster.kinds import Kind, Object, kind_of

MANAGER = "wherry"
"""Our one field manager: what it set and no longer sets, the server takes away."""
SECONDS = 60.0
_CONNECT = 5.0
_PAGE = 500
_BUSY = (429, 503)
_LONGEST_WAIT = 120.0
_SAID_AFTER = 1.0
_AGAIN_AFTER = 1.0
_CHUNK = 64 * 1024
_JSON = "application/json"
_METADATA = "application/json;as={};g=meta.k8s.io;v=v1"
_MERGE = "application/merge-patch+json"
_APPLY = "application/apply-patch+yaml"
# What YAML, as which the server reads an applied object, does not take as it is inside quotes.
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_ONCE_MORE = urllib3.Retry(
    connect=0, read=1, redirect=0, status=0, other=0, allowed_methods=None, respect_retry_after_header=False
)
Query = Mapping[str, str]
Page = tuple[list[Object], str]
Answer = urllib3.HTTPResponse


class Client:
    """Used from several threads. `sent` counts what was sent, by "GET", "LIST", "WATCH", "APPLY", "CREATE", "DELETE",
    "PATCH".
    """

    def __init__(self, kubeconfig: str = "") -> None:
        self.credentials = Credentials(kubeconfig)
        self.sent: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._fault = ""
        self._next_try = 0.0
        self._here = threading.local()

    def get(self, kind: Kind, namespace: str, name: str) -> Object:
        """Raises NotFound, PlatformFault, Refused."""
        return self.json("GET", kind.path(namespace, name), doing=f"get the {kind.name} {name}")

    def list(
        self, kind: Kind, namespace: str = "", *, labels: str = "", fields: str = "", only_metadata: bool = False
    ) -> tuple[list[Object], str]:
        """All of them, and the version to watch from. `labels`, `fields`: selectors."""
        found: list[Object] = []
        version = ""
        for page, each in self.pages(kind, namespace, labels=labels, fields=fields, only_metadata=only_metadata):
            found, version = found + page, each
        return found, version

    def pages(
        self, kind: Kind, namespace: str = "", *, labels: str = "", fields: str = "", only_metadata: bool = False
    ) -> Iterator[Page]:
        """The same, some at a time: of a large cluster nobody need hold all at once."""
        query = {"limit": str(_PAGE), "labelSelector": labels, "fieldSelector": fields}
        rest = "first"
        while rest:
            page = self.json(
                "GET",
                kind.path(namespace),
                query=query,
                doing=f"list the {kind.plural}",
                counted="LIST",
                accept=_METADATA.format("PartialObjectMetadataList") if only_metadata else _JSON,
            )
            yield page["items"] or [], str(page["metadata"]["resourceVersion"])
            rest = page["metadata"].get("continue", "")
            query["continue"] = rest

    def apply(self, wanted: Object, *, dry_run: bool = False, manager: str = MANAGER) -> Object:
        """Server-side apply: makes the object, or makes it have what `wanted` has; what we set earlier and no longer
        want goes. Fields that somebody else has set differently become ours again. `dry_run`: only tried.
        `manager`: in whose name.
        """
        kind, about = kind_of(wanted), wanted["metadata"]
        return self.json(
            "PATCH",
            kind.path(about.get("namespace", ""), about["name"]),
            query={"fieldManager": manager, "force": "true", "fieldValidation": "Strict", **_dry(dry_run)},
            body=encoded(wanted),
            content_type=_APPLY,
            doing=f"apply the {kind.name} {about['name']}",
            counted="APPLY",
        )

    def create(self, wanted: Object) -> Object:
        """Raises Conflict when there is one of that name."""
        kind, about = kind_of(wanted), wanted["metadata"]
        return self.json(
            "POST",
            kind.path(about.get("namespace", "")),
            query={"fieldManager": MANAGER, "fieldValidation": "Strict"},
            body=encoded(wanted),
            doing=f"create the {kind.name} {about.get('name', '')}",
            counted="CREATE",
        )

    def allowed(self, review: Object) -> bool:
        """Whether we may do what a SelfSubjectAccessReview asks about."""
        path = f"/apis/{review['apiVersion']}/selfsubjectaccessreviews"
        answer = self.json("POST", path, body=encoded(review), doing="ask what we may do")
        return bool(answer["status"]["allowed"])

    def merge(self, kind: Kind, namespace: str, name: str, changes: Object, part: str = "") -> Object:
        """Sets some fields of an object that is there. Raises NotFound."""
        return self.json(
            "PATCH",
            kind.path(namespace, name, part),
            query={"fieldManager": MANAGER},
            body=encoded(changes),
            content_type=_MERGE,
            doing=f"change the {kind.name} {name}",
        )

    def delete(
        self, kind: Kind, namespace: str, name: str, *, propagation: str = "Background", grace: int | None = None
    ) -> bool:
        """False when it is not there. `propagation`: Background, Foreground or Orphan, for what it owns; `grace`: seconds,
        else its own.
        """
        options: Object = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": propagation}
        if grace is not None:
            options["gracePeriodSeconds"] = grace
        try:
            self.json(
                "DELETE", kind.path(namespace, name), body=encoded(options), doing=f"delete the {kind.name} {name}"
            )
        except NotFound:
            return False
        return True

    @contextmanager
    def log(self, namespace: str, pod: str, seconds: float = SECONDS, **query: object) -> Iterator[Iterator[bytes]]:
        """What a container of a pod writes, in pieces as they come. `query`: container, follow, previous, tailLines,
        timestamps, sinceTime, limitBytes, as the API has them. Raises NotFound, Refused (it has not begun), PlatformFault.
        """
        asked = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in query.items()}
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}/log"
        with self.opened("GET", path, query=asked, seconds=seconds, doing=f"read the log of {pod}") as answer:
            yield pieces(answer, f"read the log of {pod}")

    @contextmanager
    def watch(
        self,
        kind: Kind,
        version: str,
        seconds: int,
        *,
        namespace: str = "",
        labels: str = "",
        quiet: float = 90.0,
        only_metadata: bool = False,
        opened: Callable[[Answer], None] = lambda _: None,
    ) -> Iterator[Iterator[Object]]:
        """The events of a kind after `version`, for `seconds` at most; none for `quiet` seconds, bookmarks included, is
        taken for a connection that is dead. Raises Gone when `version` is too old, also while it runs. `opened` is given
        the stream itself, for who wants to end it from another thread.
        """
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(seconds),
            "labelSelector": labels,
        }
        doing = f"watch the {kind.plural}"
        accept = _METADATA.format("PartialObjectMetadata") if only_metadata else _JSON
        with self.opened(
            "GET", kind.path(namespace), query=query, seconds=quiet, doing=doing, counted="WATCH", accept=accept
        ) as answer:
            opened(answer)
            yield _events(answer, doing)

    def json(
        self,
        method: str,
        path: str,
        *,
        doing: str,
        query: Query | None = None,
        body: bytes | None = None,
        content_type: str = _JSON,
        counted: str = "",
        accept: str = _JSON,
    ) -> Object:
        """The answer's JSON object. Raises NotFound, Conflict, Refused, PlatformFault."""
        with self.opened(
            method, path, query=query, body=body, content_type=content_type, doing=doing, counted=counted, accept=accept
        ) as answer:
            try:
                found: Object = json.loads(answer.read())
            except (HTTPError, OSError, ValueError) as error:
                raise _broken(doing, error) from error
            return found

    @contextmanager
    def opened(
        self,
        method: str,
        path: str,
        *,
        doing: str,
        query: Query | None = None,
        body: bytes | None = None,
        content_type: str = _JSON,
        seconds: float = SECONDS,
        counted: str = "",
        accept: str = _JSON,
    ) -> Iterator[Answer]:
        """An answer that is a success, to be read piece by piece. `seconds`: the longest silence."""
        asked = urlencode({key: each for key, each in (query or {}).items() if each})
        target = f"{path}?{asked}" if asked else path
        self.sent[counted or method] += 1
        headers = {"Accept": accept, **({"Content-Type": content_type} if body is not None else {})}
        answer = self._answered(method, target, headers, body, seconds, doing)
        try:
            if answer.status >= 300:
                raise errors.of_answer(answer.status, _whole(answer), doing)
            yield answer
        finally:
            if not answer.isclosed():
                answer.close()  # left in the middle: its connection cannot be used again
            answer.release_conn()

    @contextmanager
    def telling(self, say: Callable[[str], None]) -> Iterator[None]:
        """Inside, this thread's waits for a busy cluster are told."""
        self._here.say, before = say, getattr(self._here, "say", None)
        try:
            yield
        finally:
            self._here.say = before

    def _answered(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None, seconds: float, doing: str
    ) -> Answer:
        """After the waits that the server asked for; with other credentials when it refused those we had."""
        until, again = time.monotonic() + _LONGEST_WAIT, True
        while True:
            door = self.credentials.door()
            answer = self._sent(door, method, target, headers, body, seconds, doing)
            if answer.status == 401 and again:
                again = False
                _drop(answer)
                self.credentials.forget(door)
                continue
            pause = _asked_pause(answer)
            if pause is None or time.monotonic() + pause > until:
                return answer
            _drop(answer)
            self._wait(pause)

    def _sent(
        self,
        door: Door,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | None,
        seconds: float,
        doing: str,
    ) -> Answer:
        self._mind_the_gap(doing)
        try:
            answer = door.pool.request(
                method,
                door.url + target,
                headers={**headers, **door.headers},
                body=body,
                preload_content=False,
                redirect=False,
                # A kept connection that the server closed meanwhile; all that we send may be sent twice.
                retries=_ONCE_MORE,
                timeout=urllib3.Timeout(connect=_CONNECT, read=seconds),
            )
        except (HTTPError, OSError) as error:
            raise self._gone(doing, error) from error
        with self._lock:
            self._fault = ""
        assert isinstance(answer, Answer)
        return answer

    def _mind_the_gap(self, doing: str) -> None:
        """Raises Unreachable at once when a try failed less than a second ago."""
        with self._lock:
            if not self._fault:
                return
            if time.monotonic() < self._next_try:
                raise Unreachable(f"could not {doing}: {self._fault}", hint=HINT)
            self._next_try = time.monotonic() + _AGAIN_AFTER  # this thread tries, for all

    def _gone(self, doing: str, error: Exception) -> Unreachable:
        fault = _broken(doing, error)
        with self._lock:
            self._fault = f"the cluster does not answer ({printable(str(error))})"
            self._next_try = time.monotonic() + _AGAIN_AFTER * random.uniform(1, 1.5)  # noqa: S311
        return fault

    def _wait(self, seconds: float) -> None:
        """Longer than asked by up to a half: all who wait must not come back at once."""
        if seconds >= _SAID_AFTER and (say := getattr(self._here, "say", None)):
            say("waiting for the cluster, which is busy")
        time.sleep(seconds * random.uniform(1, 1.5))  # noqa: S311


def encoded(value: Object) -> bytes:
    """JSON that reads the same as YAML."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode()


def _dry(dry_run: bool) -> Query:
    return {"dryRun": "All"} if dry_run else {}


def _asked_pause(answer: Answer) -> float | None:
    """The seconds that a busy server wants us to wait; None when it does not."""
    asked = answer.headers.get("Retry-After", "")
    if answer.status not in _BUSY or not re.fullmatch(r"[0-9]{1,4}", asked):
        return 1.0 if answer.status == 429 else None
    return float(asked)


def _events(answer: Answer, doing: str) -> Iterator[Object]:
    rest = b""
    for piece in pieces(answer, doing):
        *lines, rest = (rest + piece).split(b"\n")
        for line in filter(None, lines):
            yield _event(line, doing)


def _event(line: bytes, doing: str) -> Object:
    try:
        event: Object = json.loads(line)
        kind, found = event["type"], event["object"]
    except (ValueError, KeyError, TypeError) as error:
        raise _broken(doing, error) from error
    if kind == "ERROR":
        said = f"could not {doing}: {printable(str(found.get('message', '')))}"
        raise errors.of_status(int(found.get("code", 500)), str(found.get("reason", "")), said)
    return event


def pieces(answer: Answer, doing: str) -> Iterator[bytes]:
    try:
        while piece := answer.read1(_CHUNK):
            yield piece
    except (HTTPError, OSError) as error:
        raise _broken(doing, error) from error


def _whole(answer: Answer) -> bytes:
    try:
        return answer.read(_CHUNK)
    except (HTTPError, OSError):
        return b""


def _drop(answer: Answer) -> None:
    try:
        answer.drain_conn()
    finally:
        answer.release_conn()


def _broken(doing: str, error: Exception) -> Unreachable:
    return Unreachable(f"could not {doing}: the cluster does not answer ({printable(str(error))})", hint=HINT)
