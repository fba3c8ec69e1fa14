"""Detect, restore and build with small buildpacks, in a real container: what the contract promises to their programs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from wherry.builds.build import Outcome
from wherry.builds.cache import CacheUnit
from wherry.builds.catalogue import Catalogue
from wherry.builds.earlier import Earlier
from wherry.builds.env import Action, Change, base_environment
from wherry.builds.ground import HOME, Ground
from wherry.builds.phases import Phases
from wherry.builds.surroundings import Surroundings
from wherry.builds.target import Base, Distro
from wherry.domain.errors import BuildFailed, BuildFailure, WherryError
from wherry.flow.ports import Cancel, SandboxSpec
from wherry.runtimes.machine.pull import Registry
from wherry.runtimes.machine.sandbox import MachineSandbox

from tests.runtimes.tiny import ENGINE, busybox, engine_api, platform_id, tiny_image

__all__ = ["busybox", "engine_api", "platform_id", "tiny_image"]  # fixtures, which pytest finds here by name
pytestmark = pytest.mark.engine


@dataclass
class Bench:
    """A place for one app's builds. `pack` lays a buildpack of two scripts; the first group of `order` is tried first."""

    folder: Path
    sandbox: MachineSandbox
    image: str
    said: list[str] = field(default_factory=list)
    builds: int = 0

    def pack(self, name: str, detect: str = "exit 0", build: str = "exit 0", api: str = "0.10", more: str = "") -> None:
        home = self.folder / "buildpacks" / name
        (home / "bin").mkdir(parents=True, exist_ok=True)
        (home / "buildpack.toml").write_text(f'api = "{api}"\n[buildpack]\nid = "x/{name}"\nversion = "1"\n{more}')
        for program, script in (("detect", detect), ("build", build)):
            (home / "bin" / program).write_text(f"#!/bin/sh\n{script}\n")
            (home / "bin" / program).chmod(0o700)

    def order(self, *groups: str) -> None:
        lines = []
        for group in groups:
            lines.append("[[order]]")
            for name in group.split():
                lines += ["[[order.group]]", f'id = "x/{name.rstrip("?")}"', f"optional = {str('?' in name).lower()}"]
        (self.folder / "buildpacks/order.toml").write_text("\n".join(lines))

    def build(
        self,
        user: dict[str, str] | None = None,
        operator: tuple[Change, ...] = (),
        look: Callable[[Ground], None] = lambda ground: None,
        labels: dict[str, str] | None = None,
    ) -> Outcome:
        self.builds += 1
        work = self.folder / f"work-{self.builds}"
        ground = Ground(work, (1000, 1000) if os.geteuid() == 0 else None)
        catalogue = Catalogue.load(self.folder / "buildpacks")
        buildpacks = list(catalogue.buildpacks.values())
        ground.lay(buildpacks, None)
        ground.write_config(user or {})
        (ground.app / "file").write_text("of the app")
        unit = CacheUnit(self.folder / "caches", work / "cache")
        base = base_environment({"PATH": "/usr/bin:/bin", "LANG": "C"}, {"HOME": HOME})
        around = Surroundings(base, Base("linux", "amd64", "", Distro("debian", "12")), user or {}, operator)

        def earlier() -> Earlier:
            assert phases.group.buildpacks, "detection waits for the registry"
            return Earlier(labels or {})

        phases = Phases(ground, catalogue, around, unit, earlier, self.said.append)
        spec = SandboxSpec(self.builds, self.image, ground.user, ground.mounts(), memory=64, seconds=30)
        try:
            self.sandbox.run(spec, phases.run, Cancel())
            look(ground)
            unit.good = [layer for layers in phases.outcome.layers for layer in layers]
        except WherryError as error:
            unit.failed(error)
            raise
        finally:
            unit.put_back()
            shutil.rmtree(work)
        return phases.outcome

    def fails(self) -> BuildFailed:
        with pytest.raises(BuildFailed) as caught:
            self.build()
        return caught.value

    @property
    def output(self) -> list[str]:
        """What the buildpacks said, without our own line."""
        return [line for line in self.said if not line.startswith("       Buildpacks: ")]


@pytest.fixture
def bench(tmp_path: Path, platform_id: str, tiny_image: str) -> Bench:
    sandbox = MachineSandbox(ENGINE, platform_id, Registry("127.0.0.1:1"), scratch=tmp_path / "scratch")
    return Bench(tmp_path, sandbox, tiny_image)


def test_arguments_come_by_position_and_by_variable(bench: Bench) -> None:
    same = '[ "$1" = "$CNB_PLATFORM_DIR" ] && [ "$2" = "$CNB_BUILD_PLAN_PATH" ] && [ -w "$2" ]'
    build = """
        [ "$1" = "$CNB_LAYERS_DIR" ] && [ "$2" = "$CNB_PLATFORM_DIR" ] && [ "$3" = "$CNB_BP_PLAN_PATH" ] || exit 1
        [ "$0" = "$CNB_BUILDPACK_DIR/bin/build" ] || exit 2
        [ "$(cat file)" = "of the app" ] && echo x >made && echo y >"$1/made" && echo z >"$HOME/made" || exit 3
        ! touch "$2/made" "$CNB_BUILDPACK_DIR/made" /layers/made 2>/dev/null || exit 4
        pwd; id -u
    """
    bench.pack("a", f"{same} || exit 1", build)
    bench.order("a")
    bench.build()
    assert bench.output == ["/workspace", "1000"]


def test_the_environment_is_clean_and_comes_in_layers(bench: Bench) -> None:
    bench.pack("a", build='echo "$PATH|$A|$B|$C|$LANG|$HOME|$CNB_TARGET_DISTRO_NAME|$CNB_EXEC_ENV"', api="0.12")
    bench.pack("b", build='echo "$A|$B|$C"', more="clear-env = true\n")
    bench.order("a b")
    operator = (Change("B", Action.DEFAULT, "operator"), Change("C", Action.DEFAULT, "operator"))
    bench.build({"A": "it's $HOME\n", "B": "user", "PATH": "/mine"}, operator)
    assert bench.output == [
        "/mine:/usr/bin:/bin|it's $HOME",
        "|user|operator||/home/build|debian|production",
        "|operator|operator",
    ]


def test_b08_config_lies_in_the_platform_folder_byte_for_byte(bench: Bench) -> None:
    bench.pack("a", build='cd "$2/env"; for f in *; do echo "$f $(wc -c <"$f")"; done; cat "B"')
    bench.order("a")
    bench.build({"A": "", "B": "one\ntwo \u20ac\n\n"})
    assert bench.output == ["A 0", "B 13", "one", "two \u20ac", ""]


def test_the_first_group_that_passes_builds_and_an_optional_one_may_be_missing(bench: Bench) -> None:
    bench.pack("no", "exit 100", "echo no")
    bench.pack("yes", build="echo yes")
    bench.pack("maybe", "exit 100", "echo maybe")
    bench.order("no yes", "maybe? yes", "yes")
    bench.build()
    assert bench.said == ["       Buildpacks: x/yes 1", "yes"]


def test_the_platforms_own_buildpacks_stand_around_every_group(bench: Bench) -> None:
    for name in ("before", "app", "after"):
        bench.pack(name, build=f"echo {name}")
    bench.order("app")
    system = '[[system.pre.buildpacks]]\nid = "x/before"\n[[system.post.buildpacks]]\nid = "x/after"\noptional = true\n'
    (bench.folder / "buildpacks/system.toml").write_text(system)
    bench.build()
    assert bench.output == ["before", "app", "after"]


def test_a_buildpack_is_asked_once_in_however_many_groups_it_stands(bench: Bench) -> None:
    bench.pack("counts", 'echo x >>"$HOME/asked"')
    bench.pack("no", "exit 100")
    bench.order("counts no", "counts no", "counts")
    bench.pack("counts", 'echo x >>"$HOME/asked"', 'cat "$HOME/asked"')
    bench.build()
    assert bench.output == ["x"]


def test_what_one_requires_another_provides_and_the_unmet_goes_on(bench: Bench) -> None:
    plan = 'printf \'[[provides]]\\nname = "tool"\\n\' >"$2"'
    asks = 'printf \'[[requires]]\\nname = "tool"\\n[requires.metadata]\\nversion = "7"\\n\' >"$2"'
    bench.pack("first", plan, 'cat "$3"; printf \'[[unmet]]\\nname = "tool"\\n\' >"$1/build.toml"')
    bench.pack("second", plan, 'cat "$3"')
    bench.pack("third", asks, 'cat "$3"')
    bench.order("first second third")
    bench.build()
    entry = ["[[entries]]", 'name = "tool"', "", "[entries.metadata]", 'version = "7"']
    assert bench.output == [*entry, *entry]


def test_layers_of_one_are_on_the_path_of_the_next(bench: Bench) -> None:
    make = """
        mkdir -p "$1/tools/bin" "$1/tools/env"; printf "from the layer\\n\\n" >"$1/tools/env/SEEN"
        printf '#!/bin/sh\\necho found\\n' >"$1/tools/bin/mine"; chmod 755 "$1/tools/bin/mine"
        printf '[types]\\nbuild = true\\n' >"$1/tools.toml"
    """.replace("chmod 755", "cp /bin/sh /tmp/sh; : ")
    bench.pack("a", build=make)
    bench.pack("b", build='echo "$PATH"; echo "<$SEEN>"')
    bench.order("a b")
    bench.build()
    assert bench.output == ["/layers/x_a/tools/bin:/usr/bin:/bin", "<from the layer", "", ">"]


def test_cached_layers_come_back_without_types_and_others_do_not(bench: Bench) -> None:
    build = """
        for each in cached launched; do
          if [ -e "$1/$each.toml" ]; then cat "$1/$each.toml"; ls "$1/$each"; fi
          mkdir -p "$1/$each"; echo x >"$1/$each/file"
        done
        printf '[types]\\ncache = true\\n[metadata]\\nkey = "k"\\n' >"$1/cached.toml"
        printf '[types]\\nlaunch = true\\n[metadata]\\nkey = "k"\\n' >"$1/launched.toml"
    """
    bench.pack("a", build=build)
    bench.order("a")
    bench.build()
    assert bench.output == []
    bench.build()
    assert bench.output == ["[metadata]", 'key = "k"', "file"]


def test_metadata_of_launch_layers_and_the_store_come_from_the_previous_image(bench: Bench) -> None:
    bench.pack("a", build='cd "$1"; for f in *.toml; do echo "$f"; cat "$f"; done; ls')
    bench.order("a")
    layers = """
        "only": {"launch": true, "data": {"key": "k", "null": null}},
        "cached": {"launch": true, "cache": true, "data": {"key": "no"}},
        "built": {"launch": true, "build": true, "data": {"key": "no"}},
        "..": {"launch": true, "data": {"key": "no"}}
    """
    text = f'[{{"key": "x/a", "layers": {{{layers}}}, "store": {{"metadata": {{"kept": 1}}}}}}]'
    bench.build(labels={"io.buildpacks.lifecycle.metadata": f'{{"buildpacks": {text}}}'})
    files = ["only.toml", "[metadata]", 'key = "k"', "store.toml", "[metadata]", "kept = 1", "only.toml", "store.toml"]
    assert bench.output == files
    for label in ("not json", "[]", '{"buildpacks": 1}', f'{{"exec-env": "test", "buildpacks": {text}}}', "[" * 9999):
        bench.said.clear()
        bench.build(labels={"io.buildpacks.lifecycle.metadata": label})
        assert bench.output == ["*.toml", "cat: can't open '*.toml': No such file or directory"]


def test_when_nothing_is_detected_each_says_what_it_looks_for(bench: Bench) -> None:
    bench.pack("says", "echo looks for a thing; exit 100")
    bench.pack("silent", "exit 100", more='description = "looks for another thing"\n')
    bench.pack("other", "exit 0", more='[[targets]]\nos = "windows"\n')
    bench.order("says", "silent?", "other")
    failure = bench.fails()
    assert failure.kind is BuildFailure.NOTHING_DETECTED
    assert failure.evidence == (
        "x/says: looks for a thing",
        "x/silent: looks for another thing",
        "x/other: does not work on linux/amd64 debian 12",
    )
    assert "Procfile" in failure.hint


def test_a_detect_that_breaks_is_named_when_nobody_else_builds(bench: Bench) -> None:
    bench.pack("broken", "echo oh no; exit 3")
    bench.pack("fine")
    bench.order("broken", "fine")
    bench.build()
    bench.order("broken")
    failure = bench.fails()
    assert failure.kind is BuildFailure.BUILDPACK_FAILED
    assert failure.lines() == ["the buildpack x/broken broke: its detect ended with exit code 3", "oh no"]


@pytest.mark.parametrize("plan", ["not toml", "provides = 1", "x" * 2_000_000])
def test_b15_a_build_plan_that_is_none_breaks_its_buildpack(bench: Bench, plan: str) -> None:
    script = f'head -c {len(plan)} /dev/zero | tr "\\0" x >"$2"' if len(plan) > 99 else f"echo '{plan}' >\"$2\""
    bench.pack("broken", script)
    bench.order("broken")
    assert "its build plan" in bench.fails().message or "broken.toml" in bench.fails().message


@pytest.mark.parametrize(
    ("build", "words"),
    [
        ("echo working; exit 7", "the buildpack x/a failed with exit code 7"),
        ('echo "x" >"$1/launch.toml"', "launch.toml is not TOML"),
        ('echo "x" >"$1/layer.toml"', "layer.toml is not TOML"),
        ('printf "[types]\\nlaunch = 1\\n" >"$1/layer.toml"', "launch is not true or false"),
        ('printf \'[[processes]]\\ntype = "a b"\\n\' >"$1/launch.toml"', "not a process type"),
        ('ln -s /etc "$1/launch.toml" || mkdir "$1/launch.toml"', "launch.toml is not a regular file"),
        (
            'mkdir -p "$1/l/env.build"; echo x >"$1/l/env.build/A-B"; printf "[types]\\nbuild = true\\n" >"$1/l.toml"',
            "A-B",
        ),
    ],
)
def test_what_a_buildpack_may_not_do_fails_the_build_with_its_name(bench: Bench, build: str, words: str) -> None:
    bench.pack("a", build=build)
    bench.order("a")
    failure = bench.fails()
    assert failure.kind is BuildFailure.BUILDPACK_FAILED
    assert "x/a" in failure.message
    assert words in failure.message


def test_a_failed_build_leaves_the_cache_of_the_last_good_one(bench: Bench) -> None:
    good = 'mkdir -p "$1/l"; cat "$1/l/made" 2>/dev/null; echo good >"$1/l/made"; printf "[types]\\ncache = true\\n" >"$1/l.toml"'
    bench.pack("a", build=good)
    bench.order("a")
    bench.build()
    bench.pack("a", build="exit 1")
    bench.fails()
    bench.pack("a", build=good)
    bench.build()
    assert bench.output == ["good"]


CACHES = """
mkdir -p "$1/compiled" "$1/whole"
cat "$1/compiled/made" "$1/whole/made" 2>/dev/null
echo compiled >>"$1/compiled/made"
echo whole >>"$1/whole/made"
printf '[types]\\ncache = true\\n' >"$1/compiled.toml"
printf '[types]\\ncache = true\\nlaunch = true\\n' >"$1/whole.toml"
"""


def test_a_failed_build_leaves_its_caches_and_no_layer_that_may_be_half_made(bench: Bench) -> None:
    bench.pack(
        "tool",
        build="[ -e $1/t ] && echo as before; mkdir -p $1/t; printf '[types]\ncache = true\nbuild = true\n' >$1/t.toml",
    )
    bench.pack("a", build=f"{CACHES}exit 1")
    bench.order("tool a")
    bench.fails()
    assert bench.output == []
    bench.fails()
    assert bench.output == ["as before", "compiled"]


def test_a11_a_build_that_was_killed_leaves_no_cache_of_its_own(bench: Bench) -> None:
    bench.pack("a", build=f"{CACHES}tail -c 200m /dev/zero")
    bench.order("a")
    assert bench.fails().kind is BuildFailure.OUT_OF_MEMORY
    bench.pack("a", build=f"{CACHES}exit 1")
    bench.fails()
    assert bench.output == ["Killed"]
