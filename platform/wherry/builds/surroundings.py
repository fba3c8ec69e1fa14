"""What detect and build see around them: the stack, the user's variables, the operator's, those of earlier layers. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from wherry.builds.descriptor import Descriptor, at_least
from wherry.builds.env import Change, apply, with_user
from wherry.builds.ground import PLATFORM
from wherry.builds.target import Base

EXEC_ENV = "production"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`base` passes to every program; `layers` are the changes of buildpacks that have built already, in order."""

    base: Mapping[str, str]
    target: Base
    user: Mapping[str, str]
    operator: tuple[Change, ...] = ()
    layers: tuple[Change, ...] = field(default=())

    def with_layers(self, changes: list[Change]) -> Surroundings:
        return replace(self, layers=(*self.layers, *changes))

    def of(self, descriptor: Descriptor, more: Mapping[str, str]) -> dict[str, str]:
        """The whole environment of one program of this buildpack (platform.md "Environment Variables")."""
        env = apply(self.base, self.layers)
        if not descriptor.clear_env:
            env = with_user(env, self.user)
        env = apply(env, self.operator)
        env |= {"CNB_PLATFORM_DIR": PLATFORM, "CNB_BUILDPACK_DIR": descriptor.home, **more}
        if at_least(descriptor.buildpack.api, 0, 10):
            env |= self.target.environment()
        if at_least(descriptor.buildpack.api, 0, 12):
            env["CNB_EXEC_ENV"] = EXEC_ENV
        return env
