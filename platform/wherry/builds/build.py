"""Build: runs bin/build of each buildpack of the group and reads what it left (platform.md "builder")."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from wherry.builds import beneath, toml_files
from wherry.builds.descriptor import Descriptor
from wherry.builds.detect import Group
from wherry.builds.ground import APP, PLANS, PLATFORM, Ground
from wherry.builds.launch_toml import Launch, merged, read_launch
from wherry.builds.layers import LAYERS, build_changes, scan
from wherry.builds.model import BuiltLayer
from wherry.builds.output import Output
from wherry.builds.plan import Require
from wherry.builds.surroundings import EXEC_ENV, Surroundings
from wherry.builds.toml_files import Table
from wherry.domain.errors import BuildFailed, BuildFailure, InvalidInput
from wherry.domain.text import printable
from wherry.flow.ports import SandboxSession, Say

_MOST_BYTES = 1024 * 1024


@dataclass(slots=True)
class Outcome:
    """What the group left: layers in the order of the group, the launch files added up, the stores by id."""

    layers: list[tuple[BuiltLayer, ...]] = field(default_factory=list)
    launches: list[Launch] = field(default_factory=list)
    store: dict[str, Mapping[str, object]] = field(default_factory=dict)

    @property
    def launch(self) -> Launch:
        return merged(self.launches)


def build(
    session: SandboxSession, ground: Ground, surroundings: Surroundings, group: Group, outcome: Outcome, say: Say
) -> None:
    """Fills `outcome`. Raises BuildFailed when a buildpack fails, or leaves what the contract does not allow: then
    `outcome` has what those before it left.
    """
    plan = group.plan
    for descriptor in group.buildpacks:
        ground.layers_of(descriptor)
        _run(session, ground, surroundings, descriptor, plan.of(descriptor.id), say)
        try:
            unmet = _collect(ground, descriptor, outcome, {each.name for each in plan.of(descriptor.id)})
            surroundings = surroundings.with_layers(build_changes(ground.layers, outcome.layers[-1]))
        except InvalidInput as error:
            message = f"the buildpack {descriptor.id} left something that cannot be used: {error.message}"
            raise BuildFailed(BuildFailure.BUILDPACK_FAILED, message, evidence=error.evidence) from error
        plan = plan.met_by(descriptor.id, unmet)


def _run(
    session: SandboxSession,
    ground: Ground,
    surroundings: Surroundings,
    descriptor: Descriptor,
    asked: Sequence[Require],
    say: Say,
) -> None:
    file = f"{descriptor.buildpack.escaped}.toml"
    ground.write(ground.plans / file, toml_files.render_all("entries", [_entry(each) for each in asked]))
    layers = f"{LAYERS}/{descriptor.buildpack.escaped}"
    env = surroundings.of(descriptor, {"CNB_LAYERS_DIR": layers, "CNB_BP_PLAN_PATH": f"{PLANS}/{file}"})
    argv = [f"{descriptor.home}/bin/build", layers, PLATFORM, f"{PLANS}/{file}"]
    output = Output(say)
    try:
        code = session.execute(argv, env, APP, output.line)
        if code != 0:
            raise output.failure(descriptor.id, code)
    finally:
        output.flush()


def _entry(require: Require) -> dict[str, object]:
    return {"name": require.name, "metadata": dict(require.metadata)}


def _collect(ground: Ground, descriptor: Descriptor, outcome: Outcome, asked: Collection[str]) -> list[str]:
    """Reads into `outcome`; the names that build.toml leaves to the next provider."""
    buildpack = descriptor.buildpack
    outcome.layers.append(scan(ground.layers, buildpack))
    outcome.launches.append(read_launch(_read(ground, descriptor, "launch.toml"), buildpack, EXEC_ENV))
    if store := _read(ground, descriptor, "store.toml").table("metadata").values:
        outcome.store[buildpack.id] = store
    unmet = [each.text("name") for each in _read(ground, descriptor, "build.toml").tables("unmet")]
    if strange := [name for name in unmet if name not in asked]:
        raise InvalidInput(f"build.toml: unmet names {printable(strange[0], 60)}, which it was not asked for")
    return unmet


def _read(ground: Ground, descriptor: Descriptor, file: str) -> Table:
    path = f"{descriptor.buildpack.escaped}/{file}"
    return toml_files.parse(beneath.read(ground.layers, path, _MOST_BYTES) or b"", path)
