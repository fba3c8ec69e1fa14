"""One commit's tree as a durable archive. The build's input is the tree itself: .gitattributes cannot leave a file
out, or write into one.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from wherry.domain import app_json
from wherry.domain.app_json import AppJson
from wherry.domain.errors import InvalidInput, PushRefused
from wherry.domain.model import Source
from wherry.domain.refs import SHA
from wherry.domain.text import printable
from wherry.schedules import CronCalendar
from wherry.sources import archive, git, quarantine
from wherry.sources.git import Conversation
from wherry.sources.links import check_links
from wherry.sources.policy import Limits
from wherry.sources.stable import replacing, used_at
from wherry.sources.tree import Entry, Kind, Tree, read_tree
from wherry.whole import fsync_path

LINK_BYTES = 4095  # the longest text of a link on Linux
KEEP = 3
KEEP_SECONDS = 3600.0
MOST_SHOWN = 5

_CHUNK = 1 << 16
_AHEAD = 256  # questions to git that are under way: they fit into its pipe, so that neither side waits for the other
_LFS = re.compile(rb"version https://git-lfs\.github\.com/spec/v1\n(?:.*\n)*oid sha256:[0-9a-f]{64}\nsize [0-9]+\n")
_LFS_BYTES = 1024


def export(repository: Path, archives: Path, commit: str, quarantined: Path | None, limits: Limits) -> Source:
    """As flow.ports.Sources.export. An archive that is there already is used again."""
    extra = quarantine.environment(repository, quarantined)
    with git.talk(git.command(repository, ["cat-file", "--batch-command"]), extra) as objects:
        tree_id = _tree_of(objects, commit)
        tree = _list(repository, tree_id, extra, limits)
        wishes = _wishes(objects, tree)
        targets = _targets(objects, tree)
        check_links(targets)
        path = archives / f"{tree_id}.tar"
        if not _use_again(path):
            archives.mkdir(mode=0o700, exist_ok=True)
            fsync_path(archives.parent)
            with replacing(path) as file:
                _write(objects, tree, targets, file)
    _forget(archives)
    return Source(commit, tree_id, str(path), (*_remarks(tree), *_some(wishes.notices)), wishes)


def _tree_of(objects: Conversation, commit: str) -> str:
    if SHA.fullmatch(commit) is None:
        raise PushRefused(f"{printable(commit)} is not the id of a commit")
    objects.ask.write(f"info {commit}\ninfo {commit}^{{tree}}\n".encode())
    objects.ask.flush()
    kind, tree_id = (_line(objects.answer).split() for _ in range(2))
    if kind[1] == b"missing":
        raise PushRefused(f"{commit[:7]} is not in this repository", hint="Push it: git push wherry main")
    if kind[1] != b"commit":
        raise PushRefused(
            f"{commit[:7]} is a {kind[1].decode()}, not a commit", hint="Push its commit: git push wherry TAG^{}:main"
        )
    return tree_id[0].decode()


def _list(repository: Path, tree_id: str, extra: Mapping[str, str], limits: Limits) -> Tree:
    asked = ["ls-tree", "-r", "-t", "-z", "-l", "--full-tree", tree_id]
    with git.talk(git.command(repository, asked), extra) as listing:
        return read_tree(iter(lambda: os.read(listing.answer.fileno(), _CHUNK), b""), limits)


def _wishes(objects: Conversation, tree: Tree) -> AppJson:
    """Of the app.json at the root. Raises PushRefused with every fault in it."""
    entry = next((each for each in tree.entries if each.path == app_json.NAME), None)
    if entry is None:
        return app_json.NOTHING
    if entry.kind not in (Kind.FILE, Kind.PROGRAM) or entry.size > app_json.MOST_BYTES:
        most = app_json.MOST_BYTES // 1024
        raise PushRefused(f"{app_json.NAME} is not a regular file of at most {most} KiB")
    ((_, chunks),) = [(each, b"".join(content)) for each, content in _contents(objects, [entry])]
    try:
        wishes = app_json.parse(chunks)
        _check_schedules(wishes)
    except InvalidInput as error:
        raise PushRefused(
            error.message, evidence=error.evidence, hint="What it may say: docs/app-contract.md"
        ) from error
    return wishes


def _check_schedules(wishes: AppJson) -> None:
    """The file's grammar knows their form only. Raises InvalidInput with every fault."""
    problems = []
    for place, task in enumerate(wishes.cron):
        try:
            CronCalendar().next_after(task.schedule, datetime.now(UTC))
        except InvalidInput as error:
            problems.append(f"{app_json.NAME}: cron[{place}].schedule: {error.message}")
    if problems:
        raise InvalidInput("app.json cannot be used", problems=problems)


def _targets(objects: Conversation, tree: Tree) -> dict[str, str]:
    links = [entry for entry in tree.entries if entry.kind is Kind.LINK]
    for link in links:
        if not 0 < link.size <= LINK_BYTES:
            raise PushRefused(f"the symbolic link {printable(link.path)} is not a link's text ({link.size} bytes)")
    return {link.path: _target(link, b"".join(chunks)) for link, chunks in _contents(objects, links)}


def _target(link: Entry, raw: bytes) -> str:
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise PushRefused(f"the symbolic link {printable(link.path)} does not lead to a UTF-8 path") from error
    if "\0" in text:
        raise PushRefused(f"the symbolic link {printable(link.path)} has a NUL in its text")
    return text


def _write(objects: Conversation, tree: Tree, targets: Mapping[str, str], file: IO[bytes]) -> None:
    contents = _contents(objects, [entry for entry in tree.entries if entry.kind in (Kind.FILE, Kind.PROGRAM)])
    pointers: list[str] = []
    for entry in tree.entries:
        if entry.kind in (Kind.FOLDER, Kind.LINK):
            file.write(archive.header(entry, targets.get(entry.path, "")))
            continue
        _, chunks = next(contents)
        archive.write_file(file, entry, _watched(entry, chunks, pointers) if entry.size <= _LFS_BYTES else chunks)
    if pointers:
        raise PushRefused(
            "this tree has Git LFS pointers instead of the files themselves, and LFS is not supported",
            evidence=_some(pointers),
            hint="Put the files into git: git lfs migrate export --include=PATH",
        )
    archive.finish(file)


def _watched(entry: Entry, chunks: Iterator[bytes], pointers: list[str]) -> Iterator[bytes]:
    content = b"".join(chunks)
    if content.startswith(b"version https://git-lfs") and _LFS.fullmatch(content):
        pointers.append(printable(entry.path))
    yield content


def _contents(objects: Conversation, entries: Sequence[Entry]) -> Iterator[tuple[Entry, Iterator[bytes]]]:
    """Each entry with its bytes, which must be read before the next is asked for."""
    for start in range(0, len(entries), _AHEAD):
        some = entries[start : start + _AHEAD]
        objects.ask.write("".join(f"contents {entry.object_id}\n" for entry in some).encode())
        objects.ask.flush()
        for entry in some:
            if _line(objects.answer).split() != [entry.object_id.encode(), b"blob", str(entry.size).encode()]:
                raise EOFError(entry.object_id)
            yield entry, _bytes(objects.answer, entry.size)
            if objects.answer.read(1) != b"\n":
                raise EOFError(entry.object_id)


def _bytes(answer: IO[bytes], size: int) -> Iterator[bytes]:
    while size:
        chunk = answer.read(min(size, _CHUNK))
        if not chunk:
            raise EOFError
        size -= len(chunk)
        yield chunk


def _line(answer: IO[bytes]) -> bytes:
    line = answer.readline(4096)
    if not line.endswith(b"\n"):
        raise EOFError
    return line


def _use_again(path: Path) -> bool:
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


def _forget(archives: Path) -> None:
    """Keeps the newest few, and all that a push under way may still be about to queue."""
    aged = sorted(((used_at(path), path) for path in archives.glob("*.tar")), reverse=True)
    for used, path in aged[KEEP:]:
        if used < time.time() - KEEP_SECONDS:
            path.unlink(missing_ok=True)


def _remarks(tree: Tree) -> tuple[str, ...]:
    lines = [f"{printable(path)} is a submodule: not fetched, and not part of the build." for path in tree.submodules]
    return _some(lines)


def _some(lines: Sequence[str]) -> tuple[str, ...]:
    left = len(lines) - MOST_SHOWN
    return (*lines[:MOST_SHOWN], *([f"… and {left} more"] if left > 0 else []))
