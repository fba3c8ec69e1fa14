"""What the forms of an app change, and what a refused one says."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event
from wherry.domain.autoscale import Autoscale
from wherry.domain.cron import CronTask, Due
from wherry.domain.formation import Scale
from wherry.domain.model import App, JobKind
from wherry.domain.roles import Role
from wherry.domain.secret import Secret

from tests.portal.harbour import Harbour, Visitor

SHOP = "/dashboard/apps/shop"


@pytest.fixture
def app(harbour: Harbour) -> App:
    made = harbour.app(harbour.user())
    harbour.release(made, config={"TOKEN": "s3cret-<value>", "OLD": "1"})
    return made


@pytest.fixture
def ada(harbour: Harbour, app: App) -> Visitor:
    return harbour.client(app.owner)


def words(answer: Any) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def actions(harbour: Harbour) -> list[str]:
    with harbour.ledger.begin(read_only=True) as tx:
        return [each.action for each in tx.events.of_app("shop")]


def config(harbour: Harbour, app: App) -> dict[str, str]:
    with harbour.ledger.begin(read_only=True) as tx:
        return {key: value.reveal() for key, value in tx.apps.config(app.id).items()}


def test_values_of_config_are_shown_to_who_asks_and_that_is_an_event(harbour: Harbour, ada: Visitor) -> None:
    page = ada.get(f"{SHOP}/config")
    assert "TOKEN" in page.text
    assert "s3cret" not in page.text
    assert "config.read" not in actions(harbour)
    assert ada.get(f"{SHOP}/config/reveal").status_code == 405
    shown = ada.post(f"{SHOP}/config/reveal")
    assert "s3cret-<value>" in words(shown)
    assert shown.headers["Cache-Control"] == "no-store"
    assert actions(harbour)[0] == "config.read"


def test_several_keys_of_a_form_are_one_release(harbour: Harbour, app: App, ada: Visitor) -> None:
    fields = {"key-1": "A", "value-1": "two\r\nlines ", "key-2": "EMPTY", "lines": "B='x y'\r\nC=3\r\n"}
    answer = ada.post(f"{SHOP}/config/set", **fields)
    assert answer.status_code == 303
    assert "v2 is being rolled out" in words(ada.get(answer.location))
    added = {"A": "two\nlines ", "EMPTY": "", "B": "x y", "C": "3"}
    assert config(harbour, app) == {"TOKEN": "s3cret-<value>", "OLD": "1", **added}
    ada.post(f"{SHOP}/config/unset", key=["A", "OLD"])
    assert set(config(harbour, app)) == {"TOKEN", "EMPTY", "B", "C"}
    with harbour.ledger.begin(read_only=True) as tx:
        assert [each.number for each in tx.releases.of_app(app.id)] == [3, 2, 1]


@pytest.mark.parametrize(
    ("fields", "said", "beside"),
    [
        ({"key-2": "1A", "value-2": "kept"}, "'1A' is not a key: letters, digits and underscores", "key-2"),
        ({"key-1": "PORT", "value-1": "1"}, "PORT is set by the platform", "key-1"),
        ({"value-3": "1"}, "a value without a key", "key-3"),
        ({"key-1": "A", "key-2": "A"}, "A stands twice", "key-1"),
        ({"lines": "A=$B"}, "lines:1: the value of A has a $ outside single quotes", "lines"),
        ({}, "there is nothing to set", ""),
    ],
)
def test_b06_refused_config_stands_beside_its_field_in_the_cli_s_words(
    harbour: Harbour, app: App, ada: Visitor, fields: dict[str, str], said: str, beside: str
) -> None:
    before, answer = config(harbour, app), ada.post(f"{SHOP}/config/set", **fields)
    assert answer.status_code == 422
    assert said.lower() in words(answer).lower()
    assert re.findall(r'<(?:input|textarea) id="([a-z0-9-]+)"[^>]* autofocus', answer.text) == (
        [beside] if beside else []
    )
    assert all(html.escape(value) in answer.text for value in fields.values())
    assert config(harbour, app) == before


def test_a_refused_scale_names_each_type_and_keeps_what_was_typed(harbour: Harbour, app: App, ada: Visitor) -> None:
    answer = ada.post(f"{SHOP}/scale", type=["web", "worker"], quantity=["101", "2"], size=["basic", "none"])
    assert answer.status_code == 422
    assert "101 is not between 0 and 100" in words(answer)
    assert "no size 'none'" in words(answer)
    assert 'value="101"' in answer.text
    assert (
        ada.post(f"{SHOP}/scale", type=["web", "worker"], quantity=["2", "3"], size=["basic", "large"]).status_code
        == 303
    )
    with harbour.ledger.begin(read_only=True) as tx:
        assert {name: each.quantity for name, each in tx.apps.formation(app.id).items()} == {"web": 2, "worker": 3}


def test_what_load_decides_is_shown_and_the_form_leaves_it(harbour: Harbour, app: App, ada: Visitor) -> None:
    load = {"web": Scale(2, autoscale=Autoscale(2, 5, cpu=70)), "worker": Scale(0)}
    with harbour.ledger.begin() as tx:
        tx.apps.put_formation(app.id, load)
    page = ada.get(f"{SHOP}/processes")
    assert "2 to 5 by cpu 70%" in words(page)
    assert '<input type="hidden" name="quantity" value="2">' in page.text
    asked = {"type": ["web", "worker"], "size": ["large", "basic"]}
    assert ada.post(f"{SHOP}/scale", **asked, quantity=["2", "1"]).status_code == 303
    refused = ada.post(f"{SHOP}/scale", **asked, quantity=["3", "1"])
    assert (refused.status_code, "ps:autoscale:disable web" in words(refused)) == (422, True)
    with harbour.ledger.begin(read_only=True) as tx:
        assert tx.apps.formation(app.id)["web"] == replace(load["web"], size="large")


def test_processes_are_restarted_and_stopped_by_name_type_or_all(harbour: Harbour, app: App, ada: Visitor) -> None:
    for fields in ({}, {"type": "web"}, {"process": "web.1"}, {"process": "web.1", "stop": "yes"}):
        assert ada.post(f"{SHOP}/restart", **fields).status_code == 303
    assert actions(harbour)[:4] == ["process.stop", *["process.restart"] * 3]
    refused = ada.post(f"{SHOP}/restart", process="web.9")
    assert refused.status_code == 404
    assert "web.9" in words(refused)


def test_maintenance_is_switched(harbour: Harbour, app: App, ada: Visitor) -> None:
    assert "It is off" in words(ada.get(f"{SHOP}/processes"))
    ada.post(f"{SHOP}/maintenance", on="yes")
    assert "Maintenance is on." in words(ada.get(SHOP))
    with harbour.ledger.begin(read_only=True) as tx:
        assert JobKind.ROUTE in [job.kind for job in tx.jobs.waiting()]


def test_a_domain_waits_with_the_record_that_proves_it(harbour: Harbour, app: App, ada: Visitor) -> None:
    answer = ada.post(f"{SHOP}/domains/add", hostname="WWW.Bücher.example.org")
    page = words(ada.get(answer.location))
    assert "_wherry.www.xn--bcher-kva.example.org" in page
    name, value = harbour.world.domains.proof(harbour.world.domains.of_app(app)[0])
    assert value in page
    harbour.texts.records[name] = [value]
    with harbour.at(minutes=-1):
        ada.post(f"{SHOP}/domains/check", hostname="www.xn--bcher-kva.example.org")
    assert "is proved and answers" in words(ada.get(f"{SHOP}/domains"))
    for bad in ("localhost", "co.uk", "a b", "127.0.0.1", ""):
        refused = ada.post(f"{SHOP}/domains/add", hostname=bad)
        assert refused.status_code == 422
        assert "hostname: " in words(refused)
        assert 'aria-invalid="true"' in refused.text


def test_who_is_new_gets_a_link_that_is_shown_once(harbour: Harbour, app: App, ada: Visitor) -> None:
    answer = ada.post(f"{SHOP}/access/add", email="new@example.org", role=["view", "deploy"])
    assert answer.status_code == 201
    link = re.findall(r"/login\?token=[A-Za-z0-9_-]+", answer.text)[0]
    assert link not in ada.get(f"{SHOP}/access").text
    guest = harbour.client()
    assert guest.post("/login", link=link.partition("=")[2]).status_code == 303
    assert guest.get(SHOP).status_code == 200
    assert guest.post(f"{SHOP}/access/add", email="more@example.org", role="view").status_code == 403
    assert ada.post(f"{SHOP}/access/add", email="new@example.org", role="view").status_code == 409
    assert ada.post(f"{SHOP}/access/add", email="nobody", role="view").status_code == 422
    ada.post(f"{SHOP}/access/change", email="new@example.org", role="admin")
    with harbour.ledger.begin(read_only=True) as tx:
        assert tx.collaborators.of_app(app.id)[0].roles == {Role.VIEW, Role.ADMIN}
    ada.post(f"{SHOP}/access/remove", email="new@example.org")
    assert guest.get(SHOP).status_code == 404


def test_a_drain_s_login_is_not_shown_again(harbour: Harbour, app: App, ada: Visitor) -> None:
    answer = ada.post(f"{SHOP}/drains/add", url="https://user:pass@192.0.1.1/secret-path")
    page = ada.get(answer.location).text
    assert "https://192.0.1.1:443" in page
    assert "pass" not in page
    assert "secret-path" not in page
    inside = ada.post(f"{SHOP}/drains/add", url="https://127.0.0.1/in")
    assert inside.status_code == 422
    drain = harbour.world.drains.of_app(app)[0]
    assert ada.post(f"{SHOP}/drains/remove", drain=drain.token).status_code == 303
    assert ada.post(f"{SHOP}/drains/remove", drain=drain.token).status_code == 404


def test_a_cron_task_runs_now_and_its_output_can_be_read(harbour: Harbour, app: App, ada: Visitor) -> None:
    with harbour.ledger.begin() as tx:
        tx.crons.put(app.id, [Due(app.id, 1, CronTask("tidy", "0 3 * * *"), harbour.clock.now())])
    assert ada.post(f"{SHOP}/cron/tasks/1/run").status_code == 303
    page = ada.get(f"{SHOP}/cron")
    assert "cron.1001" in words(page)
    harbour.logs.append("cron-1", "tidied \x1b]0;x\x07 up")
    assert ada.get(f"{SHOP}/cron/runs/1/log.txt").text == "tidied \\x1b]0;x\\x07 up\n"
    assert ada.post(f"{SHOP}/cron/tasks/9/run").status_code == 404


def test_promote_releases_the_same_image_in_another_app(harbour: Harbour, app: App, ada: Visitor) -> None:
    live = harbour.app(app.owner, "shop-live")
    assert ada.post("/dashboard/pipelines", name="shop").location == "/dashboard/pipelines/1"
    assert ada.post("/dashboard/pipelines", name="Shop!").status_code == 422
    for name, stage in (("shop", "staging"), ("shop-live", "production")):
        assert ada.post("/dashboard/pipelines/1/apps", app=name, stage=stage).status_code == 303
    assert ada.post("/dashboard/pipelines/1/apps", app="none-such", stage="staging").status_code == 404
    done = ada.post("/dashboard/pipelines/1/promote", source="shop", target="shop-live")
    assert "Promoted shop: shop-live is v1." in words(ada.get(done.location))
    with harbour.ledger.begin(read_only=True) as tx:
        assert tx.releases.by_number(live.id, 1).image.digest == tx.releases.by_number(app.id, 1).image.digest
    assert "cannot be promoted to itself" in words(
        ada.post("/dashboard/pipelines/1/promote", source="shop", target="shop")
    )
    assert harbour.client(harbour.user("eve@example.org")).get("/dashboard/pipelines/1").status_code == 404
    ada.post("/dashboard/pipelines/1/move", app="shop-live", remove="yes")
    assert ada.post("/dashboard/pipelines/1/remove").location == "/dashboard/pipelines"


def test_a_token_is_shown_once_and_opens_what_its_scope_says(harbour: Harbour, ada: Visitor) -> None:
    made = ada.post("/dashboard/account/tokens", description="ci", scope="read", days="7")
    assert made.status_code == 201
    secret = re.findall(r'<code class="value">([^<]+)</code>', made.text)[0]
    actor = harbour.world.access.actor(Secret(secret), "")
    assert [str(each) for each in actor.scopes] == ["read"]
    assert secret not in ada.get("/dashboard/account").text
    number = harbour.world.tokens.all(actor)[0].id
    renewed = ada.post("/dashboard/account/tokens/rotate", id=str(number))
    assert renewed.status_code == 201
    assert secret not in renewed.text
    for path, fields in (
        ("tokens", {"days": "0"}),
        ("tokens", {"scope": "all"}),
        ("keys", {"public_key": "ssh-dss AAAA"}),
    ):
        refused = ada.post(f"/dashboard/account/{path}", **fields)
        assert refused.status_code == 422
        assert 'role="alert"' in refused.text
    ada.post("/dashboard/account/tokens/revoke", id=str(number))
    assert harbour.world.tokens.all(actor) == []
    assert ada.post("/dashboard/account/tokens/revoke", id="x").status_code == 404


def test_the_list_of_apps_asks_as_much_for_fifty_as_for_one(harbour: Harbour, app: App, ada: Visitor) -> None:
    def queries(path: str) -> int:
        count = 0

        def told(*_: object) -> None:
            nonlocal count
            count += 1

        engine = harbour.ledger._here.engine
        event.listen(engine, "before_cursor_execute", told)
        assert ada.get(path).status_code == 200
        event.remove(engine, "before_cursor_execute", told)
        return count

    one = queries("/dashboard")
    for number in range(60):
        harbour.app(app.owner, f"more-{number:02d}")
    assert queries("/dashboard?after=more-58") == one
    assert queries("/dashboard") == one
    first = ada.get("/dashboard").text
    assert "/dashboard?after=more-49" in first
    assert "more-50" not in first
