"""What a build finds of the one before: rules 13, 14, 18 (Buildpack API "Layer Types", "Phase #2")."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.conformance.world import World, layer

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]


def test_rule13_contents_and_metadata_of_a_cached_layer_are_of_one_build(world: World) -> None:
    """The previous image is an older one (a rollback), the cache that of the newest build: neither is mixed."""
    show = 'echo "$(cat "$1/l/n" 2>/dev/null || echo -) $(grep -hs key "$1/l.toml" || echo -)"\n'
    for number in (1, 2, 3):
        made = layer("l", "cache launch", ("n", str(number)))
        world.pack("a", f"{show}{made}printf '[metadata]\\nkey = {number}\\n' >>\"$1/l.toml\"")
        world.order("a web")
        if number == 1:
            assert world.make() == ["- -"]
            first = world.image
        elif number == 2:
            assert world.make(again=True) == ["1 key = 1"]
    world.image = first
    assert world.make(again=True) == ["2 key = 2"]


def test_rule13_nothing_comes_back_to_another_app(world: World) -> None:
    world.pack("a", 'ls "$1"; ' + layer("l", "cache", ("n", "1")))
    world.order("a web")
    assert world.make() == []
    world.build(world.app, app_id=2)
    assert world.spoken == []


REUSES = """
    if [ -f "$1/l.toml" ]; then
        ls -d "$1/l" 2>/dev/null || echo "without contents"
        printf '[types]\\nlaunch = true\\n' >>"$1/l.toml"
    else
        MAKE
        printf '[metadata]\\nkey = 1\\n' >>"$1/l.toml"
        printf '{"name": "bill of l"}' >"$1/l.sbom.cdx.json"
        printf '{"name": "bill of l"}' >"$1/l.sbom.spdx.json"
    fi
"""


def test_rule14_a_layer_that_is_reused_keeps_its_bytes_its_bills_and_what_it_adds(world: World) -> None:
    files = [
        ("bin/mine", "#!/bin/sh\\necho mine\\n"),
        ("env/FROM_ENV", "env"),
        ("env.launch/web/FROM_WEB", "web"),
        ("exec.d/one", '#!/bin/sh\\necho FROM_EXEC=\\\\\\"exec\\\\\\" >&3\\n'),
        ("profile.d/p.sh", "export FROM_PROFILE=profile\\n"),
    ]
    world.pack("a", REUSES.replace("MAKE", layer("l", "launch", *files)))
    command = 'command = ["bash", "-c", "mine; echo $FROM_ENV $FROM_WEB $FROM_EXEC"]'
    world.pack("web", f"""printf '[[processes]]\\ntype = "web"\\n{command}\\n' >"$1/launch.toml\"""")
    world.order("a web")
    assert world.make() == []
    first = world.stored
    show = "/cnb/process/web; /cnb/lifecycle/launcher 'echo \"$FROM_PROFILE\"'"
    expected = (0, "mine\nenv web exec\nprofile\n")
    assert world.run("-c", show, entry="/bin/sh") == expected
    for forgets in (False, True):
        if forgets:  # then what the layer adds is read from the layer itself
            shutil.rmtree(world.home / "caches")
        assert world.make(again=True) == ["without contents"]
        assert world.run("-c", show, entry="/bin/sh") == expected
        assert world.stored.layers == first.layers
    bills = world.files(world.layer_of("layers/sbom/launch/x_a/l/sbom.spdx.json"))
    assert json.loads(bills["layers/sbom/launch/x_a/l/sbom.cdx.json"][1]) == {"name": "bill of l"}


def test_rule14_nothing_comes_back_from_an_image_of_another_execution_environment(world: World) -> None:
    world.pack("a", REUSES.replace("MAKE", f"echo made; {layer('l', 'launch')}"))
    world.order("a web")
    assert world.make() == ["made"]
    world.relabel("lifecycle.metadata", **{"exec-env": "test"})
    assert world.make(again=True) == ["made"]


def test_rule14_a_layer_to_reuse_that_is_nowhere_fails_the_export(world: World) -> None:
    world.pack("a", "printf '[types]\\nlaunch = true\\n' >\"$1/l.toml\"")
    world.order("a web")
    failure = world.fails()
    assert failure.message == "the buildpack x/a reuses its layer l, which the previous image does not have"


def test_rule14_metadata_that_is_not_claimed_again_leaves_the_image(world: World) -> None:
    world.pack("a", f'[ -f "$1/l.toml" ] || {{ {layer("l", "launch", ("n", "1"))} }}')
    world.order("a web")
    world.make()
    world.make(again=True)
    assert [each["layers"] for each in world.label("lifecycle.metadata")["buildpacks"]] == [{}, {}]


def test_rule18_the_store_comes_back_for_as_long_as_it_is_written(world: World) -> None:
    write = 'printf "[metadata]\\nseen = 1\\n[metadata.deep]\\nx = [1, 2]\\n" >"$1/store.toml"'
    world.pack("a", f'grep -hs seen "$1/store.toml" || echo first; {write}')
    world.order("a web")
    assert world.make() == ["first"]
    store = {"metadata": {"seen": 1, "deep": {"x": [1, 2]}}}
    assert world.label("lifecycle.metadata")["buildpacks"][0]["store"] == store
    assert world.make(again=True) == ["seen = 1"]
