"""An app's HTTPRoute and Ingress as values, and what a controller's words about them mean."""

from __future__ import annotations

from typing import Any

import pytest
from wherry.domain.errors import InvalidInput, PlatformFault
from wherry.domain.workload import AppRoute
from wherry.runtimes.cluster import route
from wherry.runtimes.cluster.accepted import is_accepted
from wherry.runtimes.cluster.route import Asked

ABOUT = {"namespace": "wherry-p-1", "name": "web"}
GATEWAY = "infra/main"


def test_a_route_leads_all_names_to_one_service_through_the_gateway() -> None:
    assert route.http_route(ABOUT, ["shop.example.com", "*.shop.org"], "web", 80, GATEWAY) == {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": ABOUT,
        "spec": {
            "parentRefs": [
                {"group": "gateway.networking.k8s.io", "kind": "Gateway", "namespace": "infra", "name": "main"}
            ],
            "hostnames": ["shop.example.com", "*.shop.org"],
            "rules": [
                {
                    "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                    "backendRefs": [{"group": "", "kind": "Service", "name": "web", "port": 80, "weight": 1}],
                }
            ],
        },
    }


def test_an_ingress_has_no_words_for_one_controller_only() -> None:
    made = route.ingress(ABOUT, ["shop.example.com"], "closed", 80, "nginx")
    backend = {"service": {"name": "closed", "port": {"number": 80}}}
    assert made["metadata"] == ABOUT
    assert made["spec"] == {
        "ingressClassName": "nginx",
        "rules": [
            {"host": "shop.example.com", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
        ],
    }


def test_what_was_asked_is_read_back_from_the_object() -> None:
    asked = Asked(("shop",), ("www.example.org", "*.example.net"), has_web=True, maintenance=True)
    found = {"metadata": {"annotations": {route.ASKED: asked.text()}}}
    assert Asked.of(found) == asked
    assert not asked.is_open
    for spoiled in ({}, {"metadata": {}}, {"metadata": {"annotations": {route.ASKED: "{"}}}):
        assert Asked.of(spoiled) is None


def test_t21_a_name_that_no_host_can_have_is_refused_before_anything_is_made() -> None:
    with pytest.raises(InvalidInput) as caught:
        route.check(AppRoute(1, ("shop\nx: y",), domains=("{{ evil }}", "a..b", "*.fine.example.org")))
    assert len(caught.value.evidence) == 3


def test_what_others_add_is_no_change_and_what_they_take_is() -> None:
    wanted = {"spec": {"names": ["a"], "parent": {"name": "x"}}}
    assert route.covers({"spec": {"names": ["a"], "parent": {"name": "x", "kind": "K"}}, "status": {}}, wanted)
    for other in ({"names": ["a", "b"]}, {"names": []}, {"names": ["b"]}, {}):
        assert not route.covers({"spec": {"parent": {"name": "x"}, **other}}, wanted)


def answered(accepted: str, reason: str, generation: int = 2, unresolved: str = "") -> dict[str, Any]:
    conditions = [{"type": "Accepted", "status": accepted, "reason": reason, "observedGeneration": generation}]
    resolved = {"status": "False", "reason": unresolved} if unresolved else {"status": "True", "reason": "ResolvedRefs"}
    conditions.append({"type": "ResolvedRefs", "observedGeneration": generation, **resolved})
    parent = {"parentRef": {"namespace": "infra", "name": "main"}, "conditions": conditions}
    about = {"name": "web", "generation": 2}
    return {"metadata": about, "spec": {"hostnames": ["shop.example.com"]}, "status": {"parents": [parent]}}


def test_a_route_is_accepted_when_its_own_gateway_says_so_of_what_is_there_now() -> None:
    assert is_accepted(answered("True", "Accepted"), GATEWAY)
    assert not is_accepted(answered("True", "Accepted"), "infra/other")
    assert not is_accepted(answered("True", "Accepted", generation=1), GATEWAY)
    assert not is_accepted(answered("True", "Accepted", unresolved="BackendNotFound"), GATEWAY)
    assert not is_accepted(answered("False", "Pending"), GATEWAY)
    with pytest.raises(PlatformFault, match=r"refuses the route of shop\.example\.com: NoMatchingListenerHostname"):
        is_accepted(answered("False", "NoMatchingListenerHostname"), GATEWAY)
