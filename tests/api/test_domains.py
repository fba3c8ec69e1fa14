from typing import cast

import pytest
from wherry.domain.roles import Permission

from tests.api.house import House, eventually
from tests.fakes.texts import InMemoryTexts


@pytest.fixture(scope="module")
def shop(house: House) -> str:
    house.create("domain-shop")
    house.release("domain-shop")
    return "/apps/domain-shop/domains"


def test_a_domain_is_added_proved_shown_and_removed(house: House, shop: str) -> None:
    added = house.call("POST", shop, {"hostname": "WWW.Example.org", "sni_endpoint": None})
    assert (added.status, added.json["hostname"], added.json["status"]) == (201, "www.example.org", "pending")
    assert added.json["cname"] == "domain-shop.localhost"
    proof = added.json["proof"]
    cast(InMemoryTexts, house.world.texts).records[proof["name"]] = [proof["value"]]
    own, custom = house.call("GET", shop).json
    assert (own["kind"], own["hostname"]) == ("heroku", "domain-shop.localhost")
    assert house.call("GET", f"{shop}/{own['hostname']}").json == own
    assert custom["id"] == added.json["id"]
    found = house.world.domains.of_app(house.world.access.app(house.user("owner"), "domain-shop", Permission.VIEW))[0]
    with house.world.ledger.begin() as tx:  # as if it had been asked long ago
        tx.domains.checked(found.id, found.created_at.replace(year=2020), None, "")
    assert house.call("GET", f"{shop}/www.example.org").json["status"] == "succeeded"
    eventually(lambda: house.router.table[found.app_id].domains == ("www.example.org",))
    assert house.call("POST", shop, {"hostname": "www.example.org"}).status == 409
    assert house.call("DELETE", f"{shop}/{custom['id']}").status == 200
    eventually(lambda: house.router.table[found.app_id].domains == ())
    assert len(house.call("GET", shop).json) == 1


@pytest.mark.parametrize(
    "hostname",
    [
        *["", "localhost", "192.0.2.7", "*.com", "a..b", "www.example.org/x", "domain-shop.localhost", "_x.y.org", 7],
        *["co.uk", "*.co.uk", "xn--a.org", "xn--example-.org", "b\u00fccher\u0440.org", "a" * 300 + ".org", None],
    ],
)
def test_b60_b61_b62_what_is_no_domain_is_refused_with_the_reason(house: House, shop: str, hostname: object) -> None:
    refused = house.call("POST", shop, {"hostname": hostname})
    assert (refused.status, refused.json["id"]) == (422, "invalid_params")
    assert refused.json["problems"][0].startswith("hostname: ")
    assert len(house.call("GET", shop).json) == 1


def test_b62_an_international_name_is_kept_by_its_a_labels(house: House, shop: str) -> None:
    added = house.call("POST", shop, {"hostname": "B\u00dcCHER.example.org"})
    assert added.json["hostname"] == "xn--bcher-kva.example.org"
    same = house.call("GET", f"{shop}/b%C3%BCcher.example.org")
    assert same.json["id"] == added.json["id"]
    assert house.call("DELETE", f"{shop}/xn--bcher-kva.example.org").status == 200


def test_t02_another_apps_domain_is_missing(house: House, shop: str) -> None:
    house.create("domain-other", by="other")
    added = house.call("POST", "/apps/domain-other/domains", {"hostname": "www.example.net"}, by="other").json
    for name in (added["id"], added["hostname"]):
        assert house.call("GET", f"{shop}/{name}").status == 404
        assert house.call("DELETE", f"{shop}/{name}").status == 404
