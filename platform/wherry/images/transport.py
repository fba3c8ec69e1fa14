"""HTTP to one registry: login, time limits, another try. The one place that translates requests' exceptions.

Login as the distribution spec's challenge asks: none, Basic, or a Bearer token for a scope, fetched again once when the
registry takes it no longer. A login that was refused is asked for anew once, for those that last some hours.
"""

from __future__ import annotations

import base64
import email.utils
import ipaddress
import random
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urljoin, urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter

from wherry.domain.errors import InvalidInput, PlatformFault
from wherry.domain.secret import Secret
from wherry.domain.text import printable
from wherry.logins import Login, Logins

CONNECTIONS = 16
HINT = "Is the registry up, and is its login right? wherry doctor"
NAME = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*")
"""A repository's name (distribution spec, "Pulling manifests")."""

_HOST = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?")
_TRANSIENT = {408, 425, 429, 500, 502, 503, 504}
_PARAMETER = re.compile(r'([A-Za-z_]+)="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to bear with a registry that fails. All in seconds but `tries`, which counts those without progress."""

    tries: int = 6
    first_pause: float = 0.2
    longest_pause: float = 10.0
    longest_wish: float = 120.0
    """The longest ``Retry-After`` that is waited for."""
    total: float = 900.0
    """For one blob or document."""
    connect: float = 5.0
    silence: float = 60.0


class Interrupted(Exception):
    """Worth another try; never leaves this room. The connection broke, or the registry cannot now. `wish`: Retry-After."""

    def __init__(self, fault: PlatformFault, wish: float | None = None) -> None:
        super().__init__(str(fault))
        self.fault = fault
        self.wish = wish


class Tries:
    """Counts and paces the tries of one operation."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._failed = 0
        self.deadline = time.monotonic() + patience.total

    def progress(self) -> None:
        self._failed = 0

    def pause(self, interrupted: Interrupted) -> None:
        """Waits before the next try. Raises the PlatformFault when there is to be none."""
        self._failed += 1
        wish = interrupted.wish
        grown = self._patience.first_pause * 2 ** (self._failed - 1)
        pause = min(grown, self._patience.longest_pause) * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load
        pause = max(pause, wish or 0.0)
        spent = self._failed >= self._patience.tries or time.monotonic() + pause > self.deadline
        if spent or pause > max(self._patience.longest_wish, self._patience.longest_pause):
            raise interrupted.fault from interrupted.__cause__
        time.sleep(pause)


@dataclass
class Transport:
    """`base` is ``http(s)://HOST[:PORT]``. One for all threads."""

    base: str
    logins: Logins
    patience: Patience
    _basic: bool = False
    _tokens: dict[tuple[str, ...], Secret] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._session = requests.Session()
        self._session.trust_env = not is_loopback(urlsplit(self.base).hostname or "")
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(pool_connections=CONNECTIONS, pool_maxsize=CONNECTIONS))

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
        if response.status_code == 401 and (again := self._learn(response, tuple(scopes), login)):
            response.close()
            response = self._send(method, url, scopes, headers, body, stream, again)
        if response.status_code in expect:
            return response
        fault = _refusal(method, url, response)
        response.close()
        if response.status_code in _TRANSIENT:
            raise Interrupted(fault, _retry_after(response))
        raise fault

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
                auth=lambda prepared: self._authorise(prepared, tuple(scopes), login),
                timeout=(self.patience.connect, self.patience.silence),
                stream=stream,
            )
        except requests.RequestException as error:
            raise broken(method, url, error) from error

    def _authorise(
        self, prepared: requests.PreparedRequest, scopes: tuple[str, ...], login: Login
    ) -> requests.PreparedRequest:
        """A login leaves for the registry itself only, not for where an answer of its points to."""
        if urlsplit(str(prepared.url)).netloc == urlsplit(self.base).netloc:
            if token := self._tokens.get(scopes):
                prepared.headers["Authorization"] = f"Bearer {token.reveal()}"
            elif self._basic:
                _log_in(prepared, login)
        return prepared

    def _learn(self, response: requests.Response, scopes: tuple[str, ...], login: Login) -> Login | None:
        """With whom another try, as the challenge asked for it, makes sense; None when it does not."""
        challenge = response.headers.get("WWW-Authenticate", "")
        kind = challenge.partition(" ")[0].lower()
        if kind == "bearer":
            parameters = {name.lower(): value for name, value in _PARAMETER.findall(challenge)}
            return self._take_token(parameters, scopes, login)
        if kind != "basic" or not login.username:
            return None
        self._basic = True
        if "Authorization" not in response.request.headers:
            return login  # else another thread learned it meanwhile
        again = self.logins.after(login)
        return again if again != login else None

    def _take_token(self, parameters: Mapping[str, str], scopes: tuple[str, ...], login: Login) -> Login:
        """The login that the authorisation server took."""
        for is_last in (False, True):
            try:
                self._tokens[scopes] = self._fetch_token(parameters, scopes, login)
                break
            except _LoginRefused as error:
                again = self.logins.after(login)
                if is_last or again == login:
                    raise error.fault from None
                login = again
        return login

    def _fetch_token(self, parameters: Mapping[str, str], scopes: tuple[str, ...], login: Login) -> Secret:
        realm = parameters.get("realm", "")
        if urlsplit(realm).scheme not in {"https", urlsplit(self.base).scheme}:
            raise PlatformFault(f"the registry asks for a login at {printable(realm)}, which is not safe", hint=HINT)
        query = [("service", parameters["service"])] if "service" in parameters else []
        query += [("scope", scope) for scope in scopes]
        try:
            response = self._ask_for_token(realm, query, login)
        except requests.RequestException as error:
            raise broken("GET", realm, error) from error
        if response.status_code != 200:
            fault = _refusal(str(response.request.method), realm, response)
            if response.status_code in _TRANSIENT:
                raise Interrupted(fault, _retry_after(response))
            raise _LoginRefused(fault) if response.status_code in (401, 403) else fault
        with suppress(ValueError, AttributeError):
            answer = response.json()
            if token := answer.get("token") or answer.get("access_token"):
                return Secret(str(token))
        raise PlatformFault(f"{shown(realm)} gave no token", hint=HINT)

    def _ask_for_token(self, realm: str, query: Sequence[tuple[str, str]], login: Login) -> requests.Response:
        """By GET with the login; an identity token is changed by POST, as OAuth 2 refreshes (distribution, "oauth")."""
        timeout = (self.patience.connect, self.patience.silence)
        if not login.identity:
            return self._session.get(realm, params=query, auth=lambda each: _log_in(each, login), timeout=timeout)
        scopes = " ".join(value for name, value in query if name == "scope")
        form = {name: value for name, value in query if name == "service"} | {"scope": scopes, "client_id": "wherry"}
        form |= {"grant_type": "refresh_token", "refresh_token": login.password.reveal()}
        return self._session.post(realm, data=form, auth=lambda each: each, timeout=timeout)


class _LoginRefused(Exception):
    """By the authorisation server."""

    def __init__(self, fault: PlatformFault) -> None:
        super().__init__(str(fault))
        self.fault = fault


def _log_in(prepared: requests.PreparedRequest, login: Login) -> requests.PreparedRequest:
    """RFC 7617 in UTF-8, as engines do it."""
    if login.username:
        pair = f"{login.username}:{login.password.reveal()}".encode()
        prepared.headers["Authorization"] = "Basic " + base64.b64encode(pair).decode()
    return prepared


def parse(url: str) -> tuple[str, str]:
    """``scheme://host[:port]`` and the path prefix ("" or "team/x") of a registry's URL.

    Without a scheme it is https, and http for this machine itself. Raises InvalidInput outside the grammar.
    """
    try:
        host = urlsplit(f"//{url}").hostname or ""
        full = url if "://" in url else f"{'http' if is_loopback(host) else 'https'}://{url}"
        parts = urlsplit(full)
    except ValueError as error:
        raise InvalidInput(f"'{printable(url)}' is not a URL") from error
    prefix = parts.path.strip("/")
    good = (
        parts.scheme in {"http", "https"} and _HOST.fullmatch(parts.netloc) and (not prefix or NAME.fullmatch(prefix))
    )
    if not good or parts.query or parts.fragment:
        raise InvalidInput(f"'{shown(full)}' is not a registry's URL: http(s)://HOST[:PORT][/PREFIX]")
    return f"{parts.scheme}://{parts.netloc}", prefix


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def broken(method: str, url: str, error: Exception) -> Interrupted:
    """A connection that failed. Only the kind of the error is told: requests quotes URLs, with what is in them."""
    reason = type(error).__name__
    interrupted = Interrupted(
        PlatformFault(f"the registry does not answer: {method} {shown(url)}", evidence=[reason], hint=HINT)
    )
    interrupted.__cause__ = error
    return interrupted


def shown(url: str) -> str:
    """`url` for people: no login, no query (upload sessions carry their state there)."""
    parts = urlsplit(url)
    return printable(urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", "")), 300)


def _refusal(method: str, url: str, response: requests.Response) -> PlatformFault:
    first = ""
    with suppress(requests.RequestException):
        first = next(response.iter_content(2048), b"").split(b"\n")[0].decode("utf-8", "replace").strip()
    return PlatformFault(
        f"the registry answered {response.status_code} to {method} {shown(url)}",
        evidence=[printable(first, 300)] if first else [],
        hint=HINT,
    )


def _retry_after(response: requests.Response) -> float | None:
    text = response.headers.get("Retry-After", "")
    if text.isascii() and text.isdecimal():
        return float(text)
    with suppress(ValueError, TypeError):
        moment = email.utils.parsedate_to_datetime(text)
        return max(0.0, (moment.astimezone(UTC) - datetime.now(UTC)).total_seconds())
    return None
