"""One file by URL, from a place that the operator allows: a redirect leads only to another such place (T27)."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urljoin

import requests

from wherry.builds.foreign import MIB, MOST_PACKED, refused
from wherry.builds.operator_env import bundle_of_host
from wherry.domain.errors import PlatformFault
from wherry.domain.text import printable

_CONNECT, _SILENCE, _TOTAL = 10.0, 30.0, 300.0
_REDIRECTS = 5
_PIECE = MIB


def download(url: str, target: Path, permitted: Callable[[str], bool]) -> None:
    """Raises BuildFailed (BAD_SOURCE) for what is not there, not permitted or too long; PlatformFault when the network
    fails.
    """
    began = time.monotonic()
    with requests.Session() as session:
        # The proxies of the environment count; a login that ~/.netrc has for the host does not.
        session.auth = lambda prepared: prepared
        for _ in range(_REDIRECTS):
            if not permitted(url):
                raise refused(f"{_shown(url)} is not a place that buildpacks may come from here")
            try:
                following = _fetch(session, url, target, began)
            except requests.RequestException as error:  # its text quotes URLs, with what may be in them
                message = f"{_shown(url)} does not answer"
                raise PlatformFault(message, evidence=[type(error).__name__]) from error
            if not following:
                return
            url = urljoin(url, following)
    raise refused(f"{_shown(url)} redirects more than {_REDIRECTS} times")


def _fetch(session: requests.Session, url: str, target: Path, began: float) -> str:
    """Where it is instead, "" when it has come."""
    bundle = bundle_of_host(os.environ)
    with session.get(
        url,
        stream=True,
        allow_redirects=False,
        timeout=(_CONNECT, _SILENCE),
        headers={"Accept-Encoding": "identity"},
        verify=str(bundle) if bundle else True,
    ) as response:
        if response.is_redirect:
            return str(response.headers["Location"])
        if response.status_code >= 500 or response.status_code == 429:
            raise PlatformFault(f"{_shown(url)} answered {response.status_code}")
        if response.status_code != 200:
            raise refused(f"{_shown(url)} answered {response.status_code}")
        _write(response.iter_content(_PIECE), target, url, began)
    return ""


def _write(pieces: Iterator[bytes], target: Path, url: str, began: float) -> None:
    size = 0
    with target.open("wb") as file:
        for piece in pieces:
            size += len(piece)
            if size > MOST_PACKED:
                raise refused(f"{_shown(url)} is larger than {MOST_PACKED // MIB} MiB")
            if time.monotonic() - began > _TOTAL:
                raise PlatformFault(f"{_shown(url)} took longer than {_TOTAL:.0f} seconds")
            file.write(piece)


def _shown(url: str) -> str:
    return printable(url.partition("?")[0], 300)
