import pytest
from wherry.domain.errors import Conflict, NotFound
from wherry.domain.model import Actor, App
from wherry.domain.secret import Secret
from wherry.flow.domain_upkeep import RecheckDomains
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


DAY = 24 * 3600


@pytest.fixture
def recheck(stage: Stage, texts: InMemoryTexts) -> RecheckDomains:
    return RecheckDomains(stage.ledger, stage.clock, texts, Secret("key"))


def proved(stage: Stage, domains: Domains, texts: InMemoryTexts, app: App) -> str:
    """The name of its record."""
    found = domains.add(stage.user, app, "www.example.org")
    name, text = domains.proof(found)
    texts.records[name] = [text]
    stage.clock.turn(11)
    assert domains.check(found).verified_at
    return name


def actions(stage: Stage, app: App) -> list[str]:
    return [each for each in stage.events(app) if each in ("domain.check", "domain.doubt")]


def test_a_proof_that_is_gone_for_a_week_is_told_once_and_cuts_no_traffic(
    stage: Stage, domains: Domains, texts: InMemoryTexts, recheck: RecheckDomains
) -> None:
    app = deployed(stage)
    name = proved(stage, domains, texts, app)
    recheck.run()
    kept = texts.records.pop(name)
    for day in range(10):
        stage.clock.turn(DAY + 1)
        recheck.run()
        (found,) = domains.of_app(app)
        assert (found.reason, bool(found.doubted_at)) == (f"{name} no longer has its record", day >= 7)
    assert sorted(actions(stage, app)) == ["domain.check", "domain.doubt"]
    assert served(stage, app) == ("www.example.org",)
    texts.records[name] = kept
    stage.clock.turn(DAY + 1)
    recheck.run()
    (found,) = domains.of_app(app)
    assert (found.reason, found.missing_since, found.doubted_at) == ("", None, None)
    assert sorted(actions(stage, app)) == ["domain.check", "domain.check", "domain.doubt"]


def test_b63_a_record_that_names_somebody_else_is_told_at_once(
    stage: Stage, domains: Domains, texts: InMemoryTexts, recheck: RecheckDomains
) -> None:
    app = deployed(stage)
    name = proved(stage, domains, texts, app)
    texts.records[name] = ["wherry-verification=" + "0" * 40]
    recheck.run()
    (found,) = domains.of_app(app)
    assert (found.reason, found.doubted_at) == (f"{name} names somebody else", stage.clock.now())
    assert served(stage, app) == ("www.example.org",)


def test_b63_name_servers_that_do_not_answer_put_nothing_in_doubt(
    stage: Stage, domains: Domains, texts: InMemoryTexts, recheck: RecheckDomains
) -> None:
    app = deployed(stage)
    texts.silent.add(proved(stage, domains, texts, app))
    for _ in range(30):
        stage.clock.turn(DAY)
        recheck.run()
    (found,) = domains.of_app(app)
    assert (found.reason, found.missing_since, actions(stage, app)) == ("", None, ["domain.check"])
    assert served(stage, app) == ("www.example.org",)


def test_a_domain_that_an_admin_vouched_for_is_let_be(stage: Stage, domains: Domains, recheck: RecheckDomains) -> None:
    actor, app = other(stage, admin=True)
    domains.add(actor, app, "www.example.org")
    recheck.run()
    (found,) = domains.of_app(app)
    assert (found.look_at, found.reason) == (None, "")
