"""Areas of Heroku's Platform API that this platform does not have: a request to one is told so, with what to do instead.

The paths are those of Heroku's reference, of what we have no route for. Lists that Heroku's clients ask for on the way to
something else are empty lists instead (routes/absent.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Area:
    """`what`: "this platform has no …"; `paths`: as regular expressions, for the whole path; `method`: for this one only."""

    what: str
    hint: str
    paths: tuple[str, ...]
    method: str = ""


_APP = "/apps/[^/]+"
_PIPELINE = "/pipelines/[^/]+"
AREAS = (
    Area(
        "add-ons",
        "Run the service elsewhere and give its address: wherry config:set DATABASE_URL=... -a APP",
        (
            "/addons(/.*)?",
            "/actions/addons(/.*)?",
            "/addon-services(/.*)?",
            "/addon-attachments(/.*)?",
            f"{_APP}/addons(/.*)?",
            f"{_APP}/addon-attachments(/.*)?",
            "/users/[^/]+/addons",
            "/teams/[^/]+/addons",
        ),
    ),
    Area(
        "certificates",
        "TLS ends in front of the router: docs/operations.md",
        (f"{_APP}/sni-endpoints(/.*)?", f"{_APP}/ssl-endpoints(/.*)?", f"{_APP}/acm"),
    ),
    Area(
        "certificates",
        "TLS ends in front of the router: docs/operations.md",
        (f"{_APP}/domains/[^/]+",),
        "PATCH",
    ),
    Area(
        "private spaces",
        "Every app has a network of its own here.",
        ("/spaces(/.*)?", "/peerings(/.*)?", "/vpn-connections(/.*)?"),
    ),
    Area(
        "review apps",
        "Make an app for the branch: wherry create; wherry pipelines:add PIPELINE -s review -a APP",
        (
            "/review-apps(/.*)?",
            f"{_PIPELINE}/review-apps(/.*)?",
            f"{_PIPELINE}/review-app-config",
            f"{_APP}/review-app",
        ),
    ),
    Area(
        "CI", "Run the tests where you push from.", ("/test-(runs|cases|nodes)(/.*)?", f"{_PIPELINE}/test-runs(/.*)?")
    ),
    Area(
        "invoices",
        "Nothing is billed here.",
        (
            "/account/invoices(/.*)?",
            "/account/invoice-address",
            "/account/credits(/.*)?",
            "/account/payment(-method)?s?(/.*)?",
            "/invoices(/.*)?",
        ),
    ),
    Area(
        "teams",
        "To share an app: wherry access:add EMAIL -a APP",
        ("/teams(/.*)?", "/organizations(/.*)?", "/enterprise-accounts(/.*)?", f"{_APP}/teams(/.*)?"),
    ),
    Area(
        "pipeline transfers",
        "An app goes to somebody else by: wherry apps:transfer EMAIL -a APP",
        ("/pipeline-transfers(/.*)?",),
    ),
    Area(
        "app setups",
        "wherry create, then git push: app.json is read on the first deploy.",
        ("/app-setups(/.*)?",),
    ),
    Area(
        "passwords and second factors",
        "You log in with a link or a token: wherry login",
        (
            "/password-resets(/.*)?",
            "/account/(sms-number|otp-secret|recovery-codes)(/.*)?",
            "/users/[^/]+/(sms-number|identity-providers|actions)(/.*)?",
            "/identity-providers(/.*)?",
        ),
    ),
    Area(
        "OAuth clients of others",
        "A token of your own, with a scope: wherry authorizations:create -s SCOPE",
        ("/oauth/(clients|grants)(/.*)?",),
    ),
    Area("OAuth sessions", "Your tokens: wherry authorizations", ("/oauth/sessions(/.*)?",)),
    Area(
        "slugs",
        "To build a folder or an archive: wherry builds:create -a APP",
        (f"{_APP}/slugs",),
    ),
    Area(
        "telemetry drains",
        "To send logs on: wherry drains:add URL -a APP",
        ("/telemetry-drains(/.*)?", f"{_APP}/telemetry-drains(/.*)?"),
    ),
    Area(
        "webhooks of a pipeline",
        "Each of its apps has its own: wherry webhooks:add -a APP",
        (f"{_PIPELINE}/webhook(s|-deliveries|-events)(/.*)?",),
    ),
    Area("usage figures", "What runs: wherry ps -a APP", ("/usage(/.*)?", "/account/usage(/.*)?", f"{_APP}/usage")),
    Area("account features", "What an app has: GET /apps/APP/features", ("/account/features/.+",)),
)
_KNOWN = [(re.compile("|".join(area.paths)), area) for area in AREAS]


def area_of(path: str, method: str = "") -> Area | None:
    """The one that a path of no route of ours belongs to."""
    return next((area for pattern, area in _KNOWN if area.method in ("", method) and pattern.fullmatch(path)), None)
