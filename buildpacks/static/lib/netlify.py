"""Netlify's _headers and _redirects: the part of them that a server of files alone can do. The rest is refused, each
line with its number.
"""

from __future__ import annotations

import re
from pathlib import Path

import paths
from talk import Refusal, shown
from website import Header, Rule

REDIRECTS = (301, 302, 307, 308)
STATUSES = (200, *REDIRECTS, 404)
_STATUS = re.compile(r"([0-9]{3})(!?)")
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")
_OWN = {
    *("connection", "content-encoding", "content-length", "date", "etag", "keep-alive", "last-modified", "location"),
    *("server", "set-cookie", "trailer", "transfer-encoding", "upgrade", "vary"),
}
"""What the server itself says (or, a cookie for everybody, no file may)."""


class Fault(Exception):
    """What is wrong with a line."""


def read_headers(root: Path) -> list[Header]:
    """Raises Refusal with every line that cannot be."""
    headers, problems, pattern = [], [], ""
    for number, line in _lines(root, "_headers"):
        try:
            if line[0] not in " \t":
                pattern = _header_path(line)
            else:
                headers.append(Header(pattern, *header_of(line)))
        except Fault as fault:
            problems.append(f"_headers:{number}: {fault}")
    if headers and not headers[0].pattern:
        problems.insert(0, "_headers: a header stands before the first path")
    if problems:
        raise Refusal(
            "_headers cannot be read",
            problems,
            "A path stands alone on its line, its headers below it, indented: Name: value",
        )
    return headers


def header_of(line: str) -> tuple[str, str]:
    """Raises Fault."""
    name, colon, value = (part.strip() for part in line.partition(":"))
    if not colon or not _NAME.fullmatch(name):
        raise Fault(f"{shown(line.strip())!r} is no header (Name: value)")
    if name.lower() in _OWN:
        raise Fault(f"the server sets {name} itself")
    if not value or not value.isprintable():
        raise Fault(f"{name} has no value that can be sent")
    return name, value


def read_redirects(root: Path) -> list[Rule]:
    """Raises Refusal with every line that cannot be."""
    rules, problems = [], []
    for number, line in _lines(root, "_redirects"):
        try:
            rules.append(_rule(line.split(), root))
        except (Fault, ValueError) as fault:
            problems.append(f"_redirects:{number}: {fault}")
    if problems:
        raise Refusal(
            "_redirects cannot be read",
            problems,
            "A line is: /from /to 301. What is taken: the README of the buildpack",
        )
    return rules


def _lines(root: Path, name: str) -> list[tuple[int, str]]:
    file = root / name
    if not file.is_file():
        return []
    try:
        text = file.read_text("utf-8-sig")
    except ValueError:
        raise Refusal(f"{name} is not UTF-8 text") from None
    lines = [(number, line.rstrip()) for number, line in enumerate(text.split("\n"), 1)]
    return [(number, line) for number, line in lines if line and not line.lstrip().startswith("#")]


def _header_path(line: str) -> str:
    if not line.startswith("/"):
        raise Fault(f"{shown(line)!r} is no path of this site")
    return paths.anywhere(line)


def _rule(words: list[str], root: Path) -> Rule:
    if "#" in words:
        words = words[: words.index("#")]
    path, *rest = words
    if not path.startswith("/"):
        raise Fault(f"{shown(path)!r} is no path of this site")
    if not rest or not rest[0].startswith(("/", "https://", "http://")):
        condition = bool(rest) and "=" in rest[0]
        raise Fault("conditions (query parameters) are not taken" if condition else "no path or address to lead to")
    to, *rest = rest
    match = _STATUS.fullmatch(rest[0]) if rest else None
    status, force = (int(match[1]), bool(match[2])) if match else (301, False)
    if match:
        rest = rest[1:]
    if rest:
        condition = "=" in rest[0]
        what = f"conditions are not taken: {shown(rest[0])}" if condition else f"{shown(rest[0])!r} is no status"
        raise Fault(what)
    return rule(path, to, status, force, root)


def rule(path: str, to: str, status: int, force: bool, root: Path) -> Rule:
    """Raises Fault, ValueError."""
    if status not in STATUSES:
        raise Fault(f"status {status} is not taken: have {', '.join(map(str, STATUSES))}")
    if not to.isprintable() or not path.isprintable():
        raise Fault("a character that cannot be sent")
    if status not in REDIRECTS:
        if not to.startswith("/"):
            raise Fault("another site's pages are not fetched (no proxy): name a file, or status 301 or 302")
        if re.search(r"[?#]", to):
            raise Fault("a file has no ? and no #")
        to = _file(to, root)
    elif to.startswith("//"):
        raise Fault("// names no path of this site")
    raw, pattern = paths.raw_and_decoded(path)
    return Rule(raw, pattern, paths.target(to, path), status, force)


def _file(to: str, root: Path) -> str:
    """The file that a path means, when nothing of it is taken from what is asked for."""
    if re.search(":[A-Za-z]", to):
        return to
    for name in (to, f"{to}.html", f"{to.rstrip('/')}/index.html"):
        if (root / name.lstrip("/")).is_file():
            return name
    raise Fault(f"there is no file {shown(to)}")
