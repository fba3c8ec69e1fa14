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
