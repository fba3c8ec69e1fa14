"""An archive that somebody uploads becomes a commit: nothing of it is ever written as a file. What may be in it is
judged when its tree is exported, as after a push; here, what only an archive can have.
"""

from __future__ import annotations

import lzma
import secrets
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from wherry.domain.errors import InvalidInput
from wherry.domain.text import printable
from wherry.sources import git
from wherry.sources.policy import MIB, Limits

_CHUNK = 1 << 16
_MOST_SHOWN = 20
_KINDS = {
    tarfile.LNKTYPE: "a hard link",
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.FIFOTYPE: "a fifo",
    tarfile.GNUTYPE_SPARSE: "a sparse file",
}

Files = list[tuple[str, tarfile.TarInfo]]


@contextmanager
def take_in(repository: Path, archive: Path, message: str, limits: Limits) -> Iterator[str]:
    """The commit, which a ref holds until the block ends.

    Raises InvalidInput for what is no tar archive, and with every entry that is no file, folder or symbolic link below
    the archive's own root (security.md B80, B81).
    """
    ref = f"refs/wherry/uploads/{secrets.token_hex(8)}"
    try:
        yield _commit(repository, archive, ref, message, limits)
    finally:
        git.run(git.command(repository, ["update-ref", "-d", ref]))


def _commit(repository: Path, archive: Path, ref: str, message: str, limits: Limits) -> str:
    with _opened(archive) as tar:
        files = _files(tar, limits)
        argv = git.command(repository, ["fast-import", "--quiet", "--done"])
        with git.talk(argv) as importer:
            text = message.encode("utf-8", "backslashreplace")
            importer.ask.write(f"commit {ref}\nmark :1\ncommitter wherry <wherry@localhost> 0 +0000\n".encode())
            importer.ask.write(b"data %d\n%s\n" % (len(text), text))
            for path, member in files:
                _write(importer.ask, tar, path, member)
            importer.ask.write(b"get-mark :1\ndone\n")
            importer.ask.flush()
            commit = importer.answer.readline(100).decode().strip()
            if not commit:
                raise EOFError
        return commit


def _write(ask: IO[bytes], tar: tarfile.TarFile, path: str, member: tarfile.TarInfo) -> None:
    """One line of git-fast-import(1)'s filemodify, and the content."""
    quoted = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").encode("utf-8", "surrogateescape")
    mode = b"120000" if member.issym() else b"100755" if member.mode & 0o111 else b"100644"
    ask.write(b'M %s inline "%s"\n' % (mode, quoted))
    if member.issym():
        target = member.linkname.encode("utf-8", "surrogateescape")
        ask.write(b"data %d\n%s\n" % (len(target), target))
        return
    ask.write(b"data %d\n" % member.size)
    content = tar.extractfile(member)
    left = member.size
    while content and left:
        chunk = content.read(min(left, _CHUNK))
        if not chunk:
            break
        ask.write(chunk)
        left -= len(chunk)
    if left:
        raise InvalidInput(f"the archive ends inside {printable(path)}")
    ask.write(b"\n")


@contextmanager
def _opened(archive: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(archive, "r:*") as tar:
            yield tar
    except (tarfile.TarError, EOFError, OSError, zlib.error, lzma.LZMAError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise InvalidInput(
            f"the upload is no tar archive that can be read: {printable(str(error), 200)}",
            hint="Make one with: tar -czf source.tgz -C FOLDER .",
        ) from error


def _files(tar: tarfile.TarFile, limits: Limits) -> Files:
    """Files and links by their paths, the last one of a name. One folder around all of it is taken off."""
    found: dict[str, tarfile.TarInfo] = {}
    problems: list[str] = []
    size = entries = 0
    for member in tar:
        entries, size = entries + 1, size + member.size
        if entries > limits.files:
            raise InvalidInput(f"the archive has more than {limits.files} entries, the most there may be")
        if size > limits.tree:
            raise InvalidInput(f"the archive is larger than {limits.tree // MIB} MiB unpacked, the most there may be")
        path = member.name.removeprefix("./").rstrip("/")
        if problem := _problem(path, member):
            problems.append(f"{printable(member.name, 120)}: {problem}")
        elif not member.isdir():
            found[path] = member
    if problems:
        raise InvalidInput("the archive has entries that cannot be taken", problems=problems[:_MOST_SHOWN])
    return sorted(_bare(found).items())


def _problem(path: str, member: tarfile.TarInfo) -> str:
    if member.name.startswith("/") or ".." in path.split("/"):
        return "leads out of the archive"
    if member.issparse():
        return "a sparse file"
    if member.isdir() or member.isfile() or member.issym():
        return ""
    return _KINDS.get(member.type, "neither file, folder nor symbolic link")


def _bare(found: dict[str, tarfile.TarInfo]) -> dict[str, tarfile.TarInfo]:
    tops = {path.partition("/")[0] for path in found}
    if len(tops) != 1 or any("/" not in path for path in found):
        return found
    return {path.partition("/")[2]: member for path, member in found.items()}
