"""The build phase: rules 1, 2, 5, 6, 7, 12, 15, 16, 26 (Buildpack API "Phase #5", "Environment")."""

from __future__ import annotations

import os
from itertools import product

import pytest
from wherry.domain.errors import BuildFailure

from tests.conformance.world import World, layer

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]


def test_rule01_and_05_build_finds_everything_where_the_contract_has_it(world: World) -> None:
    world.pack(
        "a",
        """
        [ "$1" = "$CNB_LAYERS_DIR" ] && [ "$2" = "$CNB_PLATFORM_DIR" ] && [ "$3" = "$CNB_BP_PLAN_PATH" ] && [ $# = 3 ]
        [ "$0" = "$CNB_BUILDPACK_DIR/bin/build" ] && [ -f "$CNB_BUILDPACK_DIR/buildpack.toml" ]
        echo "$PWD $1 $2 $CNB_BUILDPACK_DIR $(cat file)"
        [ "$CNB_EXEC_ENV" = production ] && [ "$CNB_TARGET_OS" = linux ] && [ "$CNB_TARGET_DISTRO_NAME" = debian ]
        """,
        api="0.12",
    )
    world.order("a web")
    assert world.make() == ["/workspace /layers/x_a /platform /cnb/buildpacks/x_a/1.0.0 of the app"]


def test_rule02_builds_run_as_a_plain_user_with_a_home_and_apps_as_another(world: World) -> None:
    world.pack(
        "a", 'echo "$(id -u):$(id -g)"; touch "$HOME/x" file; ! touch "$2/x" /x "$CNB_BUILDPACK_DIR/x" 2>/dev/null'
    )
    world.order("a web")
    built = world.make()
    assert built == [f"{world.stack.uid}:{world.stack.gid}"]
    code, said = world.run("--", "id", "-u", entry="/cnb/lifecycle/launcher")
    assert code == 0
    assert said.strip() not in ("0", str(world.stack.uid))


def test_rule02_and_26_no_phase_of_a_build_sees_a_registrys_login(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CNB_REGISTRY_AUTH", '{"registry.example.com": "Basic c2VjcmV0"}')
    monkeypatch.setenv("DOCKER_CONFIG", "/root/.docker")
    look = "env | grep -c -e REGISTRY -e DOCKER || :; ls -d ~/.docker /root/.docker 2>/dev/null || :"
    world.pack("a", look, f'{{ {look}; }} >"$HOME/seen"')
    world.pack("show", 'cat "$HOME/seen"')
    world.order("a show web")
    assert world.make() == ["0", "0"]


def test_rule05_a_buildpack_that_fails_fails_the_build_and_no_image_is_made(world: World) -> None:
    world.pack("a", "echo working; exit 3")
    world.pack("b", "echo never")
    world.order("a b web")
    failure = world.fails()
    assert (failure.kind, failure.evidence) == (BuildFailure.BUILDPACK_FAILED, ("working",))
    assert failure.message == "the buildpack x/a failed with exit code 3"
    assert "never" not in world.said


def test_rule05_buildpacks_that_read_arguments_only_or_variables_only_both_work(world: World) -> None:
    by_place = 'echo "${1##*/} ${2##*/} $(wc -l <"$3")"'
    by_name = 'echo "${CNB_LAYERS_DIR##*/} ${CNB_PLATFORM_DIR##*/} $(wc -l <"$CNB_BP_PLAN_PATH")"'
    world.pack("a", by_place, '[ -d "$1/env" ]; : >>"$2"', api="0.8")
    world.pack("b", by_name, '[ -d "$CNB_PLATFORM_DIR/env" ]; : >>"$CNB_BUILD_PLAN_PATH"', api="0.8")
    world.order("a b web")
    assert world.make() == ["x_a platform 0", "x_b platform 0"]


def test_rule06_and_07_the_environment_is_clean_and_users_files_come_in_two_ways(world: World) -> None:
    world.pack("a", layer("l", "build", ("env/BP_ONE", "layer"), ("env/OTHER", "layer"), ("bin/x", "")))
    show = 'echo "$BP_ONE|${OTHER-}|$PATH"; wc -c <"$2/env/BP_ONE"; '
    world.pack("b", show + 'env -0 | cut -zd= -f1 | grep -zv -e ^CNB_ | sort -z | tr "\\0" " "; echo')
    world.pack("clear", 'echo "${BP_ONE-}|$(cat "$2/env/BP_ONE")|$PATH"', more="clear-env = true\n")
    world.order("a b clear web")
    said = world.make(BP_ONE="user's $x\n", PATH="/mine")
    usual = world.stack.build.env["PATH"]
    assert said[0] == "user's $x"
    assert said[1] == f"|layer|/mine:/layers/x_a/l/bin:{usual}"
    assert said[2] == "10"
    names = set(said[3].split())
    assert {"HOME", "PATH", "BP_ONE", "OTHER"} <= names
    assert names.isdisjoint({"LANG", "DEBIAN_FRONTEND", "USER", "WHERRY_HOME", "DOCKER_HOST", "VIRTUAL_ENV"})
    assert said[4] == f"layer|user's $x|/layers/x_a/l/bin:{usual}"


def test_rule07_what_the_operator_sets_counts_less_and_proxies_pass(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOPROXY", "https://operator.example.com")
    monkeypatch.setenv("NO_PROXY", os.environ.get("NO_PROXY", "localhost,127.0.0.1") + ",operator.example.com")
    world.pack("show", 'echo "$GOPROXY ${NO_PROXY##*,}"; ls "$2/env"')
    world.pack("clear", 'echo "$GOPROXY"', more="clear-env = true\n")
    world.order("show clear web")
    assert world.make() == ["https://operator.example.com operator.example.com", "https://operator.example.com"]
    said = world.make(GOPROXY="https://user.example.com")
    assert said == ["https://user.example.com operator.example.com", "GOPROXY", "https://operator.example.com"]


def test_rule12_every_combination_of_types_does_what_the_table_says(world: World) -> None:
    """The table of Buildpack API "Layer Types": seen by the next buildpack, kept for the next build, in the image."""
    combinations = [
        " ".join(name for name, on in zip(("build", "cache", "launch"), flags, strict=True) if on)
        for flags in product((True, False), repeat=3)
    ]
    names = ["t-" + (each.replace(" ", "-") or "none") for each in combinations]
    makes = "".join(
        layer(name, types, ("bin/x", ""), ("env/SEEN_" + name.replace("-", "_"), "1"))
        + f'printf \'[metadata]\\nkey = "{name}"\\n\' >>"$1/{name}.toml"\n'
        + f"echo '{{}}' >\"$1/{name}.sbom.cdx.json\"\n"
        for name, types in zip(names, combinations, strict=True)
    )
    before = 'cd "$1"; echo "restored:" $(ls -d -- * 2>/dev/null | sort); grep -hs types *.toml || :\n'
    world.pack("a", before + makes)
    world.pack("b", 'echo "built:" $(env | grep -o "^SEEN_[a-z_]*" | sort); cd /layers/x_a; echo $(ls -d *.ignore)')
    world.order("a b web")
    assert world.make() == [
        "restored:",
        "built: SEEN_t_build SEEN_t_build_cache SEEN_t_build_cache_launch SEEN_t_build_launch",
        "t-none.ignore",
    ]
    layers = {name for each in world.label("lifecycle.metadata")["buildpacks"] for name in each["layers"]}
    assert layers == {name for name in names if "launch" in name}
    restored = sorted(
        file
        for name in names
        if "cache" in name or name == "t-launch"
        for file in (f"{name}.toml", f"{name}.sbom.cdx.json", *([name] if "cache" in name else []))
    )
    said = world.make(again=True)
    assert sorted(said[0].split()[1:]) == restored
    assert said[1].startswith("built:")


@pytest.mark.parametrize("name", ["build", "launch", "store"])
def test_rule12_names_that_mean_something_else_cannot_be_layers(world: World, name: str) -> None:
    world.pack("a", layer(name, "launch"))
    world.order("a web")
    assert f"a layer cannot be named {name}" in world.fails().message


def test_rule15_layers_for_building_reach_later_buildpacks_only_the_later_first(world: World) -> None:
    paths = ("bin/x", ""), ("lib/x", ""), ("include/x", ""), ("pkgconfig/x", "")
    world.pack("a", layer("one", "build", *paths) + layer("two", "build", *paths) + 'echo "${CPATH-none}"')
    world.pack("b", layer("l", "build", *paths))
    world.pack("c", 'for v in PATH LD_LIBRARY_PATH LIBRARY_PATH CPATH PKG_CONFIG_PATH; do echo "${!v}"; done')
    world.order("a b c web")
    usual = ":" + world.stack.build.env["PATH"]

    def order(folder: str) -> str:
        return ":".join(f"/layers/x_{each}/{folder}" for each in ("b/l", "a/two", "a/one"))

    assert world.make() == [
        "none",
        order("bin") + usual,
        order("lib"),
        order("lib"),
        order("include"),
        order("pkgconfig"),
    ]


def test_rule16_env_files_follow_their_suffixes_to_the_letter(world: World) -> None:
    world.pack(
        "a",
        layer(
            "l",
            "build",
            ("env/OVER", "a"),
            ("env/APPEND.append", "a"),
            ("env/PREPEND.prepend", "a"),
            ("env/DEFAULT.default", "a"),
            ("env/DELIM.append", "a"),
            ("env/DELIM.delim", ";"),
            ("env/STRANGE.strange", "a"),
            ("env/TWO.dots.append", "a"),
            ("env/LINES", "a\\n\\n"),
            ("env/HOSTILE", "$(id) `id` $HOME \\\\"),
            ("env.launch/OVER", "launch"),
            ("env.build/OVER.override", "build"),
        ),
    )
    world.pack(
        "b",
        layer(
            "l",
            "build",
            ("env/APPEND.append", "b"),
            ("env/PREPEND.prepend", "b"),
            ("env/DEFAULT.default", "b"),
            ("env/DELIM.append", "b"),
            ("env.build/DELIM.append", "c"),
            ("env.build/DELIM.delim", "-"),
            ("env/PATH.append", "/no-separator"),
        ),
    )
    world.pack(
        "c",
        'echo "$OVER $APPEND $PREPEND $DEFAULT $DELIM ${STRANGE-none} ${TWO-none} $(printf "$LINES" | wc -l)"\n'
        'echo "$HOSTILE"; echo "${PATH##*:}"',
    )
    world.order("a b c web")
    last = world.stack.build.env["PATH"].rpartition(":")[2]
    assert world.make() == ["build ab ba a ab-c none none 2", "$(id) `id` $HOME \\", f"{last}/no-separator"]


def test_rule16_one_layer_is_applied_before_the_next(world: World) -> None:
    world.pack("a", layer("l1", "build", ("env.build/V.append", "1")) + layer("l2", "build", ("env/V", "2")))
    world.pack("b", 'echo "$V"')
    world.order("a b web")
    assert world.make() == ["2"]
