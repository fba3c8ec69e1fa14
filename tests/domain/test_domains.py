from datetime import UTC, datetime, timedelta

import pytest
from wherry.domain.domains import CLAIM, CustomDomain, covers, domain_name, proof, proof_name, refuse_if_taken
from wherry.domain.errors import Conflict, InvalidInput
from wherry.domain.secret import Secret

NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize("name", ["www.example.org", "*.example.org", "a.b.c.example.org", "xn--bcher-kva.example.org"])
def test_names_of_two_labels_or_more_are_domains(name: str) -> None:
    assert domain_name(name, "apps.example.com") == name


@pytest.mark.parametrize(
    "name",
    [
        *["", "localhost", "x", "192.0.2.7", "2001:db8::1", "*.com", "*", "a..b", "-a.b", "a" * 64 + ".org"],
        *["a." * 126 + "org", "www.example.org.", "example.org:80", "example.org/x", "me@example.org", "_x.y.org"],
        *["a b.org", "a.org\n", 'a".org', "a;b.org", "a.{b}.org", "WWW.example.org", "b*.example.org", "0x7f.1"],
        *["apps.example.com", "shop.apps.example.com", "*.example.com", "*.apps.example.com"],
    ],
)
def test_b60_b61_anything_else_and_the_platforms_own_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        domain_name(name, "apps.example.com")
    assert caught.value.evidence[0].startswith("hostname: ")


def test_a_wildcard_covers_what_is_under_it() -> None:
    assert covers("*.example.org", "www.example.org")
    assert covers("*.example.org", "*.sub.example.org")
    assert not covers("*.example.org", "example.org")
    assert not covers("*.example.org", "www.badexample.org")


def held(name: str, owner: int = 2, app: int = 2, *, verified: bool = True, age: timedelta = CLAIM / 2) -> CustomDomain:
    return CustomDomain(1, app, owner, name, NOW - age, NOW if verified else None)


@pytest.mark.parametrize("theirs", ["example.org", "www.example.org", "a.www.example.org", "*.example.org"])
def test_t24_nobody_claims_what_lies_in_line_with_anothers_domain(theirs: str) -> None:
    with pytest.raises(Conflict):
        refuse_if_taken("www.example.org", 1, 1, [held(theirs)], NOW)
    with pytest.raises(Conflict):
        refuse_if_taken("www.example.org", 1, 1, [held(theirs, verified=False)], NOW)


def test_t24_a_claim_that_nobody_proves_ends() -> None:
    refuse_if_taken("www.example.org", 1, 1, [held("www.example.org", verified=False, age=CLAIM * 2)], NOW)


def test_one_owner_may_spread_names_over_apps_but_not_one_name() -> None:
    refuse_if_taken("www.example.org", 1, 1, [held("*.example.org", owner=1)], NOW)
    with pytest.raises(Conflict, match="another app of yours"):
        refuse_if_taken("www.example.org", 1, 1, [held("www.example.org", owner=1)], NOW)
    refuse_if_taken("www.example.org", 1, 1, [held("my.example.org")], NOW)


def test_b63_each_owner_has_a_proof_of_their_own() -> None:
    key = Secret("key")
    assert proof(key, 1, "www.example.org") != proof(key, 2, "www.example.org")
    assert proof(key, 1, "*.example.org") == proof(key, 1, "example.org")
    assert proof_name("*.example.org") == "_wherry.example.org"
