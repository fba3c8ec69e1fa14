"""Targets: whether a buildpack works on the stack's operating system. Pure (buildpack.md "Targets")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Distro:
    """Empty fields match anything."""

    name: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """As a buildpack declares it; empty fields match anything, and so do no distros."""

    os: str = ""
    arch: str = ""
    variant: str = ""
    distros: tuple[Distro, ...] = ()


@dataclass(frozen=True, slots=True)
class Base:
    """What the stack is."""

    os: str = "linux"
    arch: str = "amd64"
    variant: str = ""
    distro: Distro = Distro()

    def environment(self) -> dict[str, str]:
        """For detect and build; a variable without a value is not set."""
        values = {
            "CNB_TARGET_OS": self.os,
            "CNB_TARGET_ARCH": self.arch,
            "CNB_TARGET_ARCH_VARIANT": self.variant,
            "CNB_TARGET_DISTRO_NAME": self.distro.name,
            "CNB_TARGET_DISTRO_VERSION": self.distro.version,
        }
        return {name: value for name, value in values.items() if value}


def works_on(base: Base, targets: Sequence[Target], stacks: Sequence[str] = ()) -> bool:
    """Without targets: linux of any architecture, as a buildpack with a bin/build has it; the stack ids of older
    buildpacks (``*``, and bionic as Ubuntu 18.04) count as targets.
    """
    declared = [*targets, *(target for each in stacks if (target := _OF_STACKS.get(each)))]
    return any(_matches(base, each) for each in declared or [Target("linux")])


def _matches(base: Base, target: Target) -> bool:
    return (
        target.os in ("", base.os)
        and target.arch in ("", base.arch)
        and ("" in (target.variant, base.variant) or target.variant == base.variant)
        and (not target.distros or any(_same(base.distro, each) for each in target.distros))
    )


def _same(found: Distro, wanted: Distro) -> bool:
    return wanted.name in ("", found.name) and wanted.version in ("", found.version)


_OF_STACKS = {
    "*": Target(),
    "io.buildpacks.stacks.bionic": Target("linux", "amd64", "", (Distro("ubuntu", "18.04"),)),
}
