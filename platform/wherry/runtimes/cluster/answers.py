"""What the API of a cluster answers, read piece by piece. `doing`: for messages, as in ``watch the pods``."""

from __future__ import annotations

import json
from collections.abc import Iterator

import urllib3
from urllib3.exceptions import HTTPError, SSLError

from wherry.domain.text import printable
from wherry.runtimes.cluster import errors
from wherry.runtimes.cluster.errors import HINT, Unreachable
from wherry.runtimes.cluster.kinds import Object

Answer = urllib3.HTTPResponse
_CHUNK = 64 * 1024


def events(answer: Answer, doing: str) -> Iterator[Object]:
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
        raise broken(doing, error) from error
    if kind == "ERROR":
        said = f"could not {doing}: {printable(str(found.get('message', '')))}"
        raise errors.of_status(int(found.get("code", 500)), str(found.get("reason", "")), said)
    return event


def pieces(answer: Answer, doing: str) -> Iterator[bytes]:
    try:
        while piece := answer.read1(_CHUNK):
            yield piece
    except (HTTPError, OSError) as error:
        raise broken(doing, error) from error


def whole(answer: Answer) -> bytes:
    try:
        return answer.read(_CHUNK)
    except (HTTPError, OSError):
        return b""


def drop(answer: Answer) -> None:
    try:
        answer.drain_conn()
    finally:
        answer.release_conn()


def broken(doing: str, error: Exception) -> Unreachable:
    return Unreachable(f"could not {doing}: {why(error)}", hint=HINT)


def why(error: Exception) -> str:
    """What keeps us from an answer: nobody there, or somebody whom we cannot trust."""
    reason = getattr(error, "reason", error)  # of urllib3's tries, the last
    if isinstance(reason, SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(reason):
        return f"the cluster's certificate is not one of the authority that we know ({printable(str(reason))})"
    return f"the cluster does not answer ({printable(str(error))})"
