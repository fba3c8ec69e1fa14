"""Every route that changes something leaves an event that names its request; a new one without a row here is tried as the
matrix does, and fails when it left none.
"""

from __future__ import annotations

import base64
import io
import json
import secrets
import tarfile
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from wherry.api.routes.table import ROUTES
from wherry.domain.paging import Window

from tests.api.house import Answer, House
from tests.api.test_matrix import AUTOSCALING, ROWS, Target, path_of
from tests.api.test_matrix import target as target  # the fixture

Try = tuple[str, Any]
"""A path and a body."""

QUIET = {
    "POST /filters/apps": "looks apps up",
    "POST /apps/<app>/deploy-plan": "changes nothing",
    "PATCH /apps/<app>/features/<feature>": "takes only what is so already",
    "POST /apps/<app>/log-sessions": "opens a log to read",
    "POST /apps/<app>/sources": "says where an upload may go; building it is the change",
    "POST /sources": "the same",
    "PUT /streams/sources/<ticket>": "the upload itself, by a signed URL",
    "POST /apps/<app>/addons": "always refused",
    "POST /apps/<app>/sni-endpoints": "always refused",
}
ADDRESS_ONLY = {"POST /oauth/tokens": ("api 127.0.0.1",)}
CHANGING = sorted(route.name for route in ROUTES if route.method not in ("GET", "HEAD"))


def _upload(house: House, target: Target) -> Try:
    source = house.call("POST", "/sources").json["source_blob"]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo("Procfile")
        content = b"web: serve\n"
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    put = house.call("PUT", urlsplit(source["put_url"]).path, raw=buffer.getvalue(), by=None)
    assert put.status == 200, put.text
    return f"/apps/{target.app}/builds", {"source_blob": {"url": source["get_url"]}}


def _domain(house: House, target: Target) -> Try:
    return f"/apps/{target.app}/domains", {"hostname": f"www.{target.app}.example.org"}


def _removed_domain(house: House, target: Target) -> Try:
    path, body = _domain(house, target)
    made = house.call("POST", path, body)
    assert made.status == 201, made.text
    return f"{path}/{made.json['id']}", None


def _inside(house: House, target: Target) -> Try:
    name = f"{target.app}-in"
    house.create(name)
    house.release(name)
    return f"/apps/{name}/dynos/web.1", {"command": "true"}


def _person(house: House, target: Target) -> Answer:
    made = house.call("POST", "/users", {"email": f"person-{target.app_id}@example.org"}, by="admin")
    assert made.status == 201, made.text
    return made


def _entered(house: House, target: Target) -> Try:
    code = _person(house, target).json["login_url"].partition("?token=")[2]
    return "/oauth/tokens", {"grant": {"type": "authorization_code", "code": code}}


def _authorization(house: House, target: Target) -> str:
    made = house.call("POST", "/oauth/authorizations", {})
    assert made.status == 201, made.text
    return str(made.json["id"])


def _key(house: House, target: Target) -> Try:
    public = Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return "/account/keys", {"public_key": public.decode()}


def _removed_key(house: House, target: Target) -> Try:
    path, body = _key(house, target)
    made = house.call("POST", path, body)
    assert made.status == 201, made.text
    return f"{path}/{made.json['id']}", None


def _pipeline(house: House, target: Target) -> str:
    made = house.call("POST", "/pipelines", {"name": f"line-{target.app_id}"})
    assert made.status == 201, made.text
    return str(made.json["id"])


def _coupling(house: House, target: Target, stage: str = "staging", pipeline: str = "", app: str = "") -> str:
    line = pipeline or _pipeline(house, target)
    body = {"pipeline": line, "app": app or target.app, "stage": stage}
    made = house.call("POST", "/pipeline-couplings", body)
    assert made.status == 201, made.text
    return str(made.json["id"])


def _promotion(house: House, target: Target) -> Try:
    line, live = _pipeline(house, target), f"{target.app}-live"
    house.create(live)
    _coupling(house, target, "staging", line)
    _coupling(house, target, "production", line, live)
    ids = [house.call("GET", f"/apps/{name}").json["id"] for name in (target.app, live)]
    return "/pipeline-promotions", {
        "pipeline": {"id": line},
        "source": {"app": {"id": ids[0]}},
        "targets": [{"app": {"id": ids[1]}}],
    }


def _drain(house: House, target: Target) -> Try:
    return f"/apps/{target.app}/log-drains", {"url": "https://192.0.1.1/in"}


def _removed_drain(house: House, target: Target) -> Try:
    path, body = _drain(house, target)
    made = house.call("POST", path, body)
    assert made.status == 201, made.text
    return f"{path}/{made.json['token']}", None


def _offer(house: House, target: Target) -> Try:
    return "/account/app-transfers", {"app": target.app, "recipient": "deployer@example.org"}


def _offered(house: House, target: Target, by: str = "owner") -> Try:
    """One that `by` may answer."""
    house.user("viewer")
    app, whom = target.app, "owner@example.org" if by == "viewer" else "deployer@example.org"
    if by == "viewer":  # the owner of the row is who is offered it
        app = f"{target.app}-theirs"
        house.create(app, by="viewer")
        house.call("POST", f"/apps/{app}/collaborators", {"user": whom, "force": True}, by="viewer")
    made = house.call("POST", "/account/app-transfers", {"app": app, "recipient": whom}, by=by)
    assert made.status == 201, made.text
    return f"/account/app-transfers/{made.json['id']}", {"state": "declined"}


def _adoption(house: House, target: Target) -> Try:
    name = f"{target.app}-back"
    house.create(name)
    files = house.call("GET", f"/apps/{target.app}/ejection/compose").json["files"]
    return f"/apps/{name}/adoption", {"history": json.loads(files["history.json"])}


def _webhook(house: House, target: Target) -> Try:
    asked = {"url": "https://192.0.1.1/in", "include": ["api:release"], "level": "notify"}
    return f"/apps/{target.app}/webhooks", asked


def _made_webhook(house: House, target: Target) -> str:
    path, body = _webhook(house, target)
    made = house.call("POST", path, body)
    assert made.status == 201, made.text
    return f"{path}/{made.json['id']}"


def _key(house: House, target: Target) -> Try:
    """ssh-ed25519 of any 32 bytes."""
    parts = (b"ssh-ed25519", secrets.token_bytes(32))
    body = base64.b64encode(b"".join(len(part).to_bytes(4) + part for part in parts)).decode()
    return "/account/keys", {"public_key": f"ssh-ed25519 {body}"}


def _removed_key(house: House, target: Target) -> Try:
    path, body = _key(house, target)
    made = house.call("POST", path, body)
    assert made.status == 201, made.text
    return f"{path}/{made.json['id']}", None


def _no_autoscaling(house: House, target: Target) -> Try:
    path = f"/apps/{target.app}/formation/web/autoscaling"
    assert house.call("PUT", path, AUTOSCALING).status == 200
    return path, None


TRIES: dict[str, Callable[[House, Target], Try]] = {
    "PATCH /apps/<app>": lambda house, target: (f"/apps/{target.app}", {"name": f"{target.app}-x"}),
    "POST /apps/<app>/dynos/<dyno>": _inside,
    "PATCH /account": lambda house, target: ("/account", {"name": f"Ada {target.app_id}"}),
    "PATCH /users/~": lambda house, target: ("/users/~", {"name": f"Ada {target.app_id}"}),
    "POST /users": lambda house, target: ("/users", {"email": f"one-{target.app_id}@example.org"}),
    "DELETE /users/<user>": lambda house, target: (
        f"/users/{_person(house, target).json['email']}",
        None,
    ),
    "PATCH /oauth/authorizations/<authorization>": lambda house, target: (
        f"/oauth/authorizations/{_authorization(house, target)}",
        {"description": "renamed"},
    ),
    "DELETE /oauth/authorizations/<authorization>": lambda house, target: (
        f"/oauth/authorizations/{_authorization(house, target)}",
        None,
    ),
    "POST /oauth/authorizations/<authorization>/actions/regenerate-tokens": lambda house, target: (
        f"/oauth/authorizations/{_authorization(house, target)}/actions/regenerate-tokens",
        None,
    ),
    "POST /oauth/tokens": _entered,
    "POST /account/keys": _key,
    "DELETE /account/keys/<key>": _removed_key,
    "POST /pipelines": lambda house, target: ("/pipelines", {"name": f"line-{target.app_id}"}),
    "PATCH /pipelines/<pipeline>": lambda house, target: (
        f"/pipelines/{_pipeline(house, target)}",
        {"name": f"row-{target.app_id}"},
    ),
    "DELETE /pipelines/<pipeline>": lambda house, target: (f"/pipelines/{_pipeline(house, target)}", None),
    "POST /pipeline-couplings": lambda house, target: (
        "/pipeline-couplings",
        {"pipeline": _pipeline(house, target), "app": target.app, "stage": "staging"},
    ),
    "PATCH /pipeline-couplings/<coupling>": lambda house, target: (
        f"/pipeline-couplings/{_coupling(house, target)}",
        {"stage": "test"},
    ),
    "DELETE /pipeline-couplings/<coupling>": lambda house, target: (
        f"/pipeline-couplings/{_coupling(house, target)}",
        None,
    ),
    "POST /pipeline-promotions": _promotion,
    "POST /apps/<app>/builds": _upload,
    "POST /apps/<app>/domains": _domain,
    "POST /apps/<app>/log-drains": _drain,
    "DELETE /apps/<app>/log-drains/<path:drain>": _removed_drain,
    "POST /account/app-transfers": _offer,
    "PATCH /account/app-transfers/<transfer>": lambda house, target: _offered(house, target, by="viewer"),
    "DELETE /account/app-transfers/<transfer>": lambda house, target: (_offered(house, target)[0], None),
    "POST /apps/<app>/adoption": _adoption,
    "POST /apps/<app>/webhooks": _webhook,
    "PATCH /apps/<app>/webhooks/<webhook>": lambda house, target: (_made_webhook(house, target), {"level": "sync"}),
    "DELETE /apps/<app>/webhooks/<webhook>": lambda house, target: (_made_webhook(house, target), None),
    "DELETE /apps/<app>/domains/<domain>": _removed_domain,
    "DELETE /apps/<app>/formation/<type>/autoscaling": _no_autoscaling,
}


@pytest.mark.parametrize("route", [each for each in CHANGING if each not in QUIET])
def test_t36_each_change_leaves_an_event_of_its_request(house: House, target: Target, route: str) -> None:
    method, rule = route.split(" ")
    made = TRIES.get(route, lambda house, target: (path_of(house, rule, target), ROWS[route].body))
    path, body = made(house, target)
    by = "admin" if ROWS[route].admin else "owner"
    answer = house.call(method, path, body, by=by)
    assert answer.status < 300, f"{route} needs a row in TRIES that changes something: {answer.text}"
    assert events_of(house, answer, *ADDRESS_ONLY.get(route, ())), f"{route} answered {answer.status} and left no event"


def test_what_is_quiet_is_a_route() -> None:
    assert set(QUIET) <= set(CHANGING)


def events_of(house: House, answer: Answer, *also: str) -> list[str]:
    request = f"api 127.0.0.1 request {answer.headers['Request-Id']}"
    with house.world.ledger.begin(read_only=True) as tx:
        newest = tx.events.page(None, Window(most=50, descending=True))
    return [each.action for each in newest if each.origin in (request, *also)]
