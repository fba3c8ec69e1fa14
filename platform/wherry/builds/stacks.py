"""The stack: a build and a run image in our registry. The first that there is of: the images recorded here; those that
the settings name, copied; images made of Debian packages.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from wherry.builds import stacks_debian as debian
from wherry.builds.debian_bill import BASE_FOLDER, bill_of
from wherry.builds.references import parse_reference
from wherry.builds.stack_record import StackRecord
from wherry.domain.errors import Conflict, InvalidInput, NotFound, PlatformFault
from wherry.domain.text import printable
from wherry.flow.ports import Say
from wherry.images.difference import Seen, changes, seen
from wherry.images.entries import Tree, of_files, whiteouts
from wherry.images.layers import Layer, pack
from wherry.images.manifest import EPOCH, image_config, image_manifest
from wherry.images.registry import Registry
from wherry.images.stored import StoredImage, copy_image, push_image, read_image
from wherry.settings import Settings

RUN, BUILD = "stack/run", "stack/build"
_RECIPE = "debian-3"
"""Counts up when what is made of Debian packages changes: then it is made again."""


@dataclass(frozen=True, slots=True)
class Stack:
    """Both images, as our registry has them. `build_ref` and `run_ref` are what an engine pulls."""

    build: StoredImage
    run: StoredImage
    build_ref: str
    run_ref: str

    @property
    def id(self) -> str:
        return self._said("CNB_STACK_ID", "io.buildpacks.stack.id", "")

    @property
    def uid(self) -> int:
        """The user that builds, never 0; the run image has its own (`run.settings["User"]`)."""
        return int(self._said("CNB_USER_ID", "", str(debian.BUILD_USER)))

    @property
    def gid(self) -> int:
        return int(self._said("CNB_GROUP_ID", "", str(debian.GROUP)))

    @property
    def run_user(self) -> str:
        """ "uid:gid" or a name, as the run image has it."""
        return str(self.run.settings.get("User") or f"{debian.RUN_USER}:{self.gid}")

    @property
    def architecture(self) -> str:
        return str(self.build.config.get("architecture", ""))

    @property
    def distro(self) -> tuple[str, str]:
        """Name and version, as in ("debian", "12")."""
        name = self._said("CNB_TARGET_DISTRO_NAME", "io.buildpacks.base.distro.name", "")
        return name, self._said("CNB_TARGET_DISTRO_VERSION", "io.buildpacks.base.distro.version", "")

    def _said(self, variable: str, label: str, default: str) -> str:
        return self.build.env.get(variable) or self.build.labels.get(label) or self.run.labels.get(label) or default


@dataclass(frozen=True, slots=True)
class Renewal:
    """`removed`: (repository, digest) of images that nothing of the platform uses any more."""

    stack: Stack
    changed: bool
    removed: frozenset[tuple[str, str]] = frozenset()


class Stacks:
    """`folder` keeps one small record, and drafts while images are made."""

    def __init__(self, registry: Registry, folder: Path, settings: Settings) -> None:
        self._registry = registry
        self._folder = folder
        self._settings = settings
        self._read: dict[str, StoredImage] = {}

    def ensure(self, say: Say) -> Stack:
        """The stack, after whatever it takes to have it; one process at a time does. Cheap when there is one already.

        Raises InvalidInput for settings that are not references by digest or name no usable image, PlatformFault.
        """
        wanted = self._wanted()
        if known := self._recorded(wanted):
            return known
        with self._alone(say) as lock:
            if known := self._recorded(wanted):
                return known
            self._sweep()
            digests = self._copied(say)
            if len(digests) < 2:
                digests = {**self._made(say, lock), **digests}
            stack = self._stack(digests[BUILD], digests[RUN])
            StackRecord(wanted, digests[BUILD], digests[RUN]).write(self._folder)
        return stack

    def renew(self, say: Say) -> Renewal:
        """Makes what is made of Debian packages again, of today's. The images that were in use stay once more, for builds
        under way.

        Raises Conflict when the settings name both images, else as `ensure`; then nothing has changed.
        """
        if self._settings.stack_build and self._settings.stack_run:
            raise Conflict(
                "the settings name both stack images by their digests",
                hint="Set WHERRY_STACK_BUILD and WHERRY_STACK_RUN to newer ones, then: wherry up",
            )
        with self._alone(say) as lock:
            self._sweep()
            old = StackRecord.read(self._folder)
            digests = {**self._made(say, lock), **self._copied(say)}
            stack = self._stack(digests[BUILD], digests[RUN])
            if old and (old.build, old.run) == (stack.build.digest, stack.run.digest):
                return Renewal(stack, changed=False)
            before = (old.build, old.run) if old else ("", "")
            StackRecord(self._wanted(), stack.build.digest, stack.run.digest, before).write(self._folder)
            return Renewal(stack, True, self._removed(old, stack, before))

    def known(self) -> Stack | None:
        """The stack when there is one already. Raises PlatformFault."""
        return self._recorded(self._wanted())

    def newest_run(self) -> StoredImage | None:
        """The run image that apps are put on now; None before there is one. The registry is asked once for each."""
        record = StackRecord.read(self._folder)
        if record is None or record.wanted != self._wanted():
            return None
        return self._image(RUN, record.run)

    # -- what is there already

    def _wanted(self) -> str:
        """Names what the settings ask for; a record of anything else does not count."""
        given = [self._settings.stack_build, self._settings.stack_run]
        recipe = "" if all(given) else repr((_RECIPE, debian.RUN_PACKAGES, debian.BUILD_PACKAGES))
        return hashlib.sha256(repr((given, recipe, self._registry.address)).encode()).hexdigest()

    def _recorded(self, wanted: str) -> Stack | None:
        record = StackRecord.read(self._folder)
        if record is None or record.wanted != wanted:
            return None
        build, run = record.build, record.run
        try:
            with ThreadPoolExecutor(2) as pool:  # side by side: every build waits for it
                here = all(pool.map(self._registry.has_manifest, (BUILD, RUN), (build, run)))
            return self._stack(build, run) if here else None
        except (NotFound, InvalidInput):
            return None

    def _stack(self, build: str, run: str) -> Stack:
        refs = self._registry.reference(BUILD, build), self._registry.reference(RUN, run)
        return checked(Stack(self._image(BUILD, build), self._image(RUN, run), *refs))

    def _image(self, repository: str, digest: str) -> StoredImage:
        if digest not in self._read:
            self._read[digest] = read_image(self._registry, repository, digest)
        return self._read[digest]

    def _removed(self, old: StackRecord | None, new: Stack, before: tuple[str, str]) -> frozenset[tuple[str, str]]:
        """What the renewal before this one had replaced."""
        stays = {new.build.digest, new.run.digest, *before, ""}
        pairs = zip((BUILD, RUN), old.before if old else (), strict=False)
        removed = frozenset((repository, digest) for repository, digest in pairs if digest not in stays)
        for repository, digest in removed:
            self._registry.delete_manifest(repository, digest)
        return removed

    # -- copied

    def _copied(self, say: Say) -> dict[str, str]:
        given = {
            BUILD: ("WHERRY_STACK_BUILD", self._settings.stack_build),
            RUN: ("WHERRY_STACK_RUN", self._settings.stack_run),
        }
        parsed = {repository: parse_reference(text, setting) for repository, (setting, text) in given.items() if text}
        return {repository: self._copy(*where, repository, say) for repository, where in parsed.items()}

    def _copy(self, host: str, name: str, digest: str, repository: str, say: Say) -> str:
        source = self._source(host)
        try:
            say(f"Copying {name} from {host} to {self._registry.address}/{repository}")
            with self._draft() as folder:
                return copy_image(source, name, digest, self._registry, repository, folder)
        except NotFound as error:
            raise InvalidInput(f"the settings name a stack image that is not there: {error.message}") from error
        finally:
            source.close()

    def _source(self, host: str) -> Registry:
        """Our login goes to our own registry only, by whichever of its two names: as we reach it, or as the nodes pull."""
        names = (self._registry.address.partition("/")[0], urlsplit(self._settings.registry_pull_url).netloc)
        return self._registry.whole() if host in names else Registry(host)

    # -- made of Debian packages

    def _made(self, say: Say, lock: int) -> dict[str, str]:
        system = debian.this_debian()
        name = f"Debian {system.version} ({system.codename})"
        say(f"Making the images that apps are built and run on, of {name} packages: about a minute")
        with self._draft() as folder, ThreadPoolExecutor(1) as pool:
            root = folder / "root"
            debian.make_run_root(system, root, lock)
            before = seen(root, debian.packed)
            base = pack(Tree(root, "/", pick=debian.packed).entries(), folder, note=f"wherry: {name} to run on")
            bill = _bill(root, system.version, folder)
            run = pool.submit(self._push, RUN, [base, bill], debian.run_settings(system, bill.diff_id))
            say(f"The run image is packed ({base.size // 1_000_000} MB); adding compilers, git and headers")
            debian.grow_build_root(system, root, lock)
            more = _difference(root, before, folder, f"wherry: {name} to build on")
            say(f"The build image is packed ({(base.size + more.size) // 1_000_000} MB); uploading it")
            digests = {RUN: run.result()}
            digests[BUILD] = self._push(BUILD, [base, more], debian.build_settings(system))
        say("The stack images are ready.")
        return digests

    def _push(self, repository: str, layers: list[Layer], settings: dict[str, object]) -> str:
        config = image_config(layers, settings)
        notes = {"org.opencontainers.image.title": repository, "org.opencontainers.image.created": EPOCH}
        manifest = image_manifest(config, layers, notes)
        return push_image(self._registry, repository, config, layers, manifest)

    # -- the folder

    @contextmanager
    def _alone(self, say: Say) -> Iterator[int]:
        """The lock's descriptor: programs that inherit it hold the lock too, so none outlives us unnoticed."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with (self._folder / "lock").open("w") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    say("Another process is making the stack images; waiting for it")
                    fcntl.flock(lock, fcntl.LOCK_EX)
                yield lock.fileno()
        except OSError as error:
            raise PlatformFault(f"the stack images cannot be made: {printable(str(error), 300)}") from error

    @contextmanager
    def _draft(self) -> Iterator[Path]:
        folder = Path(tempfile.mkdtemp(prefix="draft-", dir=self._folder))
        folder.chmod(0o755)
        try:
            yield folder
        finally:
            shutil.rmtree(folder)

    def _sweep(self) -> None:
        """What an earlier life left half made."""
        for folder in self._folder.glob("draft-*"):
            shutil.rmtree(folder)


def checked(stack: Stack) -> Stack:
    """Raises InvalidInput for images that builds or apps would run on as root."""
    problems = []
    try:
        if stack.uid == 0:
            problems.append("the build image's CNB_USER_ID is 0 (root)")
        if stack.gid < 0:
            problems.append("the build image's CNB_GROUP_ID is no group")
    except ValueError:
        problems.append("the build image's CNB_USER_ID and CNB_GROUP_ID are not numbers")
    if stack.run_user.partition(":")[0] in ("root", "0"):
        problems.append("the run image's user is root")
    if problems:
        raise InvalidInput("the stack images are not usable", problems=problems)
    return stack


def _bill(root: Path, version: str, blobs: Path) -> Layer:
    """What the run image has, as a layer of its own."""
    files = {f"/{BASE_FOLDER}debian.cdx.json": (bill_of(root, version), 0o644)}
    return pack(of_files(files), blobs, note="wherry: bill of materials")


def _difference(root: Path, before: Seen, blobs: Path, note: str) -> Layer:
    changed, gone = changes(before, seen(root, debian.packed))
    tree = Tree(root, "/", pick=changed.__contains__)
    return pack([*tree.entries(), *whiteouts([f"/{name}" for name in gone])], blobs, note)
