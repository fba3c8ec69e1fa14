"""Drains: where an app's log is sent on to. A URL may hold a login, so it is kept as a secret."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote, urlsplit

from wherry.domain.errors import InvalidInput
from wherry.domain.secret import Secret

MOST_DRAINS = 10
_LONGEST = 2000
_PORTS = {"https": 443, "syslog": 514, "syslog+tls": 6514}
_HOST = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*\.?"
)
_ADDRESS = re.compile(r"[0-9A-Fa-f:.]{2,45}")
_VISIBLE = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True)
class Drain:
    """`token`: ``d.UUID``, by which its receiver knows it."""

    id: int
    app_id: int
    token: str
    url: Secret
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Target:
    """A drain's URL by its parts. `path` with its query; `login`: "user:password", or ""."""

    scheme: str
    host: str
    port: int
    path: str
    login: str

    @property
    def tls(self) -> bool:
        return self.scheme != "syslog"

    @property
    def place(self) -> str:
        """Without login and path, which may be secret."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def target(url: object) -> Target:
    """Raises InvalidInput with every fault; what may be secret is not repeated."""
    if not isinstance(url, str) or not url or len(url) > _LONGEST or not _VISIBLE.fullmatch(url):
        raise _wrong(f"url: must be a text of at most {_LONGEST} visible ASCII characters")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _wrong("url: its host or port cannot be read") from error
    host = parts.hostname or ""
    problems = []
    if parts.scheme not in _PORTS:
        problems.append(f"url: must begin with one of {', '.join(f'{each}://' for each in sorted(_PORTS))}")
    if not (_HOST.fullmatch(host) and len(host) <= 253) and not (":" in host and _ADDRESS.fullmatch(host)):
        problems.append("url: has no valid host")
    if port == 0:
        problems.append("url: port 0 is none")
    if parts.fragment:
        problems.append("url: must not have a fragment (#)")
    if parts.scheme.startswith("syslog") and (parts.path not in ("", "/") or parts.query or parts.username):
        problems.append("url: syslog has no path, query or login")
    if problems:
        raise _wrong(*problems)
    login = f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username is not None else ""
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port or _PORTS[parts.scheme], path, login)


def _wrong(*problems: str) -> InvalidInput:
    return InvalidInput(
        "this is no drain",
        problems=list(problems),
        hint="Such as: https://logs.example.org/in, syslog+tls://logs.example.org:6514",
    )
