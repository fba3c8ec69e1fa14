"""One build's folders: on this machine, and where the build's container sees them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from wherry.builds.descriptor import BUILDPACKS, Descriptor
from wherry.builds.layers import LAYERS
from wherry.builds.unpack import Owner
from wherry.domain.errors import BuildFailed, BuildFailure

APP = "/workspace"
PLATFORM = "/platform"
PLANS = "/cnb/plans"
HOME = "/home/build"
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


@dataclass(frozen=True, slots=True)
class Ground:
    """`work` is readable by the platform only. `owner`: the build user's ids, None when the platform is no root and so
    builds as its own user.
    """

    work: Path
    owner: Owner | None

    @property
    def app(self) -> Path:
        return self.work / "app"

    @property
    def layers(self) -> Path:
        return self.work / "layers"

    @property
    def plans(self) -> Path:
        return self.work / "plans"

    @property
    def bundle(self) -> Path:
        """The certificates that the build trusts, where it is given any."""
        return self.work / "ca-certificates.crt"

    @property
    def has_bundle(self) -> bool:
        return self.bundle.exists()

    @property
    def user(self) -> str:
        uid, gid = self.owner or (os.geteuid(), os.getegid())
        return f"{uid}:{gid}"

    def lay(self, buildpacks: Iterable[Descriptor], bundle: Path | None) -> None:
        """Makes everything that is the same for all apps. The layers' own folder stays ours, so that no build can put a
        link there.
        """
        for folder in (self.work, self.app, self.layers, self.plans, self.work / "home"):
            folder.mkdir()
        self.work.chmod(0o700)
        for folder in (self.app, self.plans, self.work / "home"):
            self.give(folder)
        for name in ("platform/env", "buildpacks"):
            (self.work / name).mkdir(parents=True)
        self.bring(buildpacks)
        if bundle:
            shutil.copyfile(bundle, self.bundle)
            self.bundle.chmod(0o644)

    def bring(self, buildpacks: Iterable[Descriptor]) -> None:
        """Copies them to where the build looks for them."""
        for each in buildpacks:
            _copy_readable(each.buildpack.folder, self._home_of(each))

    def give(self, path: Path) -> None:
        """To the build's user."""
        if self.owner:
            os.chown(path, *self.owner, follow_symlinks=False)

    def write(self, path: Path, content: bytes) -> None:
        """A file that the build's user may read and replace. Never over another: what stood there is removed first."""
        path.unlink(missing_ok=True)
        with path.open("xb") as file:
            file.write(content)
            os.fchmod(file.fileno(), 0o644)
            if self.owner:
                os.fchown(file.fileno(), *self.owner)

    def layers_of(self, descriptor: Descriptor) -> Path:
        """Raises BuildFailed when something else stands there: a build that has our own user could have put it there."""
        folder = self.layers / descriptor.buildpack.escaped
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            message = f"the folder of the layers of {descriptor.id} was replaced by something else"
            raise BuildFailed(BuildFailure.BUILDPACK_FAILED, message)
        if not folder.exists():
            folder.mkdir()
            folder.chmod(0o755)
            self.give(folder)
        return folder

    def mounts(self) -> dict[str, tuple[Path, bool]]:
        """Path in the container to (folder here, read-only)."""
        return self.places(self.has_bundle)

    def places(self, has_bundle: bool) -> dict[str, tuple[Path, bool]]:
        """As `mounts`, of a ground that need not be there yet."""
        own = {PLANS: (self.plans, False), BUILDPACKS: (self.work / "buildpacks", True)}
        return self.usual_places(has_bundle) | own

    def usual_places(self, has_bundle: bool) -> dict[str, tuple[Path, bool]]:
        """Those of any lifecycle, ours or others'."""
        mounts = {
            APP: (self.app, False),
            LAYERS: (self.layers, False),
            HOME: (self.work / "home", False),
            PLATFORM: (self.work / "platform", True),
        }
        return mounts | ({BUNDLE: (self.bundle, True)} if has_bundle else {})

    def _home_of(self, descriptor: Descriptor) -> Path:
        return self.work / "buildpacks" / descriptor.buildpack.escaped / descriptor.buildpack.version

    def write_config(self, config: Mapping[str, str]) -> None:
        """Files of the platform folder, byte for byte (buildpack.md "User-Provided Variables")."""
        for name, value in config.items():
            path = self.work / "platform/env" / name
            path.write_bytes(value.encode("utf-8", "surrogateescape"))
            path.chmod(0o644)


def _copy_readable(source: Path, target: Path) -> None:
    """The checkout may be readable by its owner only; the build's user must read and run it. Links that stay inside
    remain links.
    """
    top = os.path.realpath(source)
    for folder, below, files in os.walk(source):
        there = target / Path(folder).relative_to(source)
        there.mkdir(parents=True)
        there.chmod(0o755)
        for name in (*files, *(each for each in below if Path(folder, each).is_symlink())):
            origin = Path(folder, name)
            if origin.is_symlink() and os.path.realpath(origin).startswith(f"{top}/"):
                (there / name).symlink_to(origin.readlink())
                continue
            shutil.copyfile(origin, there / name)
            (there / name).chmod(0o755 if origin.stat().st_mode & 0o111 or there.name == "bin" else 0o644)
