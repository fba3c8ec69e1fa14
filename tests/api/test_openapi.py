"""The document says what the API does: thousands of made-up requests, each answer held against it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import booleans
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from wherry.api import described
from wherry.api.openapi.operations import OPERATIONS
from wherry.api.routes.table import ROUTES

from tests.api.house import House

CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance, status_code_conformance]
AUTHORIZATION = "/oauth/authorizations/<authorization>"
REAL = {"app": "fuzzed", "release": "v1", "type": "web", "dyno": "web.1", "stack": "container", "size": "basic"}


SCHEMA = schemathesis.openapi.from_dict(described.describe(ROUTES, "http://localhost"))
OPERATIONS_DESCRIBED = {
    f"{operation.method.upper()} {operation.path}": operation
    for operation in (result.ok() for result in SCHEMA.get_all_operations())
    if not operation.path.startswith("/streams/")  # their bodies are no JSON, or never end
}


@pytest.fixture(scope="module")
def fuzzed(house: House) -> House:
    house.create("fuzzed")
    house.release("fuzzed")
    return house


@pytest.mark.parametrize("name", sorted(OPERATIONS_DESCRIBED))
def test_every_answer_is_as_described(fuzzed: House, name: str) -> None:
    headers = {"Authorization": f"Bearer {fuzzed.token('owner')}"}

    @settings(max_examples=15, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(case=OPERATIONS_DESCRIBED[name].as_strategy(), there=booleans())
    def asked(case: schemathesis.Case, there: bool) -> None:
        if there and name != "DELETE /apps/{app}":
            case.path_parameters = {part: REAL.get(part, value) for part, value in case.path_parameters.items()}
        case.call_and_validate(base_url=fuzzed.url, headers=headers, checks=CHECKS, allow_redirects=False)

    asked()


def test_every_route_is_described_and_nothing_else() -> None:
    assert set(OPERATIONS) == {route.name for route in ROUTES}


@pytest.fixture(scope="module")
def shaped(house: House) -> Callable[..., Any]:
    """Asks, and holds the answer to what is described for its status; an error is none of the described ones."""
    document = described.describe(ROUTES, "http://localhost")

    def ask(route: str, path: str, body: object = None, by: str = "owner") -> Any:
        method, rule = route.split(" ")
        answer = house.call(method, path, body, by=by)
        assert answer.status in OPERATIONS[route].answers, f"{route}: {answer.status} {answer.text}"
        template = re.sub(r"<(?:[a-z]+:)?([a-z_]+)>", r"{\1}", rule)
        content = document["paths"][template][method.lower()]["responses"][str(answer.status)]["content"]
        schema = {**content["application/json"]["schema"], "components": document["components"]}
        jsonschema.Draft202012Validator(schema).validate(answer.json)
        return answer.json

    return ask


def test_people_and_keys_have_the_shapes_that_are_described(house: House, shaped: Any) -> None:
    house.user("root", admin=True)
    house.create("shape-app")
    app = "/apps/shape-app/collaborators"
    shaped("POST /users", "/users", {"email": "shape@example.org"}, by="root")
    shaped("GET /users", "/users", by="root")
    shaped("GET /users/<user>", "/users/shape@example.org", by="root")
    invited = shaped("POST /apps/<app>/collaborators", app, {"user": "guest@example.org", "permissions": ["view"]})
    assert "/login?token=" in invited["login_url"]
    shaped("POST /apps/<app>/collaborators", app, {"user": "shape@example.org"})
    assert [each["role"] for each in shaped("GET /apps/<app>/collaborators", app)] == ["owner", *["collaborator"] * 2]
    one = f"{app}/guest@example.org"
    shaped("GET /apps/<app>/collaborators/<collaborator>", one)
    shaped("PATCH /apps/<app>/collaborators/<collaborator>", one, {"permissions": ["deploy"]})
    shaped("DELETE /apps/<app>/collaborators/<collaborator>", one)
    shaped("DELETE /users/<user>", "/users/shape@example.org", by="root")
    body = "AAAAC3NzaC1lZDI1NTE5AAAAI" + "B" * 43
    key = shaped("POST /account/keys", "/account/keys", {"public_key": f"ssh-ed25519 {body} ada@laptop"})
    shaped("GET /account/keys", "/account/keys")
    shaped("GET /account/keys/<key>", f"/account/keys/{key['id']}")
    shaped("DELETE /account/keys/<key>", f"/account/keys/{key['id']}")
    token = shaped("POST /oauth/authorizations", "/oauth/authorizations", {"scope": ["read"], "expires_in": 60})
    one = f"/oauth/authorizations/{token['id']}"
    shaped("GET /oauth/authorizations/<authorization>", one)
    shaped(f"PATCH {AUTHORIZATION}", one, {"description": "of shape"})
    shaped(f"POST {AUTHORIZATION}/actions/regenerate-tokens", f"{one}/actions/regenerate-tokens")
    shaped(f"DELETE {AUTHORIZATION}", one)


def test_pipelines_and_dynos_have_the_shapes_that_are_described(house: House, shaped: Any) -> None:
    for name in ("shape-test", "shape-live"):
        house.create(name)
        house.release(name)
    line = shaped("POST /pipelines", "/pipelines", {"name": "shape-line"})
    one = f"/pipelines/{line['id']}"
    for app, stage in (("shape-test", "staging"), ("shape-live", "production")):
        body = {"pipeline": line["id"], "app": {"name": app}, "stage": stage}
        coupling = shaped("POST /pipeline-couplings", "/pipeline-couplings", body)
    shaped("GET /pipelines", "/pipelines")
    shaped("GET /pipelines/<pipeline>", one)
    shaped("PATCH /pipelines/<pipeline>", one, {"name": "shape-row"})
    assert len(shaped("GET /pipelines/<pipeline>/pipeline-couplings", f"{one}/pipeline-couplings")) == 2
    shaped("GET /apps/<app>/pipeline-couplings", "/apps/shape-test/pipeline-couplings")
    shaped("GET /pipeline-couplings/<coupling>", f"/pipeline-couplings/{coupling['id']}")
    made = shaped("POST /pipeline-promotions", "/pipeline-promotions", {"source": {"app": "shape-test"}})
    promotion = f"/pipeline-promotions/{made['id']}"
    shaped("GET /pipeline-promotions/<promotion>", promotion)
    shaped("GET /pipeline-promotions/<promotion>/promotion-targets", f"{promotion}/promotion-targets")
    shaped("PATCH /pipeline-couplings/<coupling>", f"/pipeline-couplings/{coupling['id']}", {"stage": "development"})
    shaped("DELETE /pipeline-couplings/<coupling>", f"/pipeline-couplings/{coupling['id']}")
    shaped("DELETE /pipelines/<pipeline>", one)
    dynos = "/apps/shape-test/dynos"
    assert shaped("GET /apps/<app>/dynos", dynos)[0]["name"] == "web.1"
    shaped("GET /apps/<app>/dynos/<dyno>", f"{dynos}/web.1")
    shaped("POST /apps/<app>/dynos", dynos, {"command": "true"})
    attached = shaped("POST /apps/<app>/dynos", dynos, {"command": "sh", "attach": True, "env": {"COLUMNS": 80}})
    assert attached["attach_url"].startswith("rendezvous://")
    shaped("POST /apps/<app>/dynos/<dyno>", f"{dynos}/web.1", {"command": "true"})
    slug = house.call("GET", "/apps/shape-test/releases/v1").json["slug"]["id"]
    shaped("GET /apps/<app>/slugs/<slug>", f"/apps/shape-test/slugs/{slug}")
    shaped("POST /filters/apps", "/filters/apps", {"in": {"name": ["shape-test"]}})
