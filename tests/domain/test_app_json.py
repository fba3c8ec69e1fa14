"""app.json: what is taken, what is refused, and that all of it is told at once."""

from __future__ import annotations

import json

import pytest
from wherry.domain import app_json
from wherry.domain.app_json import EnvWish
from wherry.domain.autoscale import Autoscale
from wherry.domain.cron import CronTask, Policy
from wherry.domain.errors import InvalidInput
from wherry.domain.formation import FormationWish
from wherry.domain.health import Check, Kind
from wherry.domain.volume import Volume

FULL = {
    "name": "shop",
    "env": {
        "COLOUR": "red",
        "KEY": {"description": "signs", "generator": "secret"},
        "URL": {"required": True},
        "MAYBE": {"required": False, "value": ""},
    },
    "formation": {"web": {"quantity": 2, "size": "Standard-1X"}, "worker": {"quantity": 0}},
    "scripts": {"postdeploy": "bin/seed"},
    "healthchecks": {
        "web": [
            {"type": "startup", "name": "up", "path": "/up", "attempts": 5, "wait": 0, "initialDelay": 2, "timeout": 3},
            {"type": "liveness", "command": ["bin/alive", "-q"], "port": 9000},
        ],
        "worker": [{"uptime": 3}],
    },
    "cron": [
        {"command": "bin/tidy", "schedule": " */5  * * * * ", "concurrency_policy": "forbid", "maintenance": True}
    ],
}


def parse(value: object) -> app_json.AppJson:
    return app_json.parse(json.dumps(value).encode())


def problems(value: object) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        parse(value)
    return list(caught.value.evidence)


def test_all_that_is_used_is_read() -> None:
    found = parse(FULL)
    assert found.env == {
        "COLOUR": EnvWish("red", required=False),
        "KEY": EnvWish(secret=True),
        "URL": EnvWish(),
        "MAYBE": EnvWish("", required=False),
    }
    assert found.formation == {"web": FormationWish(2, "standard-1x"), "worker": FormationWish(0)}
    assert found.postdeploy == "bin/seed"
    assert found.healthchecks == {
        "web": (
            Check(name="up", path="/up", attempts=5, wait=0, delay=2, timeout=3),
            Check(Kind.LIVENESS, command=("bin/alive", "-q"), port=9000),
        ),
        "worker": (Check(uptime=3),),
    }
    assert found.cron == (CronTask("bin/tidy", "*/5 * * * *", Policy.FORBID, True),)


def test_what_is_kept_reads_as_it_was() -> None:
    found = parse(FULL)
    assert app_json.read(json.loads(json.dumps(app_json.write(found)))) == found
    assert app_json.write(app_json.NOTHING) is None
    assert app_json.read(None) is app_json.NOTHING


def test_a_check_without_a_way_to_look_asks_the_front_page() -> None:
    assert parse({"healthchecks": {"web": [{"type": "readiness"}]}}).healthchecks["web"] == (
        Check(Kind.READINESS, path="/"),
    )


def test_what_is_somebody_elses_is_left_alone_and_what_does_nothing_is_said() -> None:
    found = parse({"expo": {"name": "x"}, "addons": ["heroku-postgresql"], "scripts": {"dokku": {"predeploy": "x"}}})
    assert found == app_json.NOTHING
    assert [notice.split(" does")[0] for notice in found.notices] == ["app.json: addons", "app.json: scripts.dokku"]


def test_every_fault_is_told_with_its_path() -> None:
    assert problems(
        {
            "env": {"1A": "x", "PORT": "1", "B": {"generator": "uuid"}, "C": 5},
            "formation": {"web": {"quantity": -1, "size": "1Gi"}, "Web": {}},
            "healthchecks": {
                "web": [{"path": "up", "timeout": "5"}, {"type": "alive", "pth": "/"}, {"path": "/", "command": ["a"]}]
            },
            "cron": [{"command": " ", "schedule": "@daily", "concurrency_policy": "never"}],
            "scripts": {"postdeploy": ["x"]},
        }
    ) == [
        "app.json: env.1A: a name has letters, digits and underscores, no digit first, at most 128",
        "app.json: env.PORT: this variable is set by the platform",
        'app.json: env.B.generator: there is "secret" only',
        "app.json: env.C: must be an object, is a number",
        "app.json: formation.web.quantity: must be 0 to 100",
        "app.json: formation.web.size: no size '1Gi' (there are: " + ", ".join(_sizes()) + ")",
        "app.json: formation.Web: it is not a process type",
        "app.json: healthchecks.web[0].path: must begin with / and have neither blanks nor control characters",
        "app.json: healthchecks.web[0].timeout: must be a whole number, is a string",
        "app.json: healthchecks.web[1].pth: not known (known are: attempts, command, content, description, httpHeaders, "
        "initialDelay, listening, name, onFailure, path, port, scheme, timeout, type, uptime, wait, warn)",
        "app.json: healthchecks.web[1].type: there are: startup, readiness, liveness",
        "app.json: healthchecks.web[2]: must have one of path, command, listening and uptime",
        "app.json: cron[0].command: there is none",
        "app.json: cron[0].schedule: must have five fields, as in '*/10 * * * *'",
        "app.json: cron[0].concurrency_policy: there are: allow, forbid, replace",
        "app.json: scripts.postdeploy: must be a string, is a list",
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{",
        b"\xff{}",
        b'{"env": {"A": "1", "A": "2"}}',
        b"[" * 100_000,
        b'{"a": "\\ud800"}',
        b'{"a": NaN}',
        b" " * 300_000,
        b"9" * 5000,
    ],
)
def test_what_is_no_document_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidInput, match=r"^app\.json "):
        app_json.parse(content)


def test_a_byte_order_mark_is_taken() -> None:
    assert app_json.parse(b"\xef\xbb\xbf{}") == app_json.NOTHING


@pytest.mark.parametrize("path", ["/a b", "/\n", "//x\r\nHost: y", "/é"])
def test_t08_no_path_can_leave_its_line(path: str) -> None:
    assert len(problems({"healthchecks": {"web": [{"path": path}]}})) == 1
    header = {"name": "X-A", "value": path}
    faults = {"healthchecks": {"web": [{"path": "/", "httpHeaders": [header]}]}}
    assert path == "/a b" or len(problems(faults)) == 1


def _sizes() -> list[str]:
    from wherry.domain.formation import SIZES

    return list(SIZES)


def test_load_and_volumes_are_read_in_dokkus_words_and_kept() -> None:
    wish = {"min_quantity": 2, "max_quantity": 9, "triggers": [{"type": "cpu", "metadata": {"value": "70"}}]}
    volumes = {"worker": [{"name": "data", "path": "/data", "size_mb": 2048}]}
    found = app_json.parse(json.dumps({"formation": {"web": {"autoscaling": wish}}, "volumes": volumes}).encode())
    assert found.autoscaling == {"web": Autoscale(2, 9, cpu=70)}
    assert found.volumes == {"worker": (Volume("data", "/data", 2048),)}
    kept = app_json.read(app_json.write(found))
    assert (kept.autoscaling, kept.volumes, kept.formation) == (found.autoscaling, found.volumes, found.formation)


def test_every_fault_of_load_and_volumes_is_told() -> None:
    wish = {"min_quantity": 3, "max_quantity": 2, "triggers": [{"type": "moon"}, {"type": "cpu", "metadata": {}}]}
    volumes = {
        "worker": [
            {"name": "Data", "path": "/usr/lib", "size_mb": 0},
            {"name": "a", "path": "/data", "size_mb": 1},
            {"name": "b", "path": "/data", "size_mb": 1},
        ],
        "web": [{"name": "a", "path": "/workspace", "size_mb": 1}],
    }
    found = problems({"formation": {"web": {"autoscaling": wish}}, "volumes": volumes})
    assert [each.removeprefix("app.json: ") for each in found] == [
        "formation.web.autoscaling.triggers[0].type: there are: cpu, memory, requests",
        "formation.web.autoscaling.triggers[1].metadata.value: must be there",
        "formation.web.autoscaling.max_quantity: must be there, and not below min_quantity",
        "volumes.worker[0].size_mb: must be 1 to 16777216",
        "volumes.worker[0].name: must be lower-case letters, digits and dashes, a letter first, 30 at most",
        "volumes.worker[0].path: must be a folder that is not the system's or the app's own, such as /data",
        "volumes.worker[0].size_mb: must be there: 1 to 16777216",
        "volumes.worker: a path stands twice",
        "volumes.web[0].path: must be a folder that is not the system's or the app's own, such as /data",
        "volumes: each volume is one process type's: a name stands twice",
    ]
    load = {"min_quantity": 1, "max_quantity": 2, "triggers": [{"type": "cpu", "metadata": {"value": 70}}]}
    formation = {"a": {"quantity": 2, "autoscaling": load}, "b": {"quantity": 1}, "c": {"quantity": 3}}
    each = {name: [{"name": name, "path": "/data", "size_mb": 1}] for name in ("a", "b", "c")}
    assert [each.split(":")[1] for each in problems({"formation": formation, "volumes": each})] == [
        " formation.a.quantity",
        " formation.a.autoscaling",
        " formation.c.quantity",
    ]
