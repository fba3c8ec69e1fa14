"""T01: every route of the API × every kind of actor. A route without a row fails, and one whose row says another
permission than the table of routes.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from wherry.api import create_api
from wherry.api.routes.table import ROUTES
from wherry.api.tickets import LogTicket, TailTicket, Tickets
from wherry.domain.cron import CronTask, Due
from wherry.domain.image import Image
from wherry.domain.model import Build, JobKind, ReleaseStatus, Source
from wherry.domain.roles import Role
from wherry.domain.secret import Secret
from wherry.flow.access import digest

from tests.api.house import Answer, House, eventually

_numbers = itertools.count(1)
STRANGERS = ("anonymous", "unknown", "expired")
HANDS = {"view", "config", "configure", "change"}
EVERYTHING = HANDS | {"code", "operate", "run", "deploy", "admin", "share"}
MAY = {
    "other": set[str](),
    "viewer": {"view"},
    "operator": HANDS | {"operate", "run"},
    "deployer": HANDS | {"code", "deploy"},
    "app-admin": EVERYTHING,
    "owner": EVERYTHING,
    "admin": EVERYTHING,
}
ROLES = {"viewer": "view", "operator": "operate", "deployer": "deploy", "app-admin": "admin"}
READ = {"identity", "list", "view", "code"}
WRITE = READ | {"create", "change", "operate", "deploy", "admin"}
SCOPES = {
    "identity": {"identity"},
    "read": READ,
    "read-protected": READ | {"config"},
    "write": WRITE,
    "write-protected": WRITE | {"config", "configure", "run"},
}
ACTORS = (*STRANGERS, *MAY, *SCOPES)
ANYONE = ("identity", "list", "create", "account")


@dataclass(frozen=True)
class Row:
    """`seen`: the status for who may, by `needs` and MAY; others get 401 without a known token, 404 for an app that they
    may not see, 403 for one that they may. `open`: all may; `anyone`: who has a token.
    """

    seen: int = 200
    body: Any = None
    open: bool = False
    anyone: bool = False
    admin: bool = False
    needs: str = "view"

    def status(self, actor: str) -> int:
        if self.open:
            return self.seen
        if actor in STRANGERS:
            return 401
        if actor in SCOPES:  # a token of the owner with this scope
            return self.seen if self.needs in SCOPES[actor] and not self.admin else 403
        if self.admin:
            return self.seen if actor == "admin" else 403
        if self.anyone or self.needs in MAY[actor]:
            return self.seen
        return 403 if MAY[actor] else 404


AUTOSCALING = {"max_quantity": 3, "triggers": [{"type": "cpu", "metadata": {"value": 70}}]}
ROWS = {
    "GET /account": Row(anyone=True, needs="identity"),
    "PATCH /account": Row(anyone=True, body={"name": "Ada"}, needs="account"),
    "GET /users/~": Row(anyone=True, needs="identity"),
    "PATCH /users/~": Row(anyone=True, body={"name": "Ada"}, needs="account"),
    "GET /users": Row(admin=True),
    "POST /users": Row(201, {"email": "new@example.org"}, admin=True),
    "GET /users/<user>": Row(admin=True),
    "DELETE /users/<user>": Row(409, admin=True),
    "GET /oauth/authorizations": Row(anyone=True, needs="account"),
    "POST /oauth/authorizations": Row(201, {}, anyone=True, needs="account"),
    "GET /oauth/authorizations/<authorization>": Row(404, anyone=True, needs="account"),
    "PATCH /oauth/authorizations/<authorization>": Row(404, {"description": "x"}, anyone=True, needs="account"),
    "DELETE /oauth/authorizations/<authorization>": Row(404, anyone=True, needs="account"),
    "POST /oauth/authorizations/<authorization>/actions/regenerate-tokens": Row(404, anyone=True, needs="account"),
    "POST /oauth/tokens": Row(422, {}, open=True),
    "GET /account/rate-limits": Row(anyone=True, needs="identity"),
    "GET /account/features": Row(anyone=True, needs="identity"),
    "GET /regions": Row(anyone=True, needs="list"),
    "GET /regions/<region>": Row(anyone=True, needs="list"),
    "GET /teams": Row(anyone=True, needs="list"),
    "GET /spaces": Row(anyone=True, needs="list"),
    "GET /addons": Row(anyone=True, needs="list"),
    "GET /apps": Row(anyone=True, needs="list"),
    "POST /apps": Row(201, {}, anyone=True, needs="create"),
    "GET /stacks": Row(anyone=True, needs="list"),
    "GET /stacks/<stack>": Row(anyone=True, needs="list"),
    "POST /filters/apps": Row(body={"in": {"name": []}}, anyone=True, needs="list"),
    "GET /pipelines": Row(anyone=True, needs="list"),
    "POST /pipelines": Row(422, {}, anyone=True, needs="create"),
    "GET /pipelines/<pipeline>": Row(404, anyone=True, needs="list"),
    "PATCH /pipelines/<pipeline>": Row(404, {}, anyone=True, needs="create"),
    "DELETE /pipelines/<pipeline>": Row(404, anyone=True, needs="create"),
    "GET /pipelines/<pipeline>/pipeline-couplings": Row(404, anyone=True, needs="list"),
    "POST /pipeline-couplings": Row(422, {}, anyone=True, needs="create"),
    "GET /pipeline-couplings/<coupling>": Row(404, anyone=True, needs="list"),
    "PATCH /pipeline-couplings/<coupling>": Row(404, {}, anyone=True, needs="create"),
    "DELETE /pipeline-couplings/<coupling>": Row(404, anyone=True, needs="create"),
    "POST /pipeline-promotions": Row(422, {}, anyone=True, needs="create"),
    "GET /pipeline-promotions/<promotion>": Row(404, anyone=True, needs="list"),
    "GET /pipeline-promotions/<promotion>/promotion-targets": Row(404, anyone=True, needs="list"),
    "GET /addon-attachments": Row(anyone=True, needs="list"),
    "GET /account/app-transfers": Row(anyone=True, needs="account"),
    "POST /account/app-transfers": Row(422, {}, anyone=True, needs="account"),
    "GET /account/app-transfers/<transfer>": Row(404, anyone=True, needs="account"),
    "PATCH /account/app-transfers/<transfer>": Row(404, {"state": "accepted"}, anyone=True, needs="account"),
    "DELETE /account/app-transfers/<transfer>": Row(404, anyone=True, needs="account"),
    "GET /account/keys": Row(anyone=True, needs="account"),
    "POST /account/keys": Row(422, {}, anyone=True, needs="account"),
    "GET /account/keys/<key>": Row(404, anyone=True, needs="account"),
    "DELETE /account/keys/<key>": Row(404, anyone=True, needs="account"),
    "GET /apps/<app>": Row(),
    "PATCH /apps/<app>": Row(body={}, needs="change"),
    "DELETE /apps/<app>": Row(needs="admin"),
    "GET /apps/<app>/config-vars": Row(needs="config"),
    "GET /apps/<app>/config-names": Row(needs="config"),
    "PATCH /apps/<app>/config-vars": Row(body={"A": "1"}, needs="configure"),
    "GET /apps/<app>/buildpack-installations": Row(),
    "PUT /apps/<app>/buildpack-installations": Row(body={"updates": [{"buildpack": "wherry/python"}]}, needs="deploy"),
    "GET /apps/<app>/formation": Row(),
    "PATCH /apps/<app>/formation": Row(body={"updates": [{"type": "web", "quantity": 2}]}, needs="operate"),
    "GET /apps/<app>/formation/<type>": Row(),
    "PATCH /apps/<app>/formation/<type>": Row(body={"quantity": 2}, needs="operate"),
    "PUT /apps/<app>/formation/<type>/autoscaling": Row(body=AUTOSCALING, needs="operate"),
    "DELETE /apps/<app>/formation/<type>/autoscaling": Row(404, needs="operate"),
    "GET /apps/<app>/releases": Row(),
    "POST /apps/<app>/releases": Row(201, {"release": "v1"}, needs="change"),
    "GET /apps/<app>/releases/<release>": Row(),
    "GET /apps/<app>/slugs/<slug>": Row(404),
    "POST /apps/<app>/deploy-plan": Row(200, {}),
    "GET /apps/<app>/releases/<release>/diff/<other>": Row(),
    "POST /apps/<app>/rebase": Row(201, needs="deploy"),
    "GET /apps/<app>/ejection/<kind>": Row(needs="config"),
    "POST /apps/<app>/adoption": Row(422, {}, needs="deploy"),
    "GET /users/~/apps": Row(anyone=True, needs="list"),
    "GET /apps/<app>/releases/<release>/config-vars": Row(needs="config"),
    "GET /apps/<app>/releases/<release>/sbom": Row(),
    "GET /v2/": Row(anyone=True, needs="identity"),
    "GET /v2/<app>/<type>/<path:image>": Row(400, needs="code"),
    "POST /v2/<app>/<type>/<path:image>": Row(400, needs="deploy"),
    "PATCH /v2/<app>/<type>/<path:image>": Row(400, needs="deploy"),
    "PUT /v2/<app>/<type>/<path:image>": Row(400, needs="deploy"),
    "DELETE /v2/<app>/<type>/<path:image>": Row(400, needs="deploy"),
    "GET /apps/<app>/events": Row(),
    "GET /events": Row(admin=True),
    "GET /events/chain": Row(admin=True),
    "GET /apps/<app>/collaborators": Row(),
    "POST /apps/<app>/collaborators": Row(201, {"user": "other@example.org"}, needs="share"),
    "GET /apps/<app>/collaborators/<collaborator>": Row(),
    "PATCH /apps/<app>/collaborators/<collaborator>": Row(body={"permissions": ["view"]}, needs="share"),
    "DELETE /apps/<app>/collaborators/<collaborator>": Row(needs="share"),
    "GET /apps/<app>/addons": Row(),
    "POST /apps/<app>/addons": Row(422, {}, needs="operate"),
    "GET /apps/<app>/addon-attachments": Row(),
    "GET /apps/<app>/sni-endpoints": Row(),
    "POST /apps/<app>/sni-endpoints": Row(422, {}, needs="operate"),
    "GET /apps/<app>/log-drains": Row(needs="operate"),
    "POST /apps/<app>/log-drains": Row(422, {}, needs="operate"),
    "GET /apps/<app>/log-drains/<path:drain>": Row(404, needs="operate"),
    "DELETE /apps/<app>/log-drains/<path:drain>": Row(404, needs="operate"),
    "GET /apps/<app>/webhooks": Row(needs="operate"),
    "POST /apps/<app>/webhooks": Row(422, {}, needs="operate"),
    "GET /apps/<app>/webhooks/<webhook>": Row(404, needs="operate"),
    "PATCH /apps/<app>/webhooks/<webhook>": Row(404, {}, needs="operate"),
    "DELETE /apps/<app>/webhooks/<webhook>": Row(404, needs="operate"),
    "GET /apps/<app>/webhook-deliveries": Row(needs="operate"),
    "GET /apps/<app>/webhook-deliveries/<delivery>": Row(404, needs="operate"),
    "GET /apps/<app>/webhook-events": Row(needs="operate"),
    "GET /apps/<app>/webhook-events/<event>": Row(404, needs="operate"),
    "GET /apps/<app>/domains": Row(),
    "POST /apps/<app>/domains": Row(422, {}, needs="operate"),
    "GET /apps/<app>/domains/<domain>": Row(404),
    "DELETE /apps/<app>/domains/<domain>": Row(404, needs="operate"),
    "GET /apps/<app>/pipeline-couplings": Row(404),
    "GET /apps/<app>/features": Row(),
    "GET /apps/<app>/features/<feature>": Row(),
    "PATCH /apps/<app>/features/<feature>": Row(body={"enabled": True}, needs="operate"),
    "GET /apps/<app>/builds": Row(),
    "GET /apps/<app>/builds/<build>": Row(),
    "POST /apps/<app>/builds": Row(422, {}, needs="deploy"),
    "DELETE /apps/<app>/builds/<build>": Row(needs="deploy"),
    "POST /apps/<app>/sources": Row(201, needs="deploy"),
    "POST /sources": Row(201, anyone=True, needs="create"),
    "PUT /streams/sources/<ticket>": Row(404, open=True),
    "GET /apps/<app>/builds/<build>/result": Row(),
    "GET /apps/<app>/dynos": Row(),
    "POST /apps/<app>/dynos": Row(201, {"command": "true"}, needs="run"),
    "POST /apps/<app>/dynos/<dyno>": Row(404, {"command": "true"}, needs="run"),
    "GET /apps/<app>/dynos/<dyno>": Row(404),
    "DELETE /apps/<app>/dynos": Row(202, needs="operate"),
    "DELETE /apps/<app>/dynos/<dyno>": Row(202, needs="operate"),
    "POST /apps/<app>/dynos/<dyno>/actions/stop": Row(202, needs="operate"),
    "DELETE /apps/<app>/formations/<type>": Row(202, needs="operate"),
    "POST /apps/<app>/formations/<type>/actions/stop": Row(202, needs="operate"),
    "GET /dyno-sizes": Row(anyone=True, needs="list"),
    "GET /dyno-sizes/<size>": Row(anyone=True, needs="list"),
    "GET /apps/<app>/cron-tasks": Row(),
    "POST /apps/<app>/cron-tasks/<task>/actions/run": Row(202, needs="operate"),
    "GET /apps/<app>/cron-runs": Row(),
    "GET /apps/<app>/cron-runs/<run>": Row(404),
    "POST /apps/<app>/log-sessions": Row(201, {}),
    "GET /streams/logs/<ticket>": Row(open=True),
    "GET /streams/sessions/<ticket>": Row(open=True),
    "GET /health/live": Row(open=True),
    "GET /health/ready": Row(open=True),
    "GET /": Row(302, open=True),
    "GET /openapi.json": Row(open=True),
    "GET /<name>.git/<path:rest>": Row(needs="code"),
    "POST /<name>.git/<path:rest>": Row(415, needs="code"),
    "POST /hooks/pre-receive": Row(401, open=True),
    "POST /hooks/post-receive": Row(401, open=True),
}


@dataclass(frozen=True)
class Target:
    """An app of the owner with two releases and a build, untouched yet."""

    app: str
    app_id: int
    build: Build
    release_id: int


@pytest.fixture
def target(house: House) -> Target:
    return new_target(house)


def new_target(house: House) -> Target:
    name = f"target-{next(_numbers)}"
    app = house.world.create.run(house.user("owner"), name)
    _leave_to_itself(house, app.id)
    now, owner = house.world.clock.now(), house.user("owner")
    with house.world.ledger.begin() as tx:
        build = tx.builds.add(app.id, owner, "main", "0" * 40, Source("c" * 40, "t" * 40, "/nowhere"), now)
        for number in (1, 2):
            image = Image(f"apps/{app.id}", f"sha256:{number:064x}", {"web": "serve"})
            release = tx.releases.append(app.id, owner, "Deploy", image, {}, now)
            tx.releases.finish(release.id, ReleaseStatus.SUCCEEDED, now)
        for name_of, role in ROLES.items():
            user = tx.accounts.ensure(f"{name_of}@example.org", admin=False)
            tx.collaborators.put(app.id, user, frozenset({Role.VIEW, Role(role)}), now)
        tx.crons.put(app.id, [Due(app.id, 1, CronTask("tidy", "0 0 1 1 *"), None)])
    house.world.logs.close(f"release-{release.id}", "succeeded")
    return Target(name, app.id, build, release.id)


def _leave_to_itself(house: House, app_id: int) -> None:
    """The worker must not find the releases that are written below, and run them."""
    with house.world.ledger.begin() as tx:
        tx.jobs.drop(JobKind.CONVERGE, app_id)
    eventually(lambda: app_id not in _converging(house))


def _converging(house: House) -> set[int]:
    with house.world.ledger.begin(read_only=True) as tx:
        return {job.subject for job in tx.jobs.waiting() if job.kind is JobKind.CONVERGE}


def routes(house: House) -> list[tuple[str, str]]:
    rules = create_api(house.world).url_map.iter_rules()
    return sorted((method, rule.rule) for rule in rules for method in (rule.methods or set()) - {"HEAD"})


def test_t01_every_route_has_a_row(house: House) -> None:
    assert sorted(f"{method} {rule}" for method, rule in routes(house)) == sorted(ROWS)


def test_t01_every_row_says_what_the_table_of_routes_says() -> None:
    """But where a route asks for more by what the body says."""
    for route in ROUTES:
        row, name = ROWS[route.name], str(route.needs)
        known = {"open": route.needs is None, "anyone": name in ANYONE, "admin": name == "platform"}
        assert {key: getattr(row, key) for key in known} == known, route.name
        if not any(known.values()):
            assert row.needs == name or name == "change", route.name
        if known["anyone"]:
            assert row.needs == name, route.name


@pytest.mark.parametrize("route", sorted(ROWS))
def test_t01_each_route_answers_each_actor_as_its_row_says(house: House, target: Target, route: str) -> None:
    method, rule = route.split(" ")
    row = ROWS[route]
    for actor in sorted(ACTORS, key=lambda each: row.status(each) == row.seen):
        answer = ask(house, method, path_of(house, rule, target), row, actor)
        status = 200 if answer.status == 206 else answer.status  # a list may have grown beyond its first page by now
        assert status == row.status(actor), (actor, answer.text)
        if status in (401, 403, 404) and not rule.startswith(("/<name>", "/hooks")):
            assert set(answer.json) >= {"id", "message", "request_id"}
        if status == 403:
            assert answer.json["id"] == "forbidden" if not rule.startswith("/<name>") else answer.text
        if method != "GET" and status == row.seen and not row.open and not row.anyone:
            target = new_target(house)


def test_a_refusal_says_which_role_is_needed(house: House, target: Target) -> None:
    refused = house.call("GET", f"/apps/{target.app}/config-vars", by="viewer")
    assert (refused.status, refused.json["id"]) == (403, "forbidden")
    assert refused.json["message"] == f"this needs the role operate or deploy on {target.app}; yours: view"


@pytest.mark.parametrize(
    ("path", "body", "who"),
    [
        ("", {"name": "other-name-of-it"}, {"app-admin"}),
        ("", {"maintenance": True}, {"app-admin", "operator"}),
        ("", {"build_stack": "container"}, {"app-admin", "deployer"}),
        ("/formation", {"updates": [{"type": "web", "docker_image": "nothing"}]}, {"app-admin", "deployer"}),
        ("/formation", {"updates": [{"type": "web", "quantity": 2}]}, {"app-admin", "operator"}),
    ],
)
def test_t01_a_part_of_a_route_asks_for_its_own_permission(
    house: House, target: Target, path: str, body: Any, who: set[str]
) -> None:
    """Nothing of a body is done when a part of it may not be."""
    for actor in ROLES:
        answer = house.call("PATCH", f"/apps/{target.app}{path}", body, by=actor)
        assert (answer.status != 403) == (actor in who), (actor, answer.text)
        if answer.status == 200:
            target = new_target(house)


def test_lists_show_what_an_actor_may_see(house: House, target: Target) -> None:
    def names(path: str, by: str) -> set[str]:
        answer = house.call("GET", path, by=by, headers={"Range": "name ..; max=1000"})
        return {each["name"] for each in answer.json}

    assert target.app in names("/apps", "viewer") & names("/users/~/apps", "viewer")
    assert target.app in names("/apps", "admin") - names("/users/~/apps", "admin")
    assert target.app not in names("/apps", "other")


def test_t01_a_foreign_app_and_a_missing_one_look_the_same(house: House, target: Target) -> None:
    foreign = house.call("GET", f"/apps/{target.app}", by="other").json
    missing = house.call("GET", "/apps/target-0", by="other").json
    foreign.pop("request_id")
    missing.pop("request_id")
    assert str(foreign).replace(target.app, "X") == str(missing).replace("target-0", "X")


def test_t02_a_nested_object_of_another_app_is_missing(house: House, target: Target) -> None:
    own = house.create(f"own-{next(_numbers)}", by="other")
    with house.world.ledger.begin() as tx:
        release = tx.releases.of_app(target.app_id)[0]
        name = tx.apps.by_id(own).name
    shown = house.call("GET", f"/apps/{target.app}/releases/v1").json
    build = house.call("GET", f"/apps/{target.app}/builds/{target.build.id}").json
    for path in (f"releases/{shown['id']}", f"builds/{build['id']}", f"builds/{target.build.id}", "releases/v2"):
        assert house.call("GET", f"/apps/{name}/{path}", by="other").status == 404, path
    rolled = house.call("POST", f"/apps/{name}/releases", {"release": shown["id"]}, by="other")
    assert rolled.status == 404
    assert release.number == 2


def path_of(house: House, rule: str, target: Target) -> str:
    tickets = Tickets(house.world.ticket_key)
    log = tickets.for_log(LogTicket(target.app_id, "release", target.release_id))
    ticket = (
        tickets.for_tail(TailTicket(target.app_id, 10, False, "", "", "owner@example.org"))
        if "sessions" in rule
        else log
    )
    values = {
        "<app>": target.app,
        "<name>": target.app,
        "<type>": "web",
        "<release>": "v1",
        "<other>": "v2",
        "<kind>": "compose",
        "<build>": str(target.build.id),
        "<stack>": "container",
        "<size>": "basic",
        "<task>": "1",
        "<run>": "cron.1001",
        "<dyno>": "web.1",
        "<region>": "local",
        "<feature>": "preboot",
        "<domain>": "www.example.org",
        "<path:drain>": "d.none",
        "<ticket>": ticket,
        "<collaborator>": "viewer@example.org",
        "<user>": "owner@example.org",
        "<authorization>": "00000000-0000-0000-0000-000000000000",
        "<path:rest>": "info/refs?service=git-upload-pack",
        "<path:image>": "manifests/-bad",
    }
    for name, value in values.items():
        rule = rule.replace(name, value)
    return rule


def ask(house: House, method: str, path: str, row: Row, actor: str) -> Answer:
    headers = {"Authorization": "Bearer nobody-knows-this"} if actor == "unknown" else None
    by = None if actor in ("anonymous", "unknown") else actor
    if actor in SCOPES and actor not in house.users:
        owner = house.user("owner")
        house.users[actor] = owner, house.world.tokens.create(owner, "", [actor], None)[1].reveal()
    if actor == "expired" and actor not in house.users:
        house.user(actor)
        now = house.world.clock.now()
        with house.world.ledger.begin() as tx:
            token = Secret(house.token(actor))
            tx.accounts.drop_token(digest(token))
            tx.accounts.add_token(house.user(actor), digest(token), "", now, now - timedelta(minutes=5))
    if method == "POST" and ".git/" in path:
        path = path.replace("info/refs?service=git-upload-pack", "git-upload-pack")
    return house.call(method, path, row.body, by=by, headers=headers)
