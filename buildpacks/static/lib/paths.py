"""Paths with * and :name, as regular expressions for nginx (PCRE)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote, unquote

_PLACEHOLDER = re.compile(r":([A-Za-z][A-Za-z0-9_]{0,25})")
_KEPT = "/!$&'()+,;=@~-._*:"


def raw_and_decoded(path: str) -> tuple[str, str]:
    """For a path of _redirects: * as its last part stands for the rest, :name for one part. Raises ValueError."""
    if "*" in path[:-1] or (path.endswith("*") and not path.endswith("/*")):
        raise ValueError("* stands at the end only, after a slash")
    names = _PLACEHOLDER.findall(path)
    if len(set(names)) < len(names) or "splat" in names:
        raise ValueError("a placeholder stands twice")
    decoded = unquote(path)
    return _pattern(quote(decoded, safe=_KEPT)), _pattern(decoded)


def target(text: str, path: str) -> str:
    """`text` with nginx's variables for what `path` captures. Raises ValueError."""
    names = {*_PLACEHOLDER.findall(path), *(["splat"] if path.endswith("*") else [])}
    if ":splat" in text and "splat" not in names:
        raise ValueError(":splat needs a * in the path")
    host = re.match(r"https?://[^/?#]*", text)
    if host and any(name in names for name in _PLACEHOLDER.findall(host[0].partition("//")[2])):
        raise ValueError("a host cannot be taken from the path")
    parts = _PLACEHOLDER.split(text)
    made = [parts[0].replace("$", "${dollar}")]
    for name, rest in zip(parts[1::2], parts[2::2], strict=True):
        made.append((f"${{p_{name}}}" if name in names else f":{name}") + rest.replace("$", "${dollar}"))
    return "".join(made)


def anywhere(path: str) -> str:
    """For a path of _headers: * stands for anything, :name for one part."""
    parts = re.split(r"(\*|:[A-Za-z][A-Za-z0-9_]*)", unquote(path))
    return _whole(".*" if part == "*" else "[^/]+" if re.match(":.", part) else re.escape(part) for part in parts)


def heroku(path: str) -> str:
    """For a path of static.json: ** stands for anything, * for a part of one."""
    parts = re.split(r"(\*\*|\*)", path if path.startswith("/") else f"/{path}")
    return _whole({"**": ".*", "*": "[^/]*"}.get(part, re.escape(part)) for part in parts)


def _whole(parts: Iterable[str]) -> str:
    """(?s): a dot is any character, even a line's end that somebody asks for."""
    return f"(?s)^{''.join(parts)}$"


def _pattern(path: str) -> str:
    """What is captured never begins with a slash: put behind one it would name a host."""
    splat = path.endswith("/*")
    parts = _PLACEHOLDER.split(path.removesuffix("/*") if splat else path.rstrip("/"))
    made = [re.escape(parts[0])]
    for name, rest in zip(parts[1::2], parts[2::2], strict=True):
        made.append(rf"(?<p_{name}>[^/\\]+){re.escape(rest)}")
    return _whole([*made, r"(?:[/\\]+(?<p_splat>.*))?" if splat else "/?"])
