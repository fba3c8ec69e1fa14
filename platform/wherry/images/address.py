"""Where a registry is: its URL as an operator writes it, and as people may see it."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit, urlunsplit

from wherry.domain.errors import InvalidInput
from wherry.domain.text import printable

NAME = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*")
"""A repository's name (distribution spec, "Pulling manifests")."""

_HOST = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?")


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


def shown(url: str) -> str:
    """`url` for people: no login, no query (upload sessions carry their state there)."""
    parts = urlsplit(url)
    return printable(urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", "")), 300)
