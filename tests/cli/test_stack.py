"""`wherry stack`, with Heroku's verbs."""

from __future__ import annotations

from tests.cli.conftest import Terminal


def test_a_stack_is_chosen_and_has_the_star(terminal: Terminal, app: str) -> None:
    assert terminal.wherry("stack", "-a", app).out == f"=== {app} Available Stacks\n  container\n* wherry-12\n"
    said = terminal.wherry("stack:set", "container", "-a", app)
    assert (said.code, said.out) == (0, "")
    assert "Setting stack to container... done" in said.err
    assert "git push wherry main" in said.err
    assert "* container" in terminal.wherry("stack", "-a", app).out
    refused = terminal.wherry("stack:set", "heroku-24", "-a", app)
    assert refused.code == 3
    assert "have container, wherry-12" in refused.err


def test_an_image_is_released_for_the_types_that_are_named(terminal: Terminal, app: str) -> None:
    image = f"allowed.example/hello@sha256:{'1' * 64}"
    said = terminal.wherry("container:release", "web", "worker", "--image", image, "-a", app, "--no-wait")
    assert said.code == 0, said.err
    assert f"Releasing images web, worker to {app}... done, v2" in said.err
    assert "Deployed web" in terminal.wherry("releases", "-a", app).out
    refused = terminal.wherry("container:release", "web", "--image", f"b.example/x@sha256:{'1' * 64}", "-a", app)
    assert (refused.code, "is not a place that images may come from" in refused.err) == (3, True)
