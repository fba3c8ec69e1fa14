"""What Heroku's clients ask for on the way to something else."""

from tests.api.house import House


def test_what_we_do_not_have_is_an_empty_list_and_making_one_is_refused_in_words(house: House) -> None:
    house.create("bare-app")
    for path in ("/teams", "/spaces", "/addons", "/account/features"):
        assert house.call("GET", path).json == []
    for kind in ("addons", "addon-attachments", "sni-endpoints"):
        assert house.call("GET", f"/apps/bare-app/{kind}").json == []
    refused = house.call("POST", "/apps/bare-app/addons", {"plan": "heroku-postgresql"})
    assert (refused.status, refused.json["id"]) == (422, "invalid_params")
    assert "wherry config:set" in refused.json["hint"]
    assert house.call("POST", "/apps/bare-app/sni-endpoints", {}).status == 422


def test_there_is_one_region_by_name_and_by_id(house: House) -> None:
    (region,) = house.call("GET", "/regions").json
    assert house.call("GET", "/regions/local").json == region == house.call("GET", f"/regions/{region['id']}").json
    assert house.call("GET", "/regions/eu").status == 404


def test_preboot_is_on_and_cannot_be_switched_off(house: House) -> None:
    house.create("early-app")
    (preboot,) = house.call("GET", "/apps/early-app/features").json
    assert (preboot["name"], preboot["enabled"]) == ("preboot", True)
    assert house.call("PATCH", "/apps/early-app/features/preboot", {"enabled": True}).status == 200
    assert house.call("PATCH", "/apps/early-app/features/preboot", {"enabled": False}).status == 422
    assert house.call("GET", "/apps/early-app/features/nosuch").status == 404


def test_chosen_apps_are_those_that_one_may_see(house: House) -> None:
    for name in ("chosen-one", "chosen-two"):
        house.create(name)
    house.create("chosen-not", by="other")
    names = ["chosen-one", "chosen-not", "none-such", "' OR 1=1 --", "%"]
    found = house.call("POST", "/filters/apps", {"in": {"name": names}}).json
    assert [each["name"] for each in found] == ["chosen-one"]
    ids = [found[0]["id"], "00000000-0000-0000-0000-000000000000", "1"]
    assert [each["id"] for each in house.call("POST", "/filters/apps", {"in": {"id": ids}}).json] == [found[0]["id"]]
    assert house.call("POST", "/filters/apps", {"in": {"name": names * 300}}).status == 422
