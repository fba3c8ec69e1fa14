"""Text of users that would like to be something else: another field, a query, another's right."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest

from tests.api.clone import Clone
from tests.api.house import House

SQL = (
    "' OR 1=1 --",
    '" OR ""="',
    "%",
    "_%",
    "*",
    "name;drop table apps",
    "x') UNION SELECT token FROM tokens --",
    "\\",
)


@pytest.fixture(scope="module")
def app(house: House) -> str:
    house.create("hostile-app")
    return "hostile-app"


def test_t08_what_git_and_http_carry_reaches_no_other_field(house: House, app: str, tmp_path: Path) -> None:
    clone, branch = Clone(house, tmp_path / "clone", app), "feat;actor=root,\"x'&branch=main"
    head = clone.commit(Procfile="web: serve\n")
    clone.git("commit", "-q", "--amend", "--author", 'M; origin=api "root" <a;b@x>', "-m", "x\r\nactor: root\0"[:-1])
    head = clone.git("rev-parse", "HEAD").stdout.strip()
    assert clone.git("push", "-o", "actor=root@localhost;deploy=now", "wherry", "main").returncode != 0
    assert clone.push(f"main:refs/heads/{branch}")[0] == 0
    assert clone.push("main")[0] == 0
    headers = {
        "X-Forwarded-For": "6.6.6.6",
        "Forwarded": "for=6.6.6.6",
        "X-Request-Id": "chosen",
        "X-Real-IP": "6.6.6.6",
    }
    asked = house.call("PATCH", f"/apps/{app}/config-vars", {"A": "1"}, headers=headers)
    with house.world.ledger.begin(read_only=True) as tx:
        events = tx.events.of_app(app)
        build = tx.builds.of_app(tx.apps.by_name(app).id)[0]
    pushed = [each for each in events if each.action == "push"]
    assert [(each.actor, dict(each.after)) for each in pushed] == [
        ("owner@example.org", {"branch": "main", "commit": head, "build": build.id})
    ]
    changed = next(each for each in events if each.action == "config.change")
    assert changed.origin == f"api 127.0.0.1 request {asked.headers['Request-Id']}"
    assert (build.branch, build.source.commit, build.actor.email) == ("main", head, "owner@example.org")


@pytest.mark.parametrize("text", SQL)
def test_t35_no_filter_name_or_range_is_read_as_a_query(house: House, app: str, text: str) -> None:
    house.create("others-own", by="other") if text == SQL[0] else None
    given = quote(text, safe="")
    for path in (
        f"/pipelines?eq[name]={given}",
        f"/apps/{given}",
        f"/apps/{app}/releases/{given}",
        f"/apps/{app}/builds/{given}",
        f"/apps/{app}/collaborators/{given}",
        f"/apps/{app}/domains/{given}",
        f"/apps/{app}/log-drains/{given}",
        f"/apps/{app}/webhooks/{given}",
        f"/apps/{app}/cron-runs/{given}",
        f"/account/keys/{given}",
        f"/oauth/authorizations/{given}",
        f"/pipelines/{given}",
    ):
        answer = house.call("GET", path)
        assert (answer.status, answer.json) == (200, []) or answer.status == 404, (path, answer.text)
    for header in (
        f"name {text}..; max=10",
        f"name ..{text}",
        f"{text} ..",
        f"name ..; order={text}",
        f"name ..; max={text}",
    ):
        answer = house.call("GET", "/apps", headers={"Range": header})
        assert answer.status in (200, 206, 416), (header, answer.text)
        if answer.status != 416:
            assert "others-own" not in answer.text
    for field in ("source", "dyno", "type"):
        session = house.call("POST", f"/apps/{app}/log-sessions", {field: text})
        assert session.status in (201, 422), session.text
    assert house.call("GET", f"/apps/{app}").status == 200
