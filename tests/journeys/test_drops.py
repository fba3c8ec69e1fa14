"""200 requests a second through 20 deploys: none fails. It counts, it does not time."""

from __future__ import annotations

from tests.journeys.harness import Platform, steady_requests

DEPLOYS = 20


def test_twenty_deploys_under_200_requests_a_second_drop_nothing(platform: Platform) -> None:
    app = platform.create("drops", "procfile-only")
    app.push()
    with steady_requests(app, 200) as knocks:
        for number in range(DEPLOYS):
            app.write("marker.txt", str(number))
            app.commit(f"Deploy {number}")
            assert "Released" in app.push().all
    assert knocks.failures == []
    assert knocks.requests >= 200 * DEPLOYS / 4
    assert len(app.releases()) == DEPLOYS + 1
