"""The user's netrc, which curl and git read too: the password of the platform's host is its token."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from wherry.cli.errors import Usage
from wherry.domain.secret import Secret


def token_for(environ: Mapping[str, str], url: str) -> tuple[Secret, Path] | None:
    """The token of `machine HOST:PORT`, else of `machine HOST`, and the file; None where there is none. Never that of
    `default`, which would go to any host. Raises Usage when it cannot be read, or others can read it.
    """
    import netrc  # only where it is needed: starting is to be quick

    path = Path(environ["NETRC"]) if environ.get("NETRC") else Path.home() / ".netrc"
    parts = urlsplit(url)
    try:
        hosts = netrc.netrc(str(path)).hosts
        known = hosts.get(parts.netloc.lower()) or hosts.get(parts.hostname or "")
        mode = path.stat()
    except FileNotFoundError:
        return None
    except netrc.NetrcParseError as error:  # its message may hold a password
        raise Usage(f"{path} cannot be read", evidence=[f"line {error.lineno} is not of a netrc file"]) from None
    except (OSError, UnicodeError) as error:
        raise Usage(f"{path} cannot be read", evidence=[type(error).__name__]) from None
    if known is None or not known[2]:
        return None
    if stat.S_IMODE(mode.st_mode) & 0o077:
        raise Usage(f"{path} holds a token, and others can read it", hint=f"Keep it for yourself: chmod 600 {path}")
    if mode.st_uid not in (os.geteuid(), 0):
        raise Usage(f"{path} belongs to another user", hint="Make it your own, or log in: wherry login")
    return Secret(known[2]), path
