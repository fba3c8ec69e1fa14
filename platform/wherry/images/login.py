"""Logging in to a registry as its challenge asks: none, Basic, or a Bearer token for a scope, fetched again once when the
registry takes it no longer (distribution spec, "token"). A login that was refused is asked for anew once, for those that
last some hours.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import requests

from wherry.domain.errors import PlatformFault
from wherry.domain.secret import Secret
from wherry.domain.text import printable
from wherry.images.address import shown
from wherry.images.failures import HINT, broken, refused
from wherry.images.patience import Interrupted
from wherry.logins import Login, Logins

_PARAMETER = re.compile(r'([A-Za-z_]+)="([^"]*)"')


@dataclass
class Authenticator:
    """What each request to the registry at `base` bears, and what its challenges teach. One for all threads; a thread
    that comes too late with an old token asks for another one.
    """

    base: str
    logins: Logins
    session: requests.Session
    timeout: tuple[float, float]
    """Seconds to connect, and of silence."""
    _basic: bool = False
    _tokens: dict[tuple[str, ...], Secret] = field(default_factory=dict)

    def authorise(
        self, prepared: requests.PreparedRequest, scopes: tuple[str, ...], login: Login
    ) -> requests.PreparedRequest:
        """A login leaves for the registry itself only, not for where an answer of its points to."""
        if urlsplit(str(prepared.url)).netloc == urlsplit(self.base).netloc:
            if token := self._tokens.get(scopes):
                prepared.headers["Authorization"] = f"Bearer {token.reveal()}"
            elif self._basic:
                _log_in(prepared, login)
        return prepared

    def learn(self, response: requests.Response, scopes: tuple[str, ...], login: Login) -> Login | None:
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
                    raise error.why from None
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
            why = refused(str(response.request.method), realm, response)
            raise _LoginRefused(why) if response.status_code in (401, 403) else why
        with suppress(ValueError, AttributeError):
            answer = response.json()
            if token := answer.get("token") or answer.get("access_token"):
                return Secret(str(token))
        raise PlatformFault(f"{shown(realm)} gave no token", hint=HINT)

    def _ask_for_token(self, realm: str, query: Sequence[tuple[str, str]], login: Login) -> requests.Response:
        """By GET with the login; an identity token is changed by POST, as OAuth 2 refreshes (distribution, "oauth")."""
        if not login.identity:
            return self.session.get(realm, params=query, auth=lambda each: _log_in(each, login), timeout=self.timeout)
        scopes = " ".join(value for name, value in query if name == "scope")
        form = {name: value for name, value in query if name == "service"} | {"scope": scopes, "client_id": "wherry"}
        form |= {"grant_type": "refresh_token", "refresh_token": login.password.reveal()}
        return self.session.post(realm, data=form, auth=lambda each: each, timeout=self.timeout)


class _LoginRefused(Exception):
    """By the authorisation server."""

    def __init__(self, why: PlatformFault | Interrupted) -> None:
        super().__init__(str(why))
        self.why = why


def _log_in(prepared: requests.PreparedRequest, login: Login) -> requests.PreparedRequest:
    """RFC 7617 in UTF-8, as engines do it."""
    if login.username:
        pair = f"{login.username}:{login.password.reveal()}".encode()
        prepared.headers["Authorization"] = "Basic " + base64.b64encode(pair).decode()
    return prepared
