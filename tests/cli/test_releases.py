"""releases:info, :diff, :retry and a rollback across a release phase, typed."""

from __future__ import annotations

import json

from tests.api.house import House
from tests.cli.conftest import Terminal


def test_info_shows_what_ran_and_its_config_and_diff_hides_values(house: House, terminal: Terminal, app: str) -> None:
    terminal.env["WHERRY_APP"] = app
    assert terminal.wherry("config:set", "TOKEN=it's $secret", "--no-wait").code == 0
    shown = terminal.wherry("releases:info", "v2").out
    for words in ("Release v2", "Process web:", "1:basic  serve", "v2 Config vars", "TOKEN: it's $secret"):
        assert words in shown
    assert terminal.wherry("releases:info", "v2", "-s").out == "TOKEN='it'\"'\"'s $secret'\n"
    assert json.loads(terminal.wherry("releases:info", "2", "--json").out)["formation"]["web"]["quantity"] == 1
    for words in (["releases:diff", "v1", "v2"], ["releases", "diff", "1"]):
        said = terminal.wherry(*words)
        assert (said.code, said.out) == (0, f"=== {app} v1..v2\n+ config TOKEN: [REDACTED]\n"), said.err
    assert json.loads(terminal.wherry("releases:diff", "1", "2", "--json").out)["changes"][0]["area"] == "config"
    assert "Nothing changes." in terminal.wherry("releases:diff", "v2", "v2").err
    assert terminal.wherry("releases:diff", "v2", "v9").code == 4


def test_retry_and_a_rollback_across_a_release_phase(house: House, terminal: Terminal, app: str) -> None:
    terminal.env["WHERRY_APP"] = app
    house.release(app, {"web": "serve", "release": "migrate"})
    assert terminal.wherry("ps:scale").out == "web=1:basic\n"
    assert "migrate" not in terminal.wherry("ps").out
    retried = terminal.wherry("releases:retry")
    assert (retried.code, f"Retrying v2 on {app}... done, v3" in retried.err) == (0, True), retried.err
    assert "Release phase: migrate" in terminal.wherry("releases:output").out
    refused = terminal.wherry("rollback", "v1")
    assert (refused.code, "release phase of v2, v3" in refused.err, "--force" in refused.err) == (14, True, True)
    forced = terminal.wherry("rollback", "v1", "--force", "--json")
    assert forced.code == 0, forced.err
    assert json.loads(forced.out)["description"] == "Rollback to v1"


def test_deploy_plan_reads_the_commit_that_would_be_pushed(house: House, terminal: Terminal, app: str) -> None:
    terminal.env["WHERRY_APP"] = app
    assert "not known here" in terminal.wherry("deploy:plan").err
    terminal.git("init", "-q", "-b", "main")
    (terminal.folder / "Procfile").write_text("web: serve --fast\nworker: work\n")
    terminal.git("add", "-A")
    terminal.git("commit", "-q", "-m", "One")
    (terminal.folder / "Procfile").write_text("web: uncommitted\n")
    commit = terminal.git("rev-parse", "HEAD").out.strip()
    said = terminal.wherry("deploy:plan")
    assert said.code == 0, said.err
    assert said.out.startswith(f"=== {app}: v1 -> {commit[:12]}\n~ commit: ")
    assert "~ process web: serve -> serve --fast\n" in said.out
    assert "worker" not in said.out
    assert "What is not committed" in said.err
    assert json.loads(terminal.wherry("deploy", "plan", "--json").out)["commit"] == commit
