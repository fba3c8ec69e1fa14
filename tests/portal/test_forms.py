"""Scale and roll back, by forms."""

from __future__ import annotations

import pytest
from wherry.domain.image import Image
from wherry.domain.model import App, JobKind, ReleaseStatus

from tests.portal.harbour import Harbour


@pytest.fixture
def app(harbour: Harbour) -> App:
    made = harbour.app(harbour.user())
    with harbour.at(days=2):
        harbour.release(made, config={"A": "1", "B": "1"})
    harbour.release(made, config={"B": "2", "C": "3"})
    return made


def test_scale_form_changes_the_formation_and_says_so(harbour: Harbour, app: App) -> None:
    visitor = harbour.client(harbour.user())
    answer = visitor.post("/dashboard/apps/shop/scale", type="worker", quantity="3", size="large")
    assert answer.status_code == 303
    with harbour.ledger.begin() as tx:
        assert (tx.apps.formation(app.id)["worker"].quantity, tx.apps.formation(app.id)["worker"].size) == (3, "large")
        assert [job.kind for job in tx.jobs.waiting()] == [JobKind.CONVERGE]
        event = tx.events.of_app("shop")[0]
    assert (event.actor, event.action) == ("ada@example.org", "formation.change")
    assert event.origin == f"portal 127.0.0.1 request {answer.headers['Request-Id']}"
    assert "The formation is web 1 (basic), worker 3 (large)." in visitor.get(answer.location).text


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "web", "quantity": "many"},
        {"type": "web", "quantity": "-1"},
        {"type": "web", "quantity": "101"},
        {"type": "web", "quantity": ""},
        {"type": "none", "quantity": "1"},
        {"type": "web", "quantity": "1", "size": "<b>"},
        {},
    ],
)
def test_wrong_scale_is_refused_with_its_reason(harbour: Harbour, app: App, fields: dict[str, str]) -> None:
    answer = harbour.client(harbour.user()).post("/dashboard/apps/shop/scale", **fields)
    assert answer.status_code == 422
    assert "Nothing was scaled" in answer.text
    assert "<b>" not in answer.text
    with harbour.ledger.begin() as tx:
        assert not tx.jobs.waiting()


def test_rollback_asks_first_and_tells_what_changes_in_the_config(harbour: Harbour, app: App) -> None:
    page = harbour.client(harbour.user()).get("/dashboard/apps/shop/releases/1/rollback").text
    for verb, key in (("Set again", "A"), ("Changed back", "B"), ("Unset", "C")):
        assert f'{verb}</h3><ul class="keys"><li><code>{key}</code>' in page
    with harbour.ledger.begin() as tx:
        assert len(tx.releases.of_app(app.id)) == 2


def test_rollback_makes_a_release_and_leads_to_it(harbour: Harbour, app: App) -> None:
    visitor = harbour.client(harbour.user())
    answer = visitor.post("/dashboard/apps/shop/releases/1/rollback")
    assert answer.location == "/dashboard/apps/shop/releases/3"
    with harbour.ledger.begin() as tx:
        release = tx.releases.by_number(app.id, 3)
        assert release.description == "Rollback to v1"
        assert [job.kind for job in tx.jobs.waiting()] == [JobKind.ROLLOUT]
    page = visitor.get(answer.location).text
    assert "Rolling back to v1, as v3." in page
    assert "data-events" in page


def test_a46_rollback_to_what_never_served_is_refused(harbour: Harbour, app: App) -> None:
    harbour.release(app, ReleaseStatus.FAILED)
    visitor = harbour.client(harbour.user())
    for number, status in ((2, 409), (3, 409), (4, 404), (99, 404)):
        path = f"/dashboard/apps/shop/releases/{number}/rollback"
        assert visitor.get(path).status_code == status
        assert visitor.post(path).status_code == status


def test_form_that_is_too_large_is_refused(harbour: Harbour, app: App) -> None:
    answer = harbour.client(harbour.user()).post("/dashboard/apps/shop/scale", type="x" * 70_000)
    assert answer.status_code == 422
    assert "too large" in answer.text


def test_rollback_across_a_release_phase_names_the_risk_and_wants_a_word(harbour: Harbour, app: App) -> None:
    migrating = Image(f"apps/{app.id}", f"sha256:{'7' * 64}", {"web": "serve", "release": "migrate <all>"})
    harbour.release(app, image=migrating)
    visitor, path = harbour.client(harbour.user()), "/dashboard/apps/shop/releases/1/rollback"
    page = visitor.get(path).text
    assert "v3: <code>migrate &lt;all&gt;</code>" in page
    assert 'name="force"' in page
    assert "release phase of v3" in visitor.post(path).text
    assert visitor.post(path).status_code == 409
    assert visitor.post(path, force="yes").status_code == 303
    assert 'name="force"' not in visitor.get("/dashboard/apps/shop/releases/3/rollback").text
