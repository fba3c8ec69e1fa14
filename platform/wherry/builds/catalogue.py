"""The buildpacks that there are, read from a folder of folders, and the order in which to try them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from wherry.builds import toml_files
from wherry.builds.descriptor import Descriptor, Member, read_descriptor, read_order, read_system
from wherry.builds.order import with_system
from wherry.domain.errors import InvalidInput, PlatformFault
from wherry.domain.text import printable


@dataclass(frozen=True, slots=True)
class Catalogue:
    """`buildpacks` by id and version."""

    buildpacks: Mapping[tuple[str, str], Descriptor]
    order: tuple[tuple[Member, ...], ...]

    @classmethod
    def load(cls, folder: Path) -> Catalogue:
        """``<name>/buildpack.toml`` or ``<id>/<version>/buildpack.toml``, ``order.toml``, and ``system.toml`` if there is
        one. Raises PlatformFault: it is the operator who laid them there.
        """
        try:
            files = sorted([*folder.glob("*/buildpack.toml"), *folder.glob("*/*/buildpack.toml")])
            found = [read_descriptor(_parse(file), file.parent) for file in files]
            system = folder / "system.toml"
            before, after = read_system(_parse(system)) if system.exists() else ((), ())
            order = tuple(with_system(group, before, after) for group in read_order(_parse(folder / "order.toml")))
            catalogue = cls({(each.id, each.buildpack.version): each for each in found}, order)
            for member in (member for group in order for member in group):
                catalogue.find(member.id, member.version)
        except (InvalidInput, OSError) as error:
            raise PlatformFault(
                f"the buildpacks in {folder} cannot be used: {printable(str(error), 300)}",
                hint="Is the installation whole? Try: wherry doctor",
            ) from error
        return catalogue

    def find(self, name: str, version: str) -> Descriptor:
        """Without a version, the only one. Raises InvalidInput."""
        if version and (name, version) in self.buildpacks:
            return self.buildpacks[name, version]
        versions = [each for (found, _), each in self.buildpacks.items() if found == name]
        if len(versions) == 1 and not version:
            return versions[0]
        have = ", ".join(sorted(each.buildpack.version for each in versions)) or "none"
        raise InvalidInput(f"there is no buildpack {printable(name, 60)} {printable(version, 60)}: have {have}")


def _parse(file: Path) -> toml_files.Table:
    return toml_files.parse(file.read_bytes(), str(file.relative_to(file.parents[1])))
