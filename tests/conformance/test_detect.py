"""Detection: rules 4, 6, 8, 9, 10, 11 (Buildpack API "Phase #1")."""

from __future__ import annotations

import pytest
from wherry.domain.errors import BuildFailure, PlatformFault

from tests.conformance.world import World

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]


def provides(*names: str) -> str:
    return "".join(f'printf \'[[provides]]\\nname = "{name}"\\n\' >>"$2"\n' for name in names)


def requires(*names: str) -> str:
    return "".join(
        f'printf \'[[requires]]\\nname = "{name}"\\n[requires.metadata]\\nby = "\'${{CNB_BUILDPACK_DIR#*x_}}\'"\\n\' >>"$2"\n'
        for name in names
    )


def test_rule04_detect_gets_arguments_and_variables_and_the_app_as_its_folder(world: World) -> None:
    detect = """
        [ "$1" = "$CNB_PLATFORM_DIR" ] && [ "$2" = "$CNB_BUILD_PLAN_PATH" ] && [ $# = 2 ]
        [ "$0" = "$CNB_BUILDPACK_DIR/bin/detect" ] && [ "$PWD" = /workspace ] && [ -f file ]
        env | grep ^CNB_ | cut -d= -f1 | sort >"$HOME/seen-${CNB_BUILDPACK_DIR#*x_}"
    """.replace("seen-${CNB_BUILDPACK_DIR#*x_}", 'seen-$(basename "$(dirname "$CNB_BUILDPACK_DIR")")')
    for name, api in (("old", "0.8"), ("mid", "0.10"), ("new", "0.12")):
        world.pack(name, detect=detect, api=api)
    world.pack("show", 'for f in old mid new; do paste -sd" " "$HOME/seen-x_$f"; done')
    world.order("old mid new show web")
    known = "CNB_BUILDPACK_DIR CNB_BUILD_PLAN_PATH"
    targets = "CNB_TARGET_ARCH CNB_TARGET_DISTRO_NAME CNB_TARGET_DISTRO_VERSION CNB_TARGET_OS"
    stack = " CNB_STACK_ID" if "CNB_STACK_ID" in world.stack.build.env else ""
    assert world.make() == [
        f"{known} CNB_PLATFORM_DIR{stack}",
        f"{known} CNB_PLATFORM_DIR{stack} {targets}",
        f"{known} CNB_EXEC_ENV CNB_PLATFORM_DIR{stack} {targets}",
    ]


def test_rule01_the_platforms_own_buildpacks_stand_around_every_group_that_does_not_name_them(world: World) -> None:
    for name in "abc":
        world.pack(name, f"echo {name}")
    (world.buildpacks / "system.toml").write_text(
        '[[system.pre.buildpacks]]\nid = "x/a"\nversion = "1.0.0"\n[[system.post.buildpacks]]\nid = "x/c"\n'
    )
    world.order("b web")
    assert world.make() == ["a", "b", "c"]
    world.order("b c a web")
    assert world.make() == ["b", "c", "a"]


def test_rule03_detection_comes_before_anything_is_restored(world: World) -> None:
    world.pack(
        "a",
        'cat "$HOME/seen"; ls "$1"; mkdir -p "$1/l"; printf "[types]\ncache = true\n" >"$1/l.toml"',
        'ls -R /layers >"$HOME/seen"',
    )
    world.order("a web")
    assert world.make() == ["/layers:"]
    assert world.make(again=True) == ["/layers:", "l", "l.toml"]


def test_rule04_what_detection_printed_is_told_in_the_order_of_the_group_when_nothing_passes(world: World) -> None:
    for name in ("b", "a"):
        world.pack(name, detect=f"echo wishes {name}.txt; exit 100")
    world.order("b a web")
    assert world.fails().evidence == ("x/b: wishes b.txt", "x/a: wishes a.txt", "x/web: would take part")


def test_rule04_a_code_that_is_neither_pass_nor_fail_breaks_the_group_only(world: World) -> None:
    world.pack("broken", detect="echo oh no >&2; exit 7")
    world.order("broken web", "web")
    world.make()
    world.order("broken? web")
    world.make()
    world.order("broken web")
    failure = world.fails()
    assert failure.kind is BuildFailure.BUILDPACK_FAILED
    assert failure.lines() == ["the buildpack x/broken broke: its detect ended with exit code 7", "oh no"]


def test_rule08_groups_go_left_to_right_and_depth_first(world: World) -> None:
    """As the spec's matrices have it: [E, O, F] with O = [A B], [C D]; a composite that is optional is tried with it and
    then without.
    """
    log = 'echo "${CNB_BUILDPACK_DIR#*x_}" | cut -d/ -f1 >>"$HOME/asked"; '
    for name in "abcdef":
        world.pack(name, f"echo {name}", log + ("exit 100" if name in "bd" else ":"))
    world.composite("o", "a b", "c d")
    world.pack("show", 'paste -sd" " "$HOME/asked"')
    world.order("e o f", "e o? f show web")
    assert world.make() == ["e", "f", "e a b f c d"]


def test_rule08_one_real_pass_is_needed_and_only_those_that_pass_build(world: World) -> None:
    world.pack("no", "echo no", "exit 100")
    world.order("no? no?", "no? web")
    assert world.make() == []
    world.order("no? no?")
    assert world.fails().kind is BuildFailure.NOTHING_DETECTED


def test_rule08_what_is_for_other_execution_environments_is_left_out(world: World) -> None:
    world.pack("a", "echo a", more='[[buildpack.exec-env]]\nname = "test"\n', api="0.12")
    world.pack("b", "echo b", more='exec-env = ["test", "*"]\n', api="0.12")
    world.pack("c", "echo c", more='exec-env = ["test"]\n', api="0.11")
    world.pack("d", "echo d")
    world.order("a b c d web")
    order = world.buildpacks / "order.toml"
    order.write_text(order.read_text().replace('id = "x/d"', 'id = "x/d"\nexec-env = ["test"]'))
    assert world.make() == ["b", "c"]


def test_rule09_alternatives_are_tried_depth_first_until_all_is_met_and_used(world: World) -> None:
    either = 'printf \'[[provides]]\\nname = "x"\\n[[or]]\\n[[or.provides]]\\nname = "y"\\n[[or]]\\n\' >>"$2"'
    world.pack("first", 'cat "$3"', either)
    world.pack("second", ":", requires("y"))
    world.order("first second web")
    assert 'name = "y"' in world.make()
    world.order("first web")
    assert world.make() == []  # the third alternative provides nothing


@pytest.mark.parametrize(
    ("group", "why"),
    [
        ("needs gives web", "x/needs requires tool, which nothing here provides"),
        ("gives web", "x/gives provides tool, unused"),
        ("needs web", "x/needs requires tool, which nothing here provides"),
    ],
)
def test_rule09_a_required_one_unmet_or_unused_fails_and_an_optional_one_is_left_out(
    world: World, group: str, why: str
) -> None:
    world.pack("gives", "echo gives", provides("tool"))
    world.pack("needs", "echo needs", requires("tool"))
    world.order(group)
    failure = world.fails()
    assert failure.kind is BuildFailure.NOTHING_DETECTED
    assert why in failure.evidence
    world.order(group.replace("needs", "needs?").replace("gives", "gives?"))
    assert world.make() == []


def test_rule09_a_buildpack_may_meet_itself(world: World) -> None:
    world.pack("alone", 'grep -c name "$3"', provides("tool") + requires("tool"))
    world.order("alone web")
    assert world.make() == ["1"]


def test_rule09_a_version_beside_the_name_is_refused_as_the_reference_does(world: World) -> None:
    world.pack("a", detect='printf \'[[requires]]\\nname = "x"\\nversion = "1"\\n\' >>"$2"')
    world.order("a web")
    assert "a version is told in its metadata" in world.fails().message


def test_rule10_what_is_unmet_goes_on_to_the_next_that_provides_it(world: World) -> None:
    show = 'echo "${CNB_BUILDPACK_DIR#*x_}:" $(grep -h name "$CNB_BP_PLAN_PATH" | sort | tr -d "\\n")'
    leaves = 'printf \'[[unmet]]\\nname = "one"\\n\' >"$1/build.toml"'
    world.pack("a", f"{show}; {leaves}", provides("one", "two"))
    world.pack("b", show, provides("one", "two"))
    world.pack("c", show, provides("one"))
    world.pack("d", ":", requires("one", "two"))
    world.order("a b c d web")
    assert world.make() == ['a/1.0.0: name = "one"name = "two"', 'b/1.0.0: name = "one"', "c/1.0.0:"]


def test_rule10_unmet_must_name_what_was_asked(world: World) -> None:
    world.pack("a", 'printf \'[[unmet]]\\nname = "other"\\n\' >"$1/build.toml"')
    world.order("a web")
    assert "unmet names other" in world.fails().message


def test_rule11_targets_and_old_stacks_decide_who_takes_part(world: World) -> None:
    """`world` builds on Debian 12 for linux."""
    cases = {
        "none": "",
        "linux": '[[targets]]\nos = "linux"\n',
        "debian": '[[targets]]\n[[targets.distros]]\nname = "ubuntu"\n[[targets.distros]]\nname = "debian"\nversion = "12"\n',
        "star": '[[stacks]]\nid = "*"\n',
        "windows": '[[targets]]\nos = "windows"\n',
        "arch": '[[targets]]\nos = "linux"\narch = "riscv64"\n',
        "ubuntu": '[[targets]]\n[[targets.distros]]\nname = "ubuntu"\nversion = "24.04"\n',
        "bionic": '[[stacks]]\nid = "io.buildpacks.stacks.bionic"\n',
        "either": '[[targets]]\nos = "windows"\n[[targets]]\nos = "linux"\n',
    }
    for name, more in cases.items():
        world.pack(name, f"echo {name}", more=more)
    world.order(" ".join(f"{name}?" for name in cases) + " web")
    assert world.make() == ["none", "linux", "debian", "star", "either"]
    world.order("windows web")
    assert "x/windows: does not work on linux/" in " ".join(world.fails().evidence)


@pytest.mark.parametrize("api", ["0.7", "0.13", "1.0", "x"])
def test_rule24_an_api_that_is_not_spoken_is_named(world: World, api: str) -> None:
    world.pack("other", api=api)
    world.order("other web")
    with pytest.raises(PlatformFault, match=f"Buildpack API '{api}' is not 0.8 to 0.12"):
        world.make()


def test_image_extensions_are_refused_with_the_reason(world: World) -> None:
    (world.app / "ext").mkdir()
    (world.app / "ext/extension.toml").write_text('api = "0.10"\n[extension]\nid = "x/e"\nversion = "1"\n')
    (world.app / "project.toml").write_text('[[io.buildpacks.group]]\nuri = "./ext"\n')
    world.order("web")
    assert "it is an image extension, which changes images as root: not possible here" in world.fails().message
    (world.app / "project.toml").unlink()
    world.order("web")
    order = world.buildpacks / "order.toml"
    order.write_text(order.read_text() + '\n[[order-extensions]]\n[[order-extensions.group]]\nid = "x/e"\n')
    with pytest.raises(PlatformFault, match="image extensions, which change images as root: not possible here"):
        world.make()
