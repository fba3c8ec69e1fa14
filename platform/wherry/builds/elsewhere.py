"""Buildpacks that are not ours: found in the app, or fetched from where the operator allows; read like our own.

They run as the app's code does, as a plain user without credentials, so what is at stake here is this machine: where
it connects to (T27) and what it unpacks (T11).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from wherry.builds import beneath, toml_files
from wherry.builds.buildpackage import Blobs, LayoutBlobs, RegistryBlobs, read_package
from wherry.builds.descriptor import Descriptor, Member, read_descriptor
from wherry.builds.download import download
from wherry.builds.foreign import refused, sha256_of, unpack_archive
from wherry.builds.shelf import Shelf
from wherry.domain.buildpacks import Kind, Reference, allowed, check_allowed, reference
from wherry.domain.errors import BuildFailed, BuildFailure, InvalidInput, NotFound, PlatformFault
from wherry.domain.model import Source
from wherry.domain.refs import SHA
from wherry.domain.text import printable
from wherry.images.registry import Registry

_DEEPEST = 5
_MOST = 200
_TOML_BYTES = 1024 * 1024


class FetchesTree(Protocol):
    def fetch_tree(self, url: str, ref: str, into: Path) -> Source:
        """The tree at a branch, tag or commit of a repository ("": its default branch), as an archive in `into`.

        Raises BuildFailed (BAD_SOURCE) when there is no such repository or ref, or a tree that is not to be;
        PlatformFault when the network or git fails.
        """


@dataclass(frozen=True, slots=True)
class Found:
    """The buildpack that was named, and all that come with it. `commit`: of the repository that it is from."""

    member: Member
    descriptors: tuple[Descriptor, ...]
    commit: str = ""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """`prefixes`: the operator's allowed sources. `trees` None: no repositories can be fetched."""

    shelf: Shelf
    registry: Registry
    prefixes: Sequence[str]
    trees: FetchesTree | None = None

    def find(self, wanted: Reference, app: Path) -> Found:
        """`app`: the unpacked source, in which nothing has run yet. Raises BuildFailed (BAD_SOURCE), PlatformFault."""
        with _told(wanted):
            return self._find(wanted, app, app, 0)

    def _find(self, wanted: Reference, root: Path, base: Path, depth: int) -> Found:
        """`root`: what paths must stay in; `base`: what they begin at."""
        if depth > _DEEPEST:
            raise InvalidInput(f"its dependencies are nested deeper than {_DEEPEST}")
        check_allowed(wanted, self.prefixes)
        match wanted.kind:
            case Kind.FOLDER:
                return self._folder(root, _inside(root, base / wanted.where), depth)
            case Kind.TARBALL:
                kept = self._tarball(wanted, root, base)
                return self._folder(kept, _top(kept), depth)
            case Kind.GIT:
                kept = self._repository(wanted)
                return replace(self._folder(kept, kept, depth), commit=kept.name.removeprefix("git-"))
            case Kind.PACKAGE:
                return self._package_file(wanted, root, base)
            case Kind.IMAGE:
                return self._image(wanted)
        raise InvalidInput("is an id, and has no place of its own")

    # -- each kind of place

    def _folder(self, root: Path, folder: Path, depth: int) -> Found:
        descriptor = _read(folder)
        found = [descriptor]
        for dependency in _dependencies(root, folder):
            if dependency.kind is not Kind.ID:
                found += self._find(dependency, root, folder, depth + 1).descriptors
        return Found(_member(descriptor), tuple(found))

    def _tarball(self, wanted: Reference, root: Path, base: Path) -> Path:
        with self._file(wanted, root, base) as (file, digest):
            return self.shelf.keep(f"tar-{digest}", lambda folder: unpack_archive(file(), folder))

    def _package_file(self, wanted: Reference, root: Path, base: Path) -> Found:
        with self._file(wanted, root, base) as (file, digest):
            layout = self.shelf.keep(f"cnb-{digest}", lambda folder: unpack_archive(file(), folder))
        return self._package(LayoutBlobs(layout), "")

    def _repository(self, wanted: Reference) -> Path:
        if SHA.fullmatch(wanted.version) and (kept := self.shelf.get(f"git-{wanted.version}")):
            return kept
        if self.trees is None:
            raise PlatformFault("this platform has no means to fetch a git repository")
        with self.shelf.draft() as draft:
            tree = self.trees.fetch_tree(wanted.where, wanted.version, draft)
            return self.shelf.keep(f"git-{tree.commit}", lambda folder: unpack_archive(Path(tree.archive), folder))

    def _image(self, wanted: Reference) -> Found:
        host, _, name = wanted.where.partition("/")
        named = wanted.digest or wanted.version or "latest"
        if not host:
            return self._package(RegistryBlobs(self.registry, name), named)
        registry = Registry(host)
        try:
            return self._package(RegistryBlobs(registry, name), named)
        finally:
            registry.close()

    def _package(self, blobs: Blobs, named: str) -> Found:
        (name, version), folders = read_package(blobs, named, self.shelf)
        found = tuple(_read(each) for each in folders)
        if all((each.id, each.buildpack.version) != (name, version) for each in found):
            raise InvalidInput(f"it does not bring {printable(name, 60)} {printable(version, 60)}, which it is for")
        return Found(Member(name, version), found)

    @contextmanager
    def _file(self, wanted: Reference, root: Path, base: Path) -> Iterator[tuple[Callable[[], Path], str]]:
        """What gives the file (asked only when nothing is kept of it), and its digest in hex."""
        if not wanted.url:
            path = _inside(root, base / wanted.where)
            if not path.is_file():
                raise InvalidInput(f"there is no file {printable(wanted.where)} in the app")
            yield lambda: path, sha256_of(path).partition(":")[2]
            return
        with self.shelf.draft() as draft:
            yield lambda: self._downloaded(wanted, draft / "file"), wanted.digest.partition(":")[2]

    def _downloaded(self, wanted: Reference, target: Path) -> Path:
        download(wanted.url, target, lambda url: allowed(url, self.prefixes))
        if (digest := sha256_of(target)) != wanted.digest:
            raise refused(f"what came is {digest}, and should be {wanted.digest}")
        return target


@contextmanager
def _told(wanted: Reference) -> Iterator[None]:
    """Every fault as one of the app's, with the buildpack that it is about."""
    try:
        yield
    except (InvalidInput, NotFound, BuildFailed) as error:
        message = f"the buildpack {printable(str(wanted))} cannot be used: {error.message}"
        raise BuildFailed(BuildFailure.BAD_SOURCE, message, evidence=error.evidence, hint=error.hint) from error
    except OSError as error:
        raise PlatformFault(f"the buildpack {printable(str(wanted))} cannot be read: {error}") from error


def _inside(root: Path, path: Path) -> Path:
    """Links are followed, and must end below `root`. Raises InvalidInput."""
    real, top = os.path.realpath(path), os.path.realpath(root)
    if real != top and not real.startswith(f"{top}/"):
        raise InvalidInput("it leads out of the app")
    return Path(real)


def _top(folder: Path) -> Path:
    """Of an archive whose only entry is a folder, as code hosts make them, that folder."""
    entries = list(folder.iterdir())
    alone = len(entries) == 1 and entries[0].is_dir() and not entries[0].is_symlink()
    return entries[0] if alone else folder


def _member(descriptor: Descriptor) -> Member:
    return Member(descriptor.id, descriptor.buildpack.version)


def _read(folder: Path) -> Descriptor:
    """Raises InvalidInput for what is no buildpack, or has links that lead out of its folder."""
    if not folder.is_dir():
        raise InvalidInput("there is no such folder in the app")
    content = beneath.read(folder, "buildpack.toml", _TOML_BYTES)
    if content is None and (folder / "extension.toml").exists():
        raise InvalidInput("it is an image extension, which changes images as root: not possible here")
    if content is None:
        raise InvalidInput("it has no buildpack.toml")
    descriptor = read_descriptor(toml_files.parse(content, "buildpack.toml"), folder)
    programs = () if descriptor.order else ("bin/detect", "bin/build")
    if missing := [each for each in programs if not (folder / each).is_file()]:
        raise InvalidInput(f"it has no {' and no '.join(missing)}")
    _check_links(folder)
    return descriptor


def _check_links(folder: Path) -> None:
    top = os.path.realpath(folder)
    for place, below, files in os.walk(folder):
        for name in (*below, *files):
            path = Path(place, name)
            if path.is_symlink() and not os.path.realpath(path).startswith(f"{top}/"):
                raise InvalidInput(f"{printable(str(path.relative_to(folder)))} is a link that leads out of its folder")
            if path.is_symlink() and not path.exists():
                raise InvalidInput(f"{printable(str(path.relative_to(folder)))} is a link that leads nowhere")


def _dependencies(root: Path, folder: Path) -> list[Reference]:
    """What a composite buildpack's package.toml says to bring along, as pack reads it. A path may lead upwards there,
    as far as `root`.
    """
    content = beneath.read(folder, "package.toml", _TOML_BYTES)
    if content is None:
        return []
    found = []
    for each in toml_files.parse(content, "package.toml").tables("dependencies"):
        uri = each.text("uri") or each.text("image")
        if "://" not in uri and not uri.startswith("urn:"):
            path = os.path.relpath(_inside(root, folder / uri), folder)
            found.append(Reference(_kind_of(path), path))
        else:
            found.append(reference(uri))
    if len(found) > _MOST:
        raise InvalidInput(f"package.toml has {len(found)} dependencies; the most is {_MOST}")
    return found


def _kind_of(path: str) -> Kind:
    if path.endswith(".cnb"):
        return Kind.PACKAGE
    return Kind.TARBALL if path.endswith((".tgz", ".tar", ".tar.gz")) else Kind.FOLDER
