"""The git repository that we stand in: its remotes, and the credential helper that gives git our token."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from wherry.cli.errors import Usage
from wherry.cli.places import config_folder, write_private
from wherry.domain.names import APP_NAME
from wherry.domain.secret import Secret
from wherry.domain.text import printable

REMOTE = "wherry"
_REMOTE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_URL = re.compile(r"(?:https?|ssh)://\S+/([^/]+)\.git/?")


def inside() -> bool:
    return _git("rev-parse", "--git-dir") is not None


def head() -> str | None:
    """The commit of HEAD; None outside of a repository, or before its first commit."""
    return _git("rev-parse", "--verify", "--quiet", "HEAD^{commit}")


def committed(name: str) -> str | None:
    """The text of a file at the root of HEAD; None where there is none."""
    return _git("cat-file", "blob", f"HEAD:{name}")


def uncommitted() -> bool:
    return bool(_git("status", "--porcelain", "--untracked-files=no"))


def app_of(remote: str) -> str | None:
    """The app that a remote's URL names; None without such a remote, or outside of a repository."""
    url = url_of(remote)
    match = _URL.fullmatch(url) if url else None
    return match[1] if match and APP_NAME.fullmatch(match[1]) else None


def url_of(remote: str) -> str | None:
    return _git("config", "--get", f"remote.{_checked(remote)}.url")


def set_remote(remote: str, url: str) -> None:
    known = url_of(remote) is not None
    _must("remote", "set-url" if known else "add", _checked(remote), url)


def remotes() -> list[str]:
    return (_git("remote") or "").split()


def remotes_to(url: str) -> list[str]:
    listed = _git("config", "--get-regexp", r"^remote\..*\.url$") or ""
    pairs = [line.split(" ", 1) for line in listed.split("\n") if " " in line]
    return [key.removeprefix("remote.").removesuffix(".url") for key, value in pairs if value == url]


def remove_remote(remote: str) -> None:
    _must("remote", "remove", _checked(remote))


def hand_token_to_git(environ: Mapping[str, str], git_url: str, token: Secret) -> None:
    """git asks its own store, in a file of ours that only its owner reads; for this repository and this platform."""
    parts = urlsplit(git_url)
    site = f"{parts.scheme}://{parts.netloc}"
    path = _credentials(environ)
    _remember(path, f"{parts.scheme}://{REMOTE}:{quote(token.reveal(), safe='')}@", parts.netloc)
    helper = f"store --file={shlex.quote(str(path))}"
    _must("config", "--local", "--replace-all", f"credential.{site}.helper", helper)


def take_token_from_git(environ: Mapping[str, str]) -> None:
    """Of every platform: who logs out here wants none of them to be open any more."""
    _credentials(environ).unlink(missing_ok=True)


def _credentials(environ: Mapping[str, str]) -> Path:
    return config_folder(environ) / "git-credentials"


def _remember(path: Path, login: str, host: str) -> None:
    """git writes a line again after it worked, and then quotes the colon before a port."""
    lines = path.read_text(encoding="utf-8").split("\n") if path.exists() else []
    kept = [line for line in lines if line and unquote(urlsplit(line).netloc.rpartition("@")[2]) != host]
    write_private(path, "\n".join([*kept, login + host]) + "\n")


def _checked(remote: str) -> str:
    if not _REMOTE_NAME.fullmatch(remote):
        raise Usage(f"'{printable(remote, 60)}' is not a name for a remote")
    return remote


def _git(*args: str) -> str | None:
    """Its output; None when it says no, or is not there."""
    try:
        done = subprocess.run(
            ["git", *args],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
    except OSError:
        return None
    return done.stdout.strip("\n") if done.returncode == 0 else None


def _must(*args: str) -> None:
    if _git(*args) is None:
        raise Usage(f"git could not do this: {shlex.join(('git', *args))}", hint="Are you in a git repository?")
