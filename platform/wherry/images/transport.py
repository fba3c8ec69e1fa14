"""HTTP to one registry: each request with a login as it wants one, within time limits, and tried again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter

from wherry.images.address import is_loopback
from wherry.images.failures import broken, refused
from wherry.images.login import Authenticator
from wherry.images.patience import Interrupted, Patience, Tries
from wherry.logins import Login, Logins

CONNECTIONS = 16


@dataclass
class Transport:
    """`base` is ``http(s)://HOST[:PORT]``. One for all threads."""

    base: str
    logins: Logins
    patience: Patience

    def __post_init__(self) -> None:
        self._session = requests.Session()
        self._session.trust_env = not is_loopback(urlsplit(self.base).hostname or "")
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(pool_connections=CONNECTIONS, pool_maxsize=CONNECTIONS))
        self._timeout = (self.patience.connect, self.patience.silence)
        self._authenticator = Authenticator(self.base, self.logins, self._session, self._timeout)

    def close(self) -> None:
        self._session.close()

    def call(
        self,
        method: str,
        path: str,
        scopes: Sequence[str],
        expect: Sequence[int],
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> requests.Response:
        """Asks until there is an answer; its status is one of `expect`. Only for what may be asked twice.

        Raises PlatformFault for any other answer, or none.
        """
        tries = Tries(self.patience)
        while True:
            try:
                return self.once(method, path, scopes, expect, headers, body)
            except Interrupted as interrupted:
                tries.pause(interrupted)

    def once(
        self,
        method: str,
        path: str,
        scopes: Sequence[str],
        expect: Sequence[int],
        headers: Mapping[str, str] | None = None,
        body: bytes | Iterable[bytes] | None = None,
        stream: bool = False,
    ) -> requests.Response:
        """As `call`, once; a transient failure is raised as Interrupted. With `stream` the caller closes the answer."""
        url = urljoin(self.base, path)
        login = self.logins.current()
        response = self._send(method, url, scopes, headers, body, stream, login)
        if response.status_code == 401 and (again := self._authenticator.learn(response, tuple(scopes), login)):
            response.close()
            response = self._send(method, url, scopes, headers, body, stream, again)
        if response.status_code in expect:
            return response
        why = refused(method, url, response)
        response.close()
        raise why

    def _send(
        self,
        method: str,
        url: str,
        scopes: Sequence[str],
        headers: Mapping[str, str] | None,
        body: bytes | Iterable[bytes] | None,
        stream: bool,
        login: Login,
    ) -> requests.Response:
        try:
            return self._session.request(
                method,
                url,
                headers=dict(headers or {}),
                data=body,
                auth=lambda prepared: self._authenticator.authorise(prepared, tuple(scopes), login),
                timeout=self._timeout,
                stream=stream,
            )
        except requests.RequestException as error:
            raise broken(method, url, error) from error
