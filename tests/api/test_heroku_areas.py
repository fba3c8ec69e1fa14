"""Every area of Heroku's Platform API: it is here, or a request to it is told in Heroku's error shape that it is not."""

from __future__ import annotations

import pytest
from wherry.api.elsewhere import AREAS, area_of
from wherry.api.routes.table import ROUTES

from tests.api.house import House

HAVE = {
    "account": "GET /account, PATCH /account, GET /account/rate-limits",
    "apps": "GET /apps, POST /apps, GET /apps/<app>, PATCH /apps/<app>, DELETE /apps/<app>, GET /users/~/apps",
    "app-features": "GET /apps/<app>/features, GET /apps/<app>/features/<feature>, PATCH /apps/<app>/features/<feature>",
    "stacks": "GET /stacks, GET /stacks/<stack>",
    "regions": "GET /regions, GET /regions/<region>",
    "builds": "GET /apps/<app>/builds, POST /apps/<app>/builds, GET /apps/<app>/builds/<build>, "
    "DELETE /apps/<app>/builds/<build>",
    "sources": "POST /sources, POST /apps/<app>/sources",
    "buildpack-installations": "GET /apps/<app>/buildpack-installations, PUT /apps/<app>/buildpack-installations",
    "releases": "GET /apps/<app>/releases, POST /apps/<app>/releases, GET /apps/<app>/releases/<release>, "
    "GET /apps/<app>/slugs/<slug>",
    "config-vars": "GET /apps/<app>/config-vars, PATCH /apps/<app>/config-vars, "
    "GET /apps/<app>/releases/<release>/config-vars",
    "formation": "GET /apps/<app>/formation, PATCH /apps/<app>/formation, GET /apps/<app>/formation/<type>, "
    "PATCH /apps/<app>/formation/<type>",
    "dynos": "GET /apps/<app>/dynos, POST /apps/<app>/dynos, GET /apps/<app>/dynos/<dyno>, DELETE /apps/<app>/dynos, "
    "DELETE /apps/<app>/dynos/<dyno>, POST /apps/<app>/dynos/<dyno>/actions/stop, "
    "DELETE /apps/<app>/formations/<type>, POST /apps/<app>/formations/<type>/actions/stop",
    "dyno-sizes": "GET /dyno-sizes, GET /dyno-sizes/<size>",
    "log-sessions": "POST /apps/<app>/log-sessions",
    "log-drains": "GET /apps/<app>/log-drains, POST /apps/<app>/log-drains, GET /apps/<app>/log-drains/<path:drain>, "
    "DELETE /apps/<app>/log-drains/<path:drain>",
    "domains": "GET /apps/<app>/domains, POST /apps/<app>/domains, GET /apps/<app>/domains/<domain>, "
    "DELETE /apps/<app>/domains/<domain>",
    "collaborators": "GET /apps/<app>/collaborators, POST /apps/<app>/collaborators, "
    "GET /apps/<app>/collaborators/<collaborator>, DELETE /apps/<app>/collaborators/<collaborator>",
    "keys": "GET /account/keys, POST /account/keys, GET /account/keys/<key>, DELETE /account/keys/<key>",
    "authorizations": "GET /oauth/authorizations, POST /oauth/authorizations, "
    "GET /oauth/authorizations/<authorization>, PATCH /oauth/authorizations/<authorization>, "
    "DELETE /oauth/authorizations/<authorization>, "
    "POST /oauth/authorizations/<authorization>/actions/regenerate-tokens, POST /oauth/tokens",
    "pipelines": "GET /pipelines, POST /pipelines, GET /pipelines/<pipeline>, PATCH /pipelines/<pipeline>, "
    "DELETE /pipelines/<pipeline>",
    "pipeline-couplings": "GET /pipelines/<pipeline>/pipeline-couplings, POST /pipeline-couplings, "
    "GET /pipeline-couplings/<coupling>, PATCH /pipeline-couplings/<coupling>, DELETE /pipeline-couplings/<coupling>, "
    "GET /apps/<app>/pipeline-couplings",
    "pipeline-promotions": "POST /pipeline-promotions, GET /pipeline-promotions/<promotion>, "
    "GET /pipeline-promotions/<promotion>/promotion-targets",
    "app-webhooks": "GET /apps/<app>/webhooks, POST /apps/<app>/webhooks, GET /apps/<app>/webhooks/<webhook>, "
    "PATCH /apps/<app>/webhooks/<webhook>, DELETE /apps/<app>/webhooks/<webhook>, "
    "GET /apps/<app>/webhook-deliveries, GET /apps/<app>/webhook-events",
    "app-transfers": "GET /account/app-transfers, POST /account/app-transfers, "
    "GET /account/app-transfers/<transfer>, PATCH /account/app-transfers/<transfer>, "
    "DELETE /account/app-transfers/<transfer>",
    "filters": "POST /filters/apps",
}
LACK = [
    ("GET", "/addons/postgres", "add-ons"),
    ("GET", "/addon-services", "add-ons"),
    ("GET", "/addon-services/heroku-postgresql/plans", "add-ons"),
    ("DELETE", "/apps/APP/addons/1", "add-ons"),
    ("POST", "/addon-attachments", "add-ons"),
    ("POST", "/actions/addons/resolve", "add-ons"),
    ("PATCH", "/apps/APP/sni-endpoints/1", "certificates"),
    ("GET", "/apps/APP/ssl-endpoints", "certificates"),
    ("POST", "/apps/APP/acm", "certificates"),
    ("PATCH", "/apps/APP/domains/www.example.org", "certificates"),
    ("POST", "/spaces", "private spaces"),
    ("GET", "/spaces/x/nat", "private spaces"),
    ("POST", "/review-apps", "review apps"),
    ("GET", "/pipelines/x/review-apps", "review apps"),
    ("POST", "/pipelines/x/review-app-config", "review apps"),
    ("GET", "/apps/APP/review-app", "review apps"),
    ("GET", "/pipelines/x/test-runs", "CI"),
    ("POST", "/test-runs", "CI"),
    ("GET", "/account/invoices", "invoices"),
    ("PUT", "/account/invoice-address", "invoices"),
    ("GET", "/account/credits", "invoices"),
    ("POST", "/teams", "teams"),
    ("GET", "/teams/x/members", "teams"),
    ("POST", "/teams/apps", "teams"),
    ("GET", "/organizations", "teams"),
    ("GET", "/enterprise-accounts", "teams"),
    ("POST", "/pipeline-transfers", "pipeline transfers"),
    ("POST", "/app-setups", "app setups"),
    ("POST", "/password-resets", "passwords and second factors"),
    ("PUT", "/account/sms-number", "passwords and second factors"),
    ("GET", "/oauth/clients", "OAuth clients of others"),
    ("DELETE", "/oauth/sessions/1", "OAuth sessions"),
    ("POST", "/apps/APP/slugs", "slugs"),
    ("GET", "/telemetry-drains/1", "telemetry drains"),
    ("GET", "/usage", "usage figures"),
    ("GET", "/apps/APP/usage", "usage figures"),
    ("POST", "/pipelines/x/webhooks", "webhooks of a pipeline"),
    ("PATCH", "/account/features/beta", "account features"),
]


@pytest.mark.parametrize("area", HAVE)
def test_an_area_that_heroku_has_is_here(area: str) -> None:
    assert set(HAVE[area].split(", ")) <= {route.name for route in ROUTES}


def test_what_we_do_not_have_is_said_in_heroku_s_error_shape(house: House) -> None:
    house.create("area-app")
    for method, path, what in LACK:
        answer = house.call(method, path.replace("APP", "area-app"), {} if method in ("POST", "PUT", "PATCH") else None)
        assert answer.status in (404, 405), path
        assert answer.json["id"] == ("not_found" if answer.status == 404 else "method_not_allowed"), path
        assert answer.json["message"] == f"this platform has no {what}", path
        assert answer.json["hint"], path
        assert answer.json["request_id"] == answer.headers["Request-Id"]
    assert {area.what for area in AREAS} == {what for _, _, what in LACK}


def test_no_route_of_ours_is_said_to_be_absent_that_has_something() -> None:
    empty = ("/teams", "/spaces", "/addons", "/addon-attachments", "/addons", "/sni-endpoints")
    absent = {route.path for route in ROUTES if area_of(route.path.replace("<app>", "x"))}
    assert all(path.endswith(empty) for path in absent), absent
