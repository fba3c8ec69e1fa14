"""A release of images that were made elsewhere: nothing is built, and rollback and retention know it."""

from __future__ import annotations

import pytest
from wherry.domain.errors import InvalidInput, NotFound
from wherry.domain.image import Image, Start
from wherry.domain.model import App
from wherry.flow.draft import Draft, append
from wherry.flow.release_images import ReleaseImages

from tests.fakes.images import InMemoryImages
from tests.flow.conftest import Stage

ONE, TWO, THREE = (f"sha256:{'1' * 62}{end}" for end in ("aa", "bb", "cc"))


def test_each_type_gets_its_image_and_the_others_keep_theirs(stage: Stage, app: App) -> None:
    story = ReleaseImages(stage.ledger, InMemoryImages(), stage.clock)
    first = story.run(app.owner, app, {"web": ONE, "worker": ONE, "release": TWO})
    assert first.description == f"Deployed web ({'1' * 12}), worker ({'1' * 12}), release ({'1' * 12})"
    assert first.image == Image(
        f"apps/{app.id}",
        ONE,
        {"web": "serve aa", "worker": "serve aa", "release": "serve bb"},
        {
            "web": Start(("serve", "aa"), "1001:1000"),
            "worker": Start(("serve", "aa"), "1001:1000"),
            "release": Start(("serve", "bb"), "1001:1000", TWO),
        },
    )
    second = story.run(app.owner, app, {"web": "allowed.example/hello@" + THREE})
    assert {name: second.image.of(name).digest for name in second.image.processes} == {
        "web": THREE,
        "worker": ONE,
        "release": TWO,
    }
    with stage.ledger.begin(read_only=True) as tx:
        assert tx.releases.by_number(app.id, second.number) == second
        assert [each.kind for each in tx.jobs.waiting() if each.subject == second.id] == ["rollout"]
        assert tx.apps.formation(app.id)["web"].quantity == 1


def test_an_app_of_buildpacks_is_replaced_as_a_whole(stage: Stage, app: App) -> None:
    with stage.ledger.begin() as tx:
        image = Image(f"apps/{app.id}", "sha256:ab", {"web": "gunicorn", "clock": "tick"})
        append(tx, Draft(app, app.owner, "Deploy", image, {}), stage.clock.now())
    released = ReleaseImages(stage.ledger, InMemoryImages(), stage.clock).run(app.owner, app, {"web": ONE})
    assert list(released.image.processes) == ["web"]


def test_what_is_refused_releases_nothing(stage: Stage, app: App) -> None:
    story = ReleaseImages(stage.ledger, InMemoryImages(), stage.clock)
    with pytest.raises(InvalidInput):
        story.run(app.owner, app, {"Web_1": ONE})
    with pytest.raises(InvalidInput):
        story.run(app.owner, app, {"web": ONE, "worker": "elsewhere.example/x@" + ONE})
    with pytest.raises(NotFound):
        story.run(app.owner, app, {"web": "sha256:" + "2" * 64})
    with stage.ledger.begin(read_only=True) as tx:
        assert tx.releases.of_app(app.id) == []
