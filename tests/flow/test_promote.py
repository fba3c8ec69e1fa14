import pytest
from wherry.domain.errors import Conflict, InvalidInput, NotFound
from wherry.domain.image import Image
from wherry.domain.model import App
from wherry.domain.pipelines import Coupling
from wherry.flow.pipelines import Pipelines
from wherry.flow.promote import Promote

from tests.fakes.images import InMemoryImages
from tests.flow.conftest import Stage


class Line:
    """A pipeline with one app in staging, and some in production."""

    def __init__(self, stage: Stage, production: int = 1) -> None:
        self.stage = stage
        self.pipelines = Pipelines(stage.ledger, stage.clock)
        self.promote = Promote(stage.ledger, InMemoryImages(), stage.clock)
        self.pipeline = self.pipelines.create(stage.user, "shop")
        self.staging = self.app("shop-staging", "staging")
        self.production = [self.app(f"shop-{number}", "production") for number in range(production)]

    def app(self, name: str, where: str) -> App:
        app = self.stage.create.run(self.stage.user, name)
        self.pipelines.couple(self.stage.user, self.pipeline, app, where)
        return app

    def coupling(self, app: App) -> Coupling:
        return self.pipelines.of_app(self.stage.user, app)[1]


def test_the_image_that_serves_is_released_in_the_next_stage_with_its_own_config(stage: Stage) -> None:
    line = Line(stage)
    (shop,) = line.production
    stage.configure.run(stage.user, shop, {"MODE": "production"})
    served = stage.deploy(line.staging, "a" * 40)
    assert served is not None
    assert [each.app_id for each in line.promote.downstream(line.coupling(line.staging))] == [shop.id]
    built = len(stage.builder.built)
    made = line.promote.run(stage.user, line.pipeline, line.staging, [shop])
    stage.work()
    released = stage.current(shop)
    assert released is not None
    assert released.image == Image(f"apps/{shop.id}", served.image.digest, served.image.processes)
    assert released.description == "Promote shop-staging v1 aaaaaaaa"
    assert {key: value.reveal() for key, value in released.config.items()} == {"MODE": "production"}
    assert [each.release_id for each in made.targets] == [released.id]
    assert len(stage.builder.built) == built


def test_an_app_that_cannot_take_it_does_not_keep_it_from_the_others(stage: Stage) -> None:
    line = Line(stage, production=2)
    first, second = line.production
    stage.deploy(line.staging, "a" * 40)
    stage.destroy.run(stage.user, first)
    with pytest.raises(InvalidInput):  # no app of the pipeline any more
        line.promote.run(stage.user, line.pipeline, line.staging, [first, second])
    third = line.app("shop-9", "production")
    with stage.ledger.begin() as tx:
        found = tx.releases.current(line.staging.id)
    assert found is not None

    class Half(InMemoryImages):
        def copy(self, image: Image, app_id: int) -> Image:
            if app_id == third.id:
                raise NotFound("the registry has no such image")
            return super().copy(image, app_id)

    promote = Promote(stage.ledger, Half(), stage.clock)
    targets = promote.run(stage.user, line.pipeline, line.staging, [third, second]).targets
    assert [(each.release_id is None, each.error) for each in targets] == [
        (True, "the registry has no such image"),
        (False, ""),
    ]


def test_what_makes_no_sense_is_refused_with_every_problem(stage: Stage) -> None:
    line = Line(stage)
    other = stage.create.run(stage.user, "other")
    with pytest.raises(Conflict, match="has no release to promote"):
        line.promote.run(stage.user, line.pipeline, line.staging, line.production)
    stage.deploy(line.staging, "a" * 40)
    with pytest.raises(InvalidInput) as caught:
        line.promote.run(stage.user, line.pipeline, line.staging, [line.staging, other, other])
    assert len(caught.value.evidence) == 4
    with pytest.raises(Conflict, match="nowhere to promote to"):
        line.promote.downstream(line.coupling(line.production[0]))


def test_an_app_is_in_one_pipeline_and_a_pipeline_is_its_owners(stage: Stage) -> None:
    line = Line(stage)
    with pytest.raises(Conflict, match="in a pipeline already"):
        line.pipelines.couple(stage.user, line.pipeline, line.staging, "production")
    with pytest.raises(Conflict):
        line.pipelines.create(stage.user, "shop")
    with pytest.raises(InvalidInput):
        line.pipelines.move(stage.user, line.coupling(line.staging), "nowhere")
    with stage.ledger.begin() as tx:
        other = tx.accounts.ensure("other@example.org", admin=False)
    assert line.pipelines.all(other) == []
    with pytest.raises(NotFound):
        line.pipelines.find(other, line.pipeline.id, "shop")
    with pytest.raises(NotFound):
        line.pipelines.coupling(other, line.coupling(line.staging).id)
    line.pipelines.remove(stage.user, line.pipeline)
    with pytest.raises(NotFound):
        line.pipelines.of_app(stage.user, line.staging)
