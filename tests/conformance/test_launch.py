"""The launcher: rules 16 and 23, 24's band of launch (Platform API "launcher"). Run in containers of the image."""

from __future__ import annotations

import pytest

from tests.conformance.world import World, layer, processes

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]

LAUNCHER = "/cnb/lifecycle/launcher"


def sets(name: str, value: str) -> str:
    """A program of exec.d, as `layer` takes it."""
    return f'#!/bin/sh\\nprintf "%%s\\\\n" "{name} = \\\\\\"{value}\\\\\\"" >&3\\n'


STAGES = [
    ("env/ORDER.append", "env"),
    ("env/ORDER.delim", " "),
    ("env.launch/ORDER.append", "env.launch"),
    ("env.launch/ORDER.delim", " "),
    ("env.launch/web/ORDER.append", "env.launch/web"),
    ("env.launch/web/ORDER.delim", " "),
    ("env.build/ORDER", "never"),
    ("env.launch/other/ORDER", "never"),
    ("exec.d/1", sets("ORDER", "$ORDER exec.d")),
    ("exec.d/web/1", sets("ORDER", "$ORDER exec.d/web")),
    ("exec.d/other/1", "#!/bin/sh\\nexit 1\\n"),
    ("profile.d/p.sh", 'ORDER="$ORDER profile.d"\\n'),
    ("profile.d/web/p.sh", 'ORDER="$ORDER profile.d/web"\\n'),
]


def test_rule23_what_sets_variables_comes_in_its_order_and_the_apps_profile_last(world: World) -> None:
    world.pack("a", layer("l", "launch", *STAGES))
    world.pack("old", processes("web: command = 'echo \"$ORDER\"'"), api="0.8")
    world.pack("new", processes("direct: command = ['sh', '-c', 'echo \"$ORDER\"']"))
    (world.app / ".profile").write_text('export ORDER="$ORDER .profile"\n')
    world.order("a old new")
    world.make()
    script = (
        f"/cnb/process/web; /cnb/process/direct; {LAUNCHER} 'echo \"$ORDER\"'; {LAUNCHER} -- sh -c 'echo \"$ORDER\"'"
    )
    assert world.run("-c", script, entry="/bin/sh", ORDER="given")[1].splitlines() == [
        "given env env.launch env.launch/web exec.d exec.d/web profile.d profile.d/web .profile",
        "given env env.launch exec.d",
        "given env env.launch exec.d profile.d .profile",
        "given env env.launch exec.d",
    ]


def test_rule23_buildpacks_then_layers_then_files_go_by_their_order(world: World) -> None:
    """Env of one buildpack after that of another; all programs of exec.d after all env files, those for a type last."""
    for pack in ("b", "a"):
        makes = [
            layer(
                name,
                "launch",
                ("env/E.append", f"{pack}{name} "),
                ("exec.d/2", sets("X", f"${{X}}{pack}{name}2 ")),
                ("exec.d/1", sets("X", f"${{X}}{pack}{name}1 ")),
                ("exec.d/web/0", sets("X", f"${{X}}{pack}{name}web ")),
            )
            for name in ("y", "x")
        ]
        world.pack(pack, "".join(makes))
    world.pack("show", processes("web: command = ['sh', '-c', 'echo \"$E\"; echo \"$X\"']"))
    world.order("b a show")
    world.make()
    env, programs = world.run()[1].splitlines()
    assert env.split() == ["bx", "by", "ax", "ay"]
    assert programs.split() == [
        *("bx1", "bx2", "by1", "by2", "ax1", "ax2", "ay1", "ay2"),
        *("bxweb", "byweb", "axweb", "ayweb"),
    ]


def test_rule23_launch_layers_add_to_the_paths_and_layers_for_building_add_nothing(world: World) -> None:
    mine = ("bin/mine", "#!/bin/sh\\necho $0\\n")
    world.pack("a", layer("one", "launch", mine, ("lib/x", "")) + layer("two", "launch", mine, ("include/x", "")))
    world.pack("b", layer("l", "build", mine, ("env/B", "b")) + layer("m", "cache", mine))
    show = "for v in PATH LD_LIBRARY_PATH LIBRARY_PATH CPATH B; do eval echo \\\\$$v; done"
    world.pack(
        "c", processes(f"web: command = ['sh', '-c', '{show.replace(chr(92) * 2, chr(92))}']", "m: command = ['mine']")
    )
    world.order("a b c")
    world.make()
    usual = world.stack.run.env["PATH"]
    paths = [f"/layers/x_a/two/bin:/layers/x_a/one/bin:{usual}", "/layers/x_a/one/lib", "", "", ""]
    assert world.run()[1].splitlines() == paths
    assert world.run(entry="m") == (0, "/layers/x_a/two/bin/mine\n")


def test_rule16_env_files_at_launch_follow_their_suffixes_to_the_letter(world: World) -> None:
    first = [
        ("env/OVER", "a"),
        ("env/APPEND.append", "a"),
        ("env/PREPEND.prepend", "a"),
        ("env/DEFAULT.default", "a"),
        ("env/GIVEN.default", "a"),
        ("env/STRANGE.strange", "a"),
        ("env/TWO.dots.append", "a"),
        ("env/LINES", "a\\n\\n"),
        ("env/HOSTILE", "$(id) `id` $HOME \\\\ \\047"),
    ]
    second = [("env/APPEND.append", "b"), ("env/PREPEND.prepend", "b"), ("env.launch/PREPEND.delim", "-")]
    second += [
        ("env.launch/PREPEND.prepend", "c"),
        ("env/DEFAULT.default", "b"),
        ("env.launch/OVER.override", "launch"),
    ]
    world.pack("a", layer("l", "launch", *first) + layer("m", "launch", *second))
    show = 'echo "$OVER $APPEND $PREPEND $DEFAULT $GIVEN ${STRANGE-none} ${TWO-none}"; printf %s "$LINES" | wc -l'
    world.pack("show", processes(f"web: command = ['sh', '-c', '''{show}; echo \"$HOSTILE\"''']"))
    world.order("a show")
    world.make()
    assert world.run(GIVEN="given")[1].splitlines() == [
        "launch ab c-ba a given none none",
        "2",
        "$(id) `id` $HOME \\ '",
    ]


def test_rule23_the_process_takes_the_launchers_place_and_sees_nothing_of_it(world: World) -> None:
    show = "env | grep -e ^CNB_ -e ^PATH; echo $$"
    world.pack("new", processes(f"web: command = ['sh', '-c', '{show}']"))
    world.pack("old", processes(f"old: command = '{show}'"), api="0.8")
    world.order("new old")
    world.make()
    usual = world.stack.run.env["PATH"]
    for entry, args in (("web", ()), ("old", ()), (LAUNCHER, (show,)), (LAUNCHER, ("--", "sh", "-c", show))):
        lines = world.run(*args, entry=entry)[1].splitlines()
        lines = [line for line in lines if line.partition("=")[0] not in world.stack.run.env or "PATH=" in line]
        assert lines == [f"PATH={usual}", "1"], entry


def test_rule23_any_command_runs_as_it_is_or_in_a_shell(world: World) -> None:
    world.order("web")
    world.make()
    script = f"{LAUNCHER} -- printf '<%s>' '$HOME'; echo; {LAUNCHER} 'printf \"<%s>\" $PWD'; echo; {LAUNCHER} printf '<%s>' '$PWD'"
    assert world.run("-c", script, entry="/bin/sh") == (0, "<$HOME>\n</workspace>\n</workspace>")


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("exit 3", "exec.d/p failed"),
        ("echo A = 1 >&3", "the output of /layers/x_a/l/exec.d/p cannot be read"),
    ],
)
def test_rule24_a_start_that_fails_ends_with_a_code_of_the_launchers_band(
    world: World, program: str, words: str
) -> None:
    world.pack("a", layer("l", "launch", ("exec.d/p", f"#!/bin/sh\\n{program}\\n")))
    world.order("a web")
    world.make()
    code, said = world.run()
    assert code == 82
    assert words in said


def test_rule24_the_launcher_without_a_command_says_so(world: World) -> None:
    world.order("web")
    world.make()
    code, said = world.run(entry=LAUNCHER)
    assert (code, "say what to run" in said) == (82, True)
