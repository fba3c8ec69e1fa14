"""Who we are at a registry: a fixed login, or one that a credential helper gives for some hours (ECR, Artifact Registry,
ACR). Helpers speak Docker's protocol, so every vendor's own works: the program ``docker-credential-NAME``, called with
``get``, reads the registry's host and writes ``{"Username": …, "Secret": …}``.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from dataclasses import dataclass, field
from threading import Lock
from typing import Protocol

from wherry.domain.errors import PlatformFault
from wherry.domain.secret import Secret
from wherry.domain.text import printable

HELPER = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
FRESH = 300.0
"""Seconds that a helper's answer is used without asking again; the shortest lives of such logins are an hour."""
_PATIENCE = 30.0
_IDENTITY = "<token>"


@dataclass(frozen=True, slots=True)
class Login:
    """No username: none. `identity`: the password is an identity token, to be changed for access tokens (OAuth 2)."""

    username: str = ""
    password: Secret = field(default_factory=lambda: Secret(""))

    @property
    def identity(self) -> bool:
        return self.username == _IDENTITY


class Logins(Protocol):
    def current(self) -> Login:
        """Raises PlatformFault when none can be had."""

    def after(self, refused: Login) -> Login:
        """Another login than `refused`, where there can be one; else the same."""


@dataclass(frozen=True, slots=True)
class FixedLogin:
    login: Login = field(default_factory=Login)

    def current(self) -> Login:
        return self.login

    def after(self, refused: Login) -> Login:
        return self.login


class HelperLogin:
    """`name`: of the helper, as in Docker's `credsStore`; `host`: of the registry. One for all threads."""

    def __init__(self, name: str, host: str, fresh: float = FRESH) -> None:
        self._program = f"docker-credential-{name}"
        self._host = host
        self._fresh = fresh
        self._lock = Lock()
        self._login: Login | None = None
        self._asked = 0.0

    def current(self) -> Login:
        with self._lock:
            if self._login is None or time.monotonic() - self._asked > self._fresh:
                self._login = self._ask()
            return self._login

    def after(self, refused: Login) -> Login:
        with self._lock:
            if self._login is None or self._login == refused:
                self._login = self._ask()
            return self._login

    def _ask(self) -> Login:
        try:
            done = subprocess.run(
                [self._program, "get"], input=self._host.encode(), capture_output=True, timeout=_PATIENCE, check=False
            )
        except FileNotFoundError:
            raise self._fault("is not installed", []) from None
        except (OSError, subprocess.TimeoutExpired) as error:
            raise self._fault(f"did not answer ({type(error).__name__})", []) from error
        if done.returncode:
            said = (done.stdout or done.stderr).decode(errors="replace").strip()
            raise self._fault(f"ended with {done.returncode}", [printable(said, 300)] if said else [])
        try:
            answer = json.loads(done.stdout)
            login = Login(str(answer["Username"]), Secret(str(answer["Secret"])))
        except (ValueError, TypeError, KeyError):
            raise self._fault("gave no login", []) from None
        self._asked = time.monotonic()
        return login

    def _fault(self, what: str, evidence: list[str]) -> PlatformFault:
        return PlatformFault(
            f"the registry's credential helper {self._program} {what}",
            evidence=evidence,
            hint=f"To see for yourself: echo {self._host} | {self._program} get",
        )
