"""launch.toml and build.toml, old and new: rule 17 (Buildpack API "launch.toml")."""

from __future__ import annotations

import pytest

from tests.conformance.world import World, processes, writes

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]

TRUE = 'command = ["true"]'


def said(world: World) -> dict[str, list[str]]:
    return {each["type"]: each["command"] for each in world.label("build.metadata")["processes"]}


def test_rule17_a_later_buildpack_overrides_a_type_and_the_last_default_counts(world: World) -> None:
    world.pack("a", processes(f"one: {TRUE}\ndefault = true", 'two: command = ["old"]'))
    world.pack("b", processes('two: command = ["new"]', f"three: {TRUE}\ndefault = true"))
    world.order("a b")
    world.make()
    assert said(world) == {"one": ["true"], "three": ["true"], "two": ["new"]}
    assert world.stored.settings["Entrypoint"] == ["/cnb/process/three"]
    assert [each["type"] for each in world.label("build.metadata")["processes"] if each.get("default")] == ["three"]


def test_rule17_a_default_that_is_redefined_as_none_leaves_no_default_or_web(world: World) -> None:
    world.pack("a", processes(f"one: {TRUE}\ndefault = true"))
    world.pack("b", processes('one: command = ["false"]'))
    world.order("a b")
    world.make()
    assert world.stored.settings["Entrypoint"] == ["/cnb/lifecycle/launcher"]
    world.order("a b web")  # the platform's own wish, as a platform may tell the exporter one
    world.make()
    assert world.stored.settings["Entrypoint"] == ["/cnb/process/web"]


def test_rule17_before_api_0_9_a_command_is_a_string_that_a_shell_runs_unless_direct(world: World) -> None:
    world.pack(
        "old",
        processes(
            """script: command = 'echo "$WHO" | tr a-z A-Z'""",
            """words: command = "printf"\nargs = ["<%s>", "$WHO", "two"]""",
            """direct: command = "printf"\nargs = ["<%s>", "$WHO"]\ndirect = true""",
        ),
        api="0.8",
    )
    world.pack("new", processes('args: command = ["printf", "<%s>"]\nargs = ["$WHO", "default"]'), api="0.9")
    world.order("old new")
    world.make()
    script = "for p in script words direct args; do /cnb/process/$p; echo; done"
    script += "; for p in words direct args; do /cnb/process/$p 'x  y' '$WHO'; echo; done"
    assert world.run("-c", script, entry="/bin/sh", WHO="me  you")[1].splitlines() == [
        "ME  YOU",
        "",
        "<me  you><two>",
        "<$WHO>",
        "<$WHO><default>",
        "<me  you><two><x y><me  you>",  # each word undergoes one eval echo, as in the reference
        "<$WHO><x  y><$WHO>",
        "<x  y><$WHO>",
    ]


def test_rule17_working_directories_and_types_of_all_kinds_of_names(world: World) -> None:
    world.pack("a", processes(f"A.b_c-1: {TRUE}", 'where: command = ["pwd"]\nworking-dir = "/tmp"'))
    world.order("a")
    world.make()
    assert world.run("-c", "/cnb/process/where && /cnb/process/A.b_c-1", entry="/bin/sh") == (0, "/tmp\n")


@pytest.mark.parametrize(
    ("entries", "api", "why"),
    [
        ([f"a/b: {TRUE}"], "0.10", "'a/b' is not a process type"),
        (["..: " + TRUE], "0.10", "is not a process type"),
        (["web: command = []"], "0.10", "the process web has no command"),
        (['web: command = "true"'], "0.9", "command is not a list of strings"),
        (['web: command = ["true"]'], "0.8", "command is not a string"),
        ([f"web: {TRUE}\ndirect = true"], "0.9", "'direct' ended with Buildpack API 0.9"),
        ([f"a: {TRUE}", f"a: {TRUE}"], "0.10", "has the process type a twice"),
        ([f"a: {TRUE}\ndefault = true", f"b: {TRUE}\ndefault = true"], "0.10", "more than one default process"),
    ],
)
def test_rule17_what_is_no_process_fails_the_build_and_is_named(
    world: World, entries: list[str], api: str, why: str
) -> None:
    world.pack("a", processes(*entries), api=api)
    world.order("a web")
    failure = world.fails()
    assert failure.message.startswith("the buildpack x/a left something that cannot be used: ")
    assert why in failure.message


def test_rule17_processes_for_other_execution_environments_are_left_out_since_api_0_12(world: World) -> None:
    entries = [f'{kind}: {TRUE}\nexec-env = ["{kind}", "x"]' for kind in ("test", "production")]
    world.pack("new", processes(*entries, f'all: {TRUE}\nexec-env = ["*"]'), api="0.12")
    world.pack("old", processes(f'old: {TRUE}\nexec-env = ["test"]'), api="0.11")
    world.order("new old")
    world.make()
    assert list(said(world)) == ["all", "old", "production"]


def test_rule17_labels_of_later_buildpacks_count_and_none_takes_the_lifecycles(world: World) -> None:
    def label(**values: str) -> str:
        return writes("$1/launch.toml", "".join(f'[[labels]]\nkey = "{k}"\nvalue = "{v}"\n' for k, v in values.items()))

    world.pack("a", label(one="a", two="a") + "sed -i 's/one/io.buildpacks.rebasable/' $1/launch.toml")
    world.pack("b", label(two="b", three="b"))
    world.order("a b web")
    world.make()
    labels = world.stored.labels
    assert [labels.get(name) for name in ("one", "two", "three", "io.buildpacks.rebasable")] == [None, "b", "b", "true"]
