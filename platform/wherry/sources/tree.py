"""What a pushed tree may look like: read as git lists it, refused at the first entry that goes too far, before any
file is read. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from wherry.domain.errors import PushRefused
from wherry.domain.text import printable
from wherry.sources.policy import MIB, Limits

MOST_LINKS = 10_000

_RECORD = re.compile(rb"([0-7]{6}) [a-z]+ ([0-9a-f]{40}) +(-|[0-9]+)\t(.+)", re.DOTALL)
_CONTROL = re.compile(rb"[\x00-\x1f\x7f\\]")
# Among the parts of a path: nothing, ".", "..", ".git", or more than the 255 bytes that Linux takes.
_NO_NAME = re.compile(rb"(?:^|/)(?:\.{0,2}|\.git|[^/]{256,})(?=/|$)", re.IGNORECASE)
_LONGEST_RECORD = 128 * 1024


class Kind(StrEnum):
    FILE = "100644"
    PROGRAM = "100755"
    LINK = "120000"
    FOLDER = "040000"
    SUBMODULE = "160000"


_KINDS = {kind.encode(): kind for kind in Kind}


@dataclass(frozen=True, slots=True)
class Entry:
    kind: Kind
    object_id: str
    size: int
    path: str


@dataclass(slots=True)
class Tree:
    """Entries in git's order, a folder before what is in it. `submodules` are paths, left out of the entries."""

    entries: list[Entry] = field(default_factory=list)
    submodules: list[str] = field(default_factory=list)


def read_tree(chunks: Iterable[bytes], limits: Limits) -> Tree:
    """The tree from the output of `git ls-tree -r -t -z -l`.

    Raises PushRefused for too many entries, bytes, links or levels, and for a path that cannot be a file's; EOFError
    for what git does not list.
    """
    tree = Tree()
    paths: set[str] = set()
    size = links = 0
    for record in _records(chunks):
        entry = _entry(record, limits)
        if entry.kind is Kind.SUBMODULE:
            tree.submodules.append(entry.path)
        else:
            tree.entries.append(entry)
        size += entry.size
        links += entry.kind is Kind.LINK
        _check_totals(len(tree.entries) + len(tree.submodules), size, links, limits)
        if entry.path in paths:
            raise PushRefused(f"this tree has two entries named {printable(entry.path)}")
        paths.add(entry.path)
    if all(entry.kind is Kind.FOLDER for entry in tree.entries):
        raise PushRefused("nothing to build: the commit that was pushed has no files", hint="Commit your app first.")
    return tree


def _records(chunks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *records, rest = (rest + chunk).split(b"\0")
        yield from records
        if len(rest) > _LONGEST_RECORD:
            raise PushRefused(f"this tree has a path longer than any file's: {printable(rest[60:160])}…")


def _entry(record: bytes, limits: Limits) -> Entry:
    match = _RECORD.fullmatch(record)
    if match is None:
        raise EOFError(printable(record))  # git has no size for an object that it cannot read
    mode, object_id, size, path = match.groups()
    kind = _KINDS.get(mode, Kind.SUBMODULE)  # neither file, link nor folder: nothing of it could be built
    return Entry(kind, object_id.decode(), 0 if size == b"-" else int(size), _path(path, limits))


def _path(raw: bytes, limits: Limits) -> str:
    """Names that only trouble Windows (CON, a dot at the end) are a Linux file's names, and stay."""
    if len(raw) > limits.path:
        raise PushRefused(f"a path of {len(raw)} bytes is too long, the most is {limits.path}: {printable(raw)}")
    if raw.count(b"/") >= limits.depth:
        raise PushRefused(f"this tree is more than {limits.depth} folders deep: {printable(raw)}")
    if _CONTROL.search(raw):
        raise PushRefused(f"a path with a control character or a backslash cannot be built: {printable(raw)}")
    if _NO_NAME.search(raw):
        raise PushRefused(f"a path that cannot be a file's: {printable(raw)}")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise PushRefused(f"a path that is not UTF-8 cannot be built: {printable(raw)}") from error


def _check_totals(entries: int, size: int, links: int, limits: Limits) -> None:
    hint = "Leave out what is built or downloaded (node_modules, .venv): git rm -r --cached FOLDER"
    if entries > limits.files:
        raise PushRefused(f"this tree has more than {limits.files} files and folders, the most there may be", hint=hint)
    if size > limits.tree:
        raise PushRefused(f"this tree is larger than {limits.tree // MIB} MiB, the most there may be", hint=hint)
    if links > MOST_LINKS:
        raise PushRefused(f"this tree has more than {MOST_LINKS} symbolic links, the most there may be", hint=hint)
