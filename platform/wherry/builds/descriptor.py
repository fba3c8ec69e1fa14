"""buildpack.toml: what a buildpack is and where it works (buildpack.md "buildpack.toml"). Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wherry.builds.model import Buildpack
from wherry.builds.target import Distro, Target
from wherry.builds.toml_files import Table
from wherry.domain.errors import InvalidInput
from wherry.domain.text import printable

BUILDPACKS = "/cnb/buildpacks"
OLDEST_API, NEWEST_API = (0, 8), (0, 12)
ID = re.compile(r"[A-Za-z0-9._/-]+")
VERSION = re.compile(r"[A-Za-z0-9._+-]+")
_FORBIDDEN = {"app", "config", "generated", "sbom"}


@dataclass(frozen=True, slots=True)
class Member:
    """A buildpack as an order names it; without a version, the one that is there."""

    id: str
    version: str = ""
    optional: bool = False
    exec_env: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Descriptor:
    """`order` is empty but for a composite buildpack, which has no code of its own."""

    buildpack: Buildpack
    description: str = ""
    clear_env: bool = False
    targets: tuple[Target, ...] = ()
    stacks: tuple[str, ...] = ()
    order: tuple[tuple[Member, ...], ...] = ()
    exec_env: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return self.buildpack.id

    @property
    def home(self) -> str:
        """Where it lies in the container (platform.md "Buildpacks Directory Layout")."""
        return f"{BUILDPACKS}/{self.buildpack.escaped}/{self.buildpack.version}"


def read_descriptor(table: Table, folder: Path) -> Descriptor:
    """Raises InvalidInput for what is wrong or outside the APIs that we speak."""
    about = table.table("buildpack")
    api = _api(table)
    name, version = about.text("id"), about.text("version")
    if not ID.fullmatch(name) or name in _FORBIDDEN or ".." in name.split("/"):
        raise InvalidInput(f"{about.where}: '{printable(name, 60)}' is not an id of a buildpack")
    if not VERSION.fullmatch(version):
        raise InvalidInput(f"{about.where}: '{printable(version, 60)}' is not a version")
    return Descriptor(
        Buildpack(name, version, api, folder, about.text("homepage")),
        about.text("description"),
        about.flag("clear-env"),
        tuple(_target(each) for each in table.tables("targets")),
        tuple(each.text("id") for each in table.tables("stacks")),
        read_order(table),
        _exec_env(about) if at_least(api, 0, 12) else (),
    )


def read_order(table: Table) -> tuple[tuple[Member, ...], ...]:
    """``[[order]]`` of order.toml, or of a composite buildpack. Raises InvalidInput for image extensions."""
    if "order-extensions" in table.values:
        raise InvalidInput(f"{table.where} names image extensions, which change images as root: not possible here")
    return tuple(tuple(_member(each) for each in group.tables("group")) for group in table.tables("order"))


def read_system(table: Table) -> tuple[tuple[Member, ...], tuple[Member, ...]]:
    """system.toml (Platform API 0.15): the platform's buildpacks before and after those of every group."""
    before, after = (table.table("system").table(place).tables("buildpacks") for place in ("pre", "post"))
    return tuple(_member(each) for each in before), tuple(_member(each) for each in after)


def _api(table: Table) -> str:
    api = table.text("api")
    numbers = re.fullmatch(r"([0-9]{1,3})\.([0-9]{1,3})", api)
    if not numbers or not OLDEST_API <= (int(numbers[1]), int(numbers[2])) <= NEWEST_API:
        shown = [".".join(map(str, each)) for each in (OLDEST_API, NEWEST_API)]
        raise InvalidInput(f"{table.where}: Buildpack API '{printable(api, 20)}' is not {shown[0]} to {shown[1]}")
    return api


def at_least(api: str, major: int, minor: int) -> bool:
    first, _, second = api.partition(".")
    return (int(first), int(second)) >= (major, minor)


def _member(table: Table) -> Member:
    return Member(table.text("id"), table.text("version"), table.flag("optional"), table.texts("exec-env"))


def fits(exec_env: Sequence[str], wanted: str) -> bool:
    """Whether what is restricted to these execution environments applies (buildpack.md "Execution Environments")."""
    return not exec_env or wanted in exec_env or "*" in exec_env


def _exec_env(about: Table) -> tuple[str, ...]:
    """The spec has ``[[buildpack.exec-env]] name``, the reference a list of strings."""
    given = about.values.get("exec-env", [])
    if isinstance(given, list) and given and isinstance(given[0], dict):
        return tuple(each.text("name") for each in about.tables("exec-env"))
    return about.texts("exec-env")


def _target(table: Table) -> Target:
    distros = tuple(Distro(each.text("name"), each.text("version")) for each in table.tables("distros"))
    return Target(table.text("os"), table.text("arch"), table.text("variant"), distros)
