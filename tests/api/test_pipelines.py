"""Pipelines as Heroku's CLI drives them: by ids, a filter of apps, and a promotion whose targets are asked until done."""

from __future__ import annotations

import pytest
from wherry.domain.roles import Permission, Role

from tests.api.house import House, eventually


@pytest.fixture(scope="module")
def line(house: House) -> dict[str, str]:
    """Ids of a pipeline and of its two apps."""
    for name in ("line-staging", "line-live"):
        house.create(name)
    house.release("line-staging")
    pipeline = house.call("POST", "/pipelines", {"name": "line", "generation": {"name": "cedar"}}).json
    made = {"pipeline": pipeline["id"]}
    for name, stage in (("line-staging", "staging"), ("line-live", "production")):
        app = house.call("GET", f"/apps/{name}").json
        coupled = house.call(
            "POST", "/pipeline-couplings", {"pipeline": pipeline["id"], "app": app["id"], "stage": stage}
        )
        assert (coupled.status, coupled.json["stage"]) == (201, stage)
        made[name] = app["id"]
    return made


def test_a_promotion_releases_the_serving_image_downstream(house: House, line: dict[str, str]) -> None:
    coupling = house.call("GET", "/apps/line-staging/pipeline-couplings").json
    assert coupling["pipeline"] == {"id": line["pipeline"], "name": "line"}
    (found,) = house.call("GET", "/pipelines?eq[name]=line").json
    assert found["id"] == line["pipeline"]
    listed = house.call("GET", f"/pipelines/{line['pipeline']}/pipeline-couplings").json
    apps = house.call("POST", "/filters/apps", {"in": {"id": [each["app"]["id"] for each in listed]}}).json
    assert sorted(each["name"] for each in apps) == ["line-live", "line-staging"]
    body = {
        "pipeline": {"id": line["pipeline"]},
        "source": {"app": {"id": line["line-staging"]}},
        "targets": [{"app": {"id": line["line-live"]}}],
    }
    made = house.call("POST", "/pipeline-promotions", body)
    assert made.status == 201
    path = f"/pipeline-promotions/{made.json['id']}"
    eventually(lambda: house.call("GET", path).json["status"] == "completed")
    (target,) = house.call("GET", f"{path}/promotion-targets").json
    assert (target["status"], target["error_message"]) == ("succeeded", None)
    released = house.call("GET", f"/apps/line-live/releases/{target['release']['id']}").json
    served = house.call("GET", "/apps/line-staging/releases/v1").json
    assert released["image"]["digest"] == served["image"]["digest"]
    assert released["description"].startswith("Promote line-staging v1")


def test_who_may_not_deploy_to_a_target_promotes_nothing(house: House, line: dict[str, str]) -> None:
    other = house.user("other")
    house.create("others-app", by="other")
    assert house.call("POST", "/pipelines", {"name": "line"}, by="other").status == 201
    owned = house.world.access.app(house.user("owner"), "line-live", Permission.VIEW)
    with house.world.ledger.begin() as tx:
        tx.collaborators.put(owned.id, other, frozenset({Role.VIEW}), house.world.clock.now())
    refused = house.call(
        "POST", "/pipeline-couplings", {"pipeline": "line", "app": "line-live", "stage": "production"}, by="other"
    )
    assert refused.status == 403
    assert house.call("GET", f"/pipelines/{line['pipeline']}", by="other").status == 404
    coupling = house.call("GET", "/apps/line-live/pipeline-couplings").json["id"]
    assert house.call("DELETE", f"/pipeline-couplings/{coupling}", by="other").status == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"source": "line-staging"},
        {"source": {"app": {"name": "line-staging"}}, "targets": "line-live"},
        {"source": {"app": {"name": "line-staging"}}, "targets": []},
        {"source": {"app": {"name": "line-staging"}}, "targets": [{"app": {"name": "line-staging"}}]},
    ],
)
def test_bad_promotions_are_refused(house: House, line: dict[str, str], body: object) -> None:
    refused = house.call("POST", "/pipeline-promotions", body)
    assert (refused.status, refused.json["id"]) == (422, "invalid_params")


def test_an_app_moves_leaves_and_the_pipeline_goes(house: House, line: dict[str, str]) -> None:
    coupling = house.call("GET", "/apps/line-live/pipeline-couplings").json["id"]
    assert house.call("PATCH", f"/pipeline-couplings/{coupling}", {"stage": "test"}).json["stage"] == "test"
    assert house.call("PATCH", f"/pipeline-couplings/{coupling}", {"stage": "moon"}).status == 422
    assert house.call("DELETE", f"/pipeline-couplings/{coupling}").status == 200
    assert house.call("GET", "/apps/line-live/pipeline-couplings").status == 404
    assert house.call("PATCH", "/pipelines/line", {"name": "row"}).json["name"] == "row"
    assert house.call("DELETE", "/pipelines/row").status == 200
    assert house.call("GET", "/apps/line-live").status == 200
