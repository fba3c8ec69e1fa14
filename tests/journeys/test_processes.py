"""Restart, sizes and maintenance of an app that runs, as a user types them."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from tests.journeys.harness import App, Platform, eventually, steady_requests


@pytest.fixture(scope="module")
def app(platform: Platform) -> App:
    app = platform.create("lively", "procfile-only")
    app.push()
    return app


def ids(app: App) -> set[tuple[object, object]]:
    found = json.loads(app.wherry("ps", "--json").out)
    return {(each["name"], each["created_at"]) for each in found}


def ids_so_far(app: App) -> set[tuple[object, object]]:
    """Of a second that is over: times are told in whole ones, and what starts later is to look later."""
    found = ids(app)
    eventually(lambda: all(str(at) < datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for _, at in found))
    return found


def status(app: App) -> int:
    """0 while the router itself is down."""
    try:
        return app.get()[0]
    except OSError:
        return 0


def test_a_restart_drops_no_request_though_the_worker_is_killed_amid(app: App) -> None:
    app.wherry("ps:scale", "web=2")
    eventually(lambda: len(ids(app)) == 2)
    before = ids_so_far(app)
    with steady_requests(app, 100) as knocks:
        app.wherry("ps:restart")
        app.platform.kill("worker")
        eventually(lambda: not ids(app) & before and len(ids(app)) == 2)
        app.wherry("ps:wait")
        both = ids_so_far(app)
        app.wherry("restart", "web.1")
        eventually(lambda: len(ids(app) - both) == 1 and len(ids(app)) == 2)
    assert knocks.failures == []
    assert knocks.requests > 100
    assert len(app.releases()) == 1


def test_a_stopped_process_comes_back_and_a_size_is_taken_over(app: App) -> None:
    before = ids_so_far(app)
    app.wherry("ps:stop", "web.2")
    eventually(lambda: len(ids(app) - before) == 1 and len(ids(app)) == 2)
    said = app.wherry("ps:type", "Standard-2X").out
    assert "standard-2x" in said
    eventually(lambda: not ids(app) & before)
    assert app.wherry("ps:stop", "web.9", check=False).code == 4
    assert app.wherry("ps:scale", "web=2:1Gi", "nope=1", check=False).code == 3


def test_maintenance_answers_503_with_a_page_and_survives_a_restart_of_the_router(app: App) -> None:
    assert app.wherry("maintenance").out == "off\n"
    app.wherry("maintenance:on")
    eventually(lambda: app.get()[0] == 503)
    assert "H80" in app.get()[1]
    app.platform.kill("router")
    eventually(lambda: status(app) == 503)
    app.say("Behind the curtain")
    app.push()
    assert app.get()[0] == 503
    assert app.wherry("maintenance").out == "on\n"
    app.wherry("maintenance:off")
    eventually(lambda: "Behind the curtain" in app.get()[1])


def test_a_first_deploy_follows_its_app_json(platform: Platform) -> None:
    app = platform.create("wishful", "procfile-only")
    app.write("Procfile", "web: exec python3 server.py\nworker: exec sleep 600\n")
    wishes = {
        "env": {"COLOUR": "red", "KEY": {"generator": "secret"}, "URL": {}},
        "formation": {"web": {"quantity": 1, "size": "standard-2x"}, "worker": {"quantity": 1}},
        "scripts": {"postdeploy": "echo seeded in $COLOUR"},
        "healthchecks": {
            "web": [{"path": "/", "content": "Hello"}],
            "worker": [{"command": ["python3", "-c", "import sys; sys.exit(0)"]}],
        },
    }
    app.write("app.json", json.dumps({**wishes, "formation": {"web": {"quantity": "2"}}}))
    app.commit("A slip")
    said = app.push(check=False)
    assert said.code != 0
    assert "app.json: formation.web.quantity: must be a whole number, is a string" in said.all
    app.write("app.json", json.dumps(wishes))
    app.commit("Mended")
    said = app.push(check=False)
    assert said.code != 0
    assert "env.URL: it has no value" in said.all
    app.wherry("config:set", "URL=http://example.org")
    said = app.push().all
    assert "seeded in red" in said
    assert app.wherry("ps:scale").out == "web=1:standard-2x worker=1:basic\n"
    assert len(app.wherry("config:get", "KEY").out) == 65
    app.commit("Again")
    assert "seeded" not in app.push().all


def test_a_release_that_fails_its_health_check_never_serves_and_a_sick_process_is_restarted(
    platform: Platform,
) -> None:
    app = platform.create("healthy", "procfile-only")
    alive = {"type": "liveness", "command": ["test", "!", "-e", "sick"], "attempts": 2, "wait": 1}
    app.write("app.json", json.dumps({"healthchecks": {"web": [{"path": "/"}, alive]}}))
    app.write("Procfile", "web: exec python3 server.py\n")
    app.commit("Well")
    app.push()
    app.write("app.json", json.dumps({"healthchecks": {"web": [{"path": "/", "content": "Bonjour", "attempts": 1}]}}))
    app.commit("Unwell")
    said = app.push().all
    assert "web.1 failed its startup check: the answer to GET / lacks 'Bonjour' (one try)" in said
    assert [status for _, status in app.history()] == ["failed", "succeeded"]
    assert app.get()[0] == 200

    app.write("Procfile", "web: (sleep 4; touch sick) & exec python3 server.py\n")
    app.write("app.json", json.dumps({"healthchecks": {"web": [alive]}}))
    app.commit("Falls sick")
    app.push()
    before = ids_so_far(app)
    eventually(lambda: not ids(app) & before)
    assert "failed its liveness check 2 times" in (platform.home / "log" / "worker.log").read_text()


def test_cron_runs_on_its_schedule_and_by_hand_and_outlives_the_worker(platform: Platform) -> None:
    app = platform.create("clockwork", "procfile-only")
    tasks = [
        {"command": "echo tidied $COLOUR by $DYNO", "schedule": "* * * * *"},
        {"command": WAITS, "schedule": "0 0 1 1 *", "concurrency_policy": "forbid"},
    ]
    app.write("app.json", json.dumps({"cron": tasks, "env": {"COLOUR": "red"}}))
    app.commit("Scheduled")
    app.push()
    started = json.loads(app.wherry("cron:run", "2", "--no-wait", "--json").out)
    log = platform.home / "logs" / f"cron-{int(started['name'][5:]) - 1000}.jsonl"
    eventually(lambda: log.exists() and "began" in log.read_text())
    platform.kill("worker")
    heard = log.read_text().count("waiting")
    assert app.wherry("cron:run", "2", check=False).code == 5
    eventually(lambda: log.read_text().count("waiting") > heard + 5)  # so the next worker reads what it writes
    let_go(app, started["name"])
    eventually(lambda: history(app)[started["name"]]["status"] != "running")
    ended = history(app)[started["name"]]
    assert (ended["status"], ended["exit_code"]) == ("failed", 3)
    assert "ended" in app.wherry("cron:output", started["name"]).out

    eventually(lambda: any(each["task"] == 1 and each["status"] == "succeeded" for each in history(app).values()), 150)
    run = next(each for each in history(app).values() if each["task"] == 1)
    assert f"tidied red by {run['name']}" in app.wherry("cron:output", str(run["name"])).out
    assert "* * * * *" in app.wherry("cron").out

    stuck = json.loads(app.wherry("cron:run", "2", "--no-wait", "--json").out)["name"]
    eventually(lambda: history(app)[stuck]["status"] == "running")
    eventually(lambda: f"{stuck}: " in app.wherry("ps").out)
    app.wherry("ps:stop", stuck)
    eventually(lambda: stuck not in app.wherry("ps", "--json").out)
    assert history(app)[stuck]["status"] == "stopped"
    assert [each["name"] for each in json.loads(app.wherry("ps", "web", "--json").out)] == ["web.1"]


WAITS = "echo began; until [ -e /tmp/go ]; do echo waiting; sleep 0.2; done; echo ended; exit 3"


def let_go(app: App, run: str) -> None:
    """What waits for a file in its container finds it."""
    kind, _, index = run.partition(".")
    wanted = {"app-name": app.name, "type": kind, "index": index}
    filters = [word for name, value in wanted.items() for word in ("--filter", f"label=wherry.{name}={value}")]
    found = app.platform.run("docker", "ps", "--quiet", *filters).out.split()
    assert len(found) == 1, run
    app.platform.run("docker", "exec", found[0], "touch", "/tmp/go")


def history(app: App) -> dict[str, dict[str, object]]:
    return {each["name"]: each for each in json.loads(app.wherry("cron:history", "-n", "100", "--json").out)}
