"""The buildpacks that there are, read from a folder of folders, and the order in which to try them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from wherry.builds import toml_files
from wherry.builds.descriptor import Descriptor, Member, read_descriptor, read_order, read_system
from wherry.builds.order import with_system
from wherry.domain.errors import InvalidInput, PlatformFault
from wherry.domain.text import printable


@dataclass(frozen=True, slots=True)
class Catalogue:
    """`buildpacks` by id and version. `order`: the groups to try, with the platform's own `before` and `after` around
    each; `groups`: the same without them. `listed`: the app named its one group itself.
    """

    buildpacks: Mapping[tuple[str, str], Descriptor]
    order: tuple[tuple[Member, ...], ...]
    groups: tuple[tuple[Member, ...], ...] = ()
    before: tuple[Member, ...] = ()
    after: tuple[Member, ...] = ()
    listed: bool = False

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
            groups = read_order(_parse(folder / "order.toml"))
            order = tuple(with_system(group, before, after) for group in groups)
            catalogue = cls({(each.id, each.buildpack.version): each for each in found}, order, groups, before, after)
            for member in (member for group in order for member in group):
                catalogue.find(member.id, member.version)
        except (InvalidInput, OSError) as error:
            raise PlatformFault(
                f"the buildpacks in {folder} cannot be used: {printable(str(error), 300)}",
                hint="Is the installation whole? Try: wherry doctor",
            ) from error
        return catalogue

    def ordered(
        self, more: Iterable[Descriptor], groups: Sequence[Sequence[Member]], listed: bool = False
    ) -> Catalogue:
        """With `more` buildpacks, and `groups` to try instead. Raises InvalidInput for a buildpack that would stand for
        one that is here or share its folder, and for a member that is nowhere, of composites too.
        """
        ours = {each.id for each in self.buildpacks.values()}
        found = dict(self.buildpacks)
        folders = {each.buildpack.escaped: each.id for each in found.values()}
        for each in more:
            if each.id in ours:
                raise InvalidInput(f"the buildpack {each.id} is the platform's own: give yours another id")
            if folders.setdefault(each.buildpack.escaped, each.id) != each.id:
                other = folders[each.buildpack.escaped]
                raise InvalidInput(f"the buildpacks {each.id} and {other} would share a folder: give one another id")
            found[each.id, each.buildpack.version] = each
        plain = tuple(tuple(group) for group in groups)
        order = tuple(with_system(group, self.before, self.after) for group in plain)
        result = replace(self, buildpacks=found, order=order, groups=plain, listed=listed)
        composites = (inner for each in found.values() for inner in each.order)
        for member in (member for group in (*order, *composites) for member in group):
            result.find(member.id, member.version)
        return result

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
