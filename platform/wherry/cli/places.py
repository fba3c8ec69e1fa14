"""Where the platform is and what opens it: from the environment, a stored login, or this machine's own platform."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from wherry.cli.errors import Usage
from wherry.cli.netrc_file import token_for
from wherry.domain.errors import WherryError
from wherry.domain.secret import Secret

_LINK = re.compile(r"(https?://[A-Za-z0-9.\-\[\]:]+)/login\?token=([A-Za-z0-9_-]{20,200})")
_URL = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+(/[A-Za-z0-9._~/-]*)?")


@dataclass(frozen=True)
class Endpoint:
    """`url` has no slash at its end; `found` says where both came from."""

    url: str
    token: Secret
    found: str


def config_folder(environ: Mapping[str, str]) -> Path:
    """XDG's config folder for us; absolute, since a relative value is to be ignored by its specification."""
    given = environ.get("XDG_CONFIG_HOME", "")
    return (Path(given) if given.startswith("/") else Path.home() / ".config") / "wherry"


def home_folder(environ: Mapping[str, str]) -> Path:
    """The data folder of this machine's own platform."""
    if given := environ.get("WHERRY_HOME"):
        return Path(given).absolute()
    return Path("/var/lib/wherry") if os.geteuid() == 0 else Path.home() / ".local/share/wherry"


def endpoint(environ: Mapping[str, str], api: str | None = None) -> Endpoint:
    """Raises Usage when there is none, or one is given by half or wrongly."""
    if api or environ.get("WHERRY_API_URL"):
        return _given(environ, api or environ["WHERRY_API_URL"])
    return _stored(environ) or _own(environ) or _nowhere()


def store(environ: Mapping[str, str], url: str, token: Secret) -> Path:
    path = config_folder(environ) / "login.json"
    write_private(path, json.dumps({"api": url, "token": token.reveal()}) + "\n")
    return path


def forget(environ: Mapping[str, str]) -> bool:
    """False when there was no login."""
    path = config_folder(environ) / "login.json"
    there = path.exists()
    path.unlink(missing_ok=True)
    return there


def write_private(path: Path, text: str) -> None:
    """Readable by its owner only, whole or not at all; in a folder that is made so too."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)


def checked(url: str) -> str:
    """Raises Usage."""
    if not _URL.fullmatch(url):
        raise Usage("the API's URL is not http(s)://HOST[:PORT]", hint="For example: http://localhost:8301")
    return url.rstrip("/")


def login_link(url: str) -> tuple[str, str] | None:
    """The platform's URL and the link's own token, of an URL that is a login link."""
    match = _LINK.fullmatch(url)
    return (match[1], match[2]) if match else None


def _given(environ: Mapping[str, str], url: str) -> Endpoint:
    """The token of a stored login or of this machine goes to the URL that it belongs to only, one of netrc to its host."""
    url = checked(url)
    if token := environ.get("WHERRY_API_KEY"):
        return Endpoint(url, Secret(token.strip()), "WHERRY_API_URL and WHERRY_API_KEY")
    for found in (_stored(environ), _own(environ)):
        if found and found.url == url:
            return found
    of_netrc, path = token_for(environ, url) or (Secret(""), "WHERRY_API_URL")
    return Endpoint(url, of_netrc, str(path))


def _stored(environ: Mapping[str, str]) -> Endpoint | None:
    path = config_folder(environ) / "login.json"
    try:
        login = json.loads(path.read_text(encoding="utf-8"))
        return Endpoint(checked(login["api"]), _key(environ, login["token"]), str(path))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, WherryError):
        raise Usage(f"{path} cannot be read", hint="Log in again: wherry login") from None


def _own(environ: Mapping[str, str]) -> Endpoint | None:
    home = home_folder(environ)
    try:
        url = checked(json.loads((home / "run" / "status.json").read_text(encoding="utf-8"))["api"])
        token = (home / "secrets" / "admin-token").read_text(encoding="utf-8").strip()
    except (OSError, ValueError, KeyError, TypeError, WherryError):
        return None  # no platform here, or not ours to read: the caller says what to do
    return Endpoint(url, _key(environ, token), str(home))


def _key(environ: Mapping[str, str], token: str) -> Secret:
    return Secret(environ.get("WHERRY_API_KEY", "").strip() or token)


def _nowhere() -> Endpoint:
    raise Usage(
        "no platform is known here",
        hint="To start one on this machine: wherry up; to use another: wherry login http://HOST:PORT",
    )
