import pytest
from wherry.domain.errors import Conflict, NotFound
from wherry.domain.model import Actor, App
from wherry.domain.secret import Secret
from wherry.flow.domains import Domains

from tests.fakes.texts import InMemoryTexts
from tests.flow.conftest import Stage


@pytest.fixture
def texts() -> InMemoryTexts:
    return InMemoryTexts()


@pytest.fixture
def domains(stage: Stage, texts: InMemoryTexts) -> Domains:
    return Domains(stage.ledger, stage.clock, texts, Secret("key"), "localhost")


def deployed(stage: Stage) -> App:
    app = stage.create.run(stage.user, "shop")
    stage.deploy(app, "a" * 40)
    return app


def other(stage: Stage, admin: bool = False) -> tuple[Actor, App]:
    with stage.ledger.begin() as tx:
        actor = tx.accounts.ensure("boss@example.org" if admin else "other@example.org", admin)
    return actor, stage.create.run(actor, "theirs")


def served(stage: Stage, app: App) -> tuple[str, ...]:
    stage.work()
    return stage.router.routes[app.id].domains if app.id in stage.router.routes else ()


def test_a_domain_waits_for_its_proof_and_then_leads_to_the_app(
    stage: Stage, domains: Domains, texts: InMemoryTexts
) -> None:
    app = deployed(stage)
    found = domains.add(stage.user, app, "www.example.org")
    assert (found.verified_at, found.reason) == (None, "_wherry.www.example.org has no TXT record")
    assert served(stage, app) == ()
    name, text = domains.proof(found)
    texts.records[name] = ["v=spf1 -all", text]
    assert domains.check(found).verified_at is None  # asked just now: not again yet
    stage.clock.turn(11)
    (found,) = domains.of_app(app)
    assert domains.check(found).verified_at == stage.clock.now()
    assert served(stage, app) == ("www.example.org",)
    stage.deploy(app, "b" * 40)
    assert served(stage, app) == ("www.example.org",)
    domains.remove(stage.user, app, "WWW.example.org")
    assert served(stage, app) == ()


def test_b63_name_servers_that_do_not_answer_and_anothers_proof_leave_it_waiting(
    stage: Stage, domains: Domains, texts: InMemoryTexts
) -> None:
    app = deployed(stage)
    texts.silent.add("_wherry.www.example.org")
    found = domains.add(stage.user, app, "www.example.org")
    assert "no name server told" in found.reason
    texts.silent.clear()
    texts.records["_wherry.www.example.org"] = ["wherry-verification=" + "0" * 40]
    stage.clock.turn(11)
    assert domains.check(found).reason == "_wherry.www.example.org has 1 other TXT records"


def test_t24_anothers_domain_cannot_be_claimed_until_they_prove_nothing_for_a_day(
    stage: Stage, domains: Domains, texts: InMemoryTexts
) -> None:
    app = deployed(stage)
    actor, theirs = other(stage)
    squatted = domains.add(actor, theirs, "www.example.org")
    with pytest.raises(Conflict):
        domains.add(stage.user, app, "www.example.org")
    stage.clock.turn(25 * 3600)
    mine = domains.add(stage.user, app, "www.example.org")
    texts.records["_wherry.www.example.org"] = [domains.proof(mine)[1]]
    stage.clock.turn(11)
    assert domains.check(mine).verified_at
    assert domains.of_app(theirs) == []
    with pytest.raises(NotFound):
        domains.check(squatted)


def test_the_faster_proof_of_two_old_claims_wins(stage: Stage, domains: Domains, texts: InMemoryTexts) -> None:
    app = deployed(stage)
    actor, theirs = other(stage)
    slow = domains.add(actor, theirs, "a.example.org")
    stage.clock.turn(25 * 3600)
    fast = domains.add(stage.user, app, "example.org")
    texts.records["_wherry.example.org"] = [domains.proof(fast)[1]]
    stage.clock.turn(11)
    assert domains.check(fast).verified_at
    texts.records["_wherry.a.example.org"] = [domains.proof(slow)[1]]
    found = domains.check(slow)
    assert (found.verified_at, "is taken" in found.reason) == (None, True)


def test_a_platforms_admin_vouches_for_a_domain(stage: Stage, domains: Domains) -> None:
    boss, app = other(stage, admin=True)
    assert domains.add(boss, app, "www.example.org").verified_at


def test_a_destroyed_app_leaves_its_domains_to_others(stage: Stage, domains: Domains) -> None:
    boss, app = other(stage, admin=True)
    domains.add(boss, app, "www.example.org")
    stage.destroy.run(boss, app)
    stage.work()
    mine = stage.create.run(stage.user, "mine")
    assert domains.add(stage.user, mine, "www.example.org").verified_at is None
