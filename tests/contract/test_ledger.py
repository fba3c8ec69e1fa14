"""What every Ledger adapter must do: SQL on SQLite, and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from wherry.domain.autoscale import Autoscale
from wherry.domain.build_settings import BuildSettings
from wherry.domain.errors import Conflict, NotFound
from wherry.domain.formation import Scale
from wherry.domain.image import Image, Start
from wherry.domain.model import Actor, App, Build, BuildStatus, JobKind, Release, ReleaseStatus, Source
from wherry.domain.paging import Window
from wherry.domain.retention import Standing
from wherry.domain.roles import Role
from wherry.domain.secret import Secret
from wherry.flow.ledger_ports import Ledger, Transaction
from wherry.ledger.ledger import SqlLedger

from tests.ledger.databases import KINDS, new_database

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
ZERO = "0" * 40
SOURCE = Source("c" * 40, "d" * 40, "/archives/17.tar")
IMAGE = Image("apps/1", "sha256:" + "e" * 64, {"web": "gunicorn app:app", "a": "one"}, {"a": Start(("x", "ł"), "1:1")})
CONFIG = {"URL": Secret("postgres://x"), "EMPTY": Secret("")}


@pytest.fixture(params=KINDS)
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    ledger = SqlLedger(new_database(request.param, tmp_path), bytes(32), tmp_path, lease_seconds=60)
    yield ledger
    ledger.close()


@pytest.fixture
def actor(ledger: Ledger) -> Actor:
    with ledger.begin() as tx:
        return tx.accounts.ensure("ada@example.org", admin=False)


@pytest.fixture
def app(ledger: Ledger, actor: Actor) -> App:
    with ledger.begin() as tx:
        return tx.apps.add("ferry", actor, NOW)


def add_build(ledger: Ledger, app: App) -> Build:
    with ledger.begin() as tx:
        return tx.builds.add(app.id, app.owner, "main", ZERO, SOURCE, NOW)


def append(ledger: Ledger, app: App, build: Build | None = None) -> Release:
    with ledger.begin() as tx:
        return tx.releases.append(
            app.id, app.owner, "Deploy", IMAGE, CONFIG, NOW, build.id if build else None, SOURCE.commit
        )


def undone(ledger: Ledger, change: Callable[[Transaction], object]) -> None:
    def fail() -> None:
        with ledger.begin() as tx:
            change(tx)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()


class TestTransactions:
    def test_what_is_committed_is_read_by_the_next(self, ledger: Ledger, app: App) -> None:
        with ledger.begin() as tx:
            assert tx.apps.by_id(app.id) == app

    def test_an_error_takes_everything_back(self, ledger: Ledger, actor: Actor) -> None:
        undone(ledger, lambda tx: tx.apps.add("ferry", actor, NOW))
        with ledger.begin() as tx:
            assert tx.apps.all() == []

    def test_a_read_only_one_reads(self, ledger: Ledger, app: App) -> None:
        with ledger.begin(read_only=True) as tx:
            assert tx.apps.by_name("ferry") == app


class TestApps:
    def test_an_app_is_found_by_id_and_by_name(self, ledger: Ledger, app: App, actor: Actor) -> None:
        assert (app.name, app.owner, app.created_at, app.updated_at, app.deploy_branch) == (
            "ferry",
            actor,
            NOW,
            NOW,
            None,
        )
        with ledger.begin() as tx:
            assert tx.apps.by_id(app.id) == tx.apps.by_name("ferry") == app
            assert tx.apps.all() == [app]

    @pytest.mark.parametrize("number", [0, -1, 999, 2**63, 2**70])
    def test_b59_what_is_not_there_is_not_found(self, ledger: Ledger, number: int) -> None:
        with ledger.begin() as tx:
            for look in (tx.apps.by_id, tx.builds.by_id, tx.releases.by_id):
                with pytest.raises(NotFound):
                    look(number)
            with pytest.raises(NotFound):
                tx.releases.by_number(1, number)
            with pytest.raises(NotFound):
                tx.apps.by_name("nobody")

    def test_b05_a_name_in_use_is_refused(self, ledger: Ledger, app: App) -> None:
        with ledger.begin() as tx:
            other = tx.accounts.ensure("bob@example.org", admin=False)
        with pytest.raises(Conflict, match="the name ferry is taken"), ledger.begin() as tx:
            tx.apps.add("ferry", other, NOW)

    @pytest.mark.parametrize("how", ["removed", "renamed"])
    def test_b05_a_name_stays_taken_for_90_days(self, ledger: Ledger, app: App, how: str) -> None:
        with ledger.begin() as tx:
            if how == "removed":
                tx.apps.remove(app.id, NOW)
            else:
                tx.apps.rename(app.id, "barge", NOW)
        with pytest.raises(Conflict, match="the name ferry is taken"), ledger.begin() as tx:
            tx.apps.add("ferry", app.owner, NOW + timedelta(days=89))
        with ledger.begin() as tx:
            assert tx.apps.add("ferry", app.owner, NOW + timedelta(days=90)).id != app.id

    def test_a_renamed_app_may_have_its_old_name_back(self, ledger: Ledger, app: App) -> None:
        later = NOW + timedelta(days=1)
        with ledger.begin() as tx:
            for name in ("barge", "ferry", "barge", "ferry"):
                assert tx.apps.rename(app.id, name, later).name == name
            assert tx.apps.by_name("ferry") == replace(app, updated_at=later)
        with pytest.raises(Conflict), ledger.begin() as tx:
            tx.apps.add("barge", app.owner, later)

    def test_a_rename_to_another_apps_name_is_refused(self, ledger: Ledger, app: App) -> None:
        with ledger.begin() as tx:
            barge = tx.apps.add("barge", app.owner, NOW)
        with pytest.raises(Conflict), ledger.begin() as tx:
            tx.apps.rename(barge.id, "ferry", NOW)

    def test_the_deploy_branch_is_kept(self, ledger: Ledger, app: App) -> None:
        with ledger.begin() as tx:
            tx.apps.set_deploy_branch(app.id, "main")
            assert tx.apps.by_id(app.id).deploy_branch == "main"

    def test_the_build_settings_are_kept(self, ledger: Ledger, app: App) -> None:
        settings = BuildSettings("container", ("wherry/apt", "wherry/python"), "example/builder")
        with ledger.begin() as tx:
            assert tx.apps.by_id(app.id).build == BuildSettings()
            tx.apps.put_build_settings(app.id, settings)
            assert tx.apps.by_id(app.id).build == settings

    def test_a_removed_app_is_not_found_and_leaves_nothing(self, ledger: Ledger, app: App) -> None:
        build = add_build(ledger, app)
        release = append(ledger, app)
        with ledger.begin() as tx:
            tx.apps.put_config(app.id, CONFIG)
            tx.apps.put_formation(app.id, {"web": Scale(1)})
            tx.jobs.add(JobKind.BUILD, build.id, "a")
            tx.jobs.add(JobKind.ROLLOUT, release.id, "b")
            tx.jobs.add(JobKind.CONVERGE, app.id, "c")
            stays = [tx.jobs.add(JobKind.DESTROY, app.id, "d"), tx.jobs.add(JobKind.CONVERGE, app.id + 1, "e")]
        with ledger.begin() as tx:
            tx.apps.remove(app.id, NOW)
            tx.apps.remove(app.id, NOW)
            assert (tx.apps.all(), tx.apps.formation(app.id), tx.jobs.waiting()) == ([], {}, stays)
            assert tx.releases.by_id(release.id).config == {}
            for use in (tx.apps.by_id, tx.apps.config):
                with pytest.raises(NotFound):
                    use(app.id)
            with pytest.raises(NotFound):
                tx.builds.add(app.id, app.owner, "main", ZERO, SOURCE, NOW)
            with pytest.raises(NotFound):
                tx.releases.append(app.id, app.owner, "Deploy", IMAGE, CONFIG, NOW)
            with pytest.raises(NotFound):
                tx.apps.put_config(app.id, CONFIG)

    def test_ids_are_never_given_twice(self, ledger: Ledger, app: App) -> None:
        undone(ledger, lambda tx: tx.apps.add("barge", app.owner, NOW))
        with ledger.begin() as tx:
            tx.apps.remove(app.id, NOW)
            assert tx.apps.add("sloop", app.owner, NOW).id > app.id

    def test_config_is_empty_at_first_and_replaced_as_a_whole(self, ledger: Ledger, app: App) -> None:
        with ledger.begin() as tx:
            assert tx.apps.config(app.id) == {}
            tx.apps.put_config(app.id, CONFIG)
            assert tx.apps.config(app.id) == CONFIG
            tx.apps.put_config(app.id, {"ONE": Secret("1")})
            assert tx.apps.config(app.id) == {"ONE": Secret("1")}

    def test_formation_is_replaced_as_a_whole(self, ledger: Ledger, app: App) -> None:
        with ledger.begin() as tx:
            assert tx.apps.formation(app.id) == {}
            first = {"web": Scale(3, "large"), "worker": Scale(2, autoscale=Autoscale(2, 9, cpu=70, requests=5))}
            tx.apps.put_formation(app.id, first)
            assert tx.apps.formation(app.id) == first
            assert tx.apps.formations([app.id]) == {app.id: first}
            tx.apps.put_formation(app.id, {"web": Scale(1)})
            assert tx.apps.formation(app.id) == {"web": Scale(1)}
            assert tx.apps.formations([app.id, app.id + 1]) == {app.id: {"web": Scale(1)}}
            tx.apps.put_formation(app.id, {})
            assert tx.apps.formation(app.id) == {}


class TestBuilds:
    def test_a_build_begins_pending(self, ledger: Ledger, app: App) -> None:
        build = add_build(ledger, app)
        assert build == Build(build.id, app.id, app.owner, "main", ZERO, SOURCE, BuildStatus.PENDING, NOW)
        with ledger.begin() as tx:
            assert tx.builds.by_id(build.id) == build
            assert tx.builds.unfinished(app.id) == [build]

    def test_a_build_runs_and_is_final_once(self, ledger: Ledger, app: App) -> None:
        build = add_build(ledger, app)
        done = replace(build, status=BuildStatus.SUCCEEDED, image=IMAGE, finished_at=NOW + timedelta(seconds=3))
        failed = replace(
            done, status=BuildStatus.FAILED, image=None, failure="out-of-memory", message="more than 2 GiB"
        )
        with ledger.begin() as tx:
            tx.builds.start(build.id)
            tx.builds.start(build.id)
            assert tx.builds.by_id(build.id).status is BuildStatus.RUNNING
            assert tx.builds.finish(done) is True
            assert tx.builds.finish(failed) is False
            tx.builds.start(build.id)
            assert tx.builds.by_id(build.id) == done
            assert tx.builds.unfinished(app.id) == []

    def test_a_failure_is_kept_with_its_message(self, ledger: Ledger, app: App) -> None:
        build = add_build(ledger, app)
        failed = replace(build, status=BuildStatus.FAILED, failure="bad-source", message="é\u2028😀", finished_at=NOW)
        with ledger.begin() as tx:
            assert tx.builds.finish(failed)
            assert tx.builds.by_id(build.id) == failed

    def test_a_message_no_database_takes_is_escaped_rather_than_lost(self, ledger: Ledger, app: App) -> None:
        build = add_build(ledger, app)
        with ledger.begin() as tx:
            assert tx.builds.finish(replace(build, status=BuildStatus.FAILED, message="a\0b\ud800", finished_at=NOW))
            assert tx.builds.by_id(build.id).message == "a\\x00b\\ud800"

    def test_builds_of_an_app_come_newest_first(self, ledger: Ledger, app: App) -> None:
        ids = [add_build(ledger, app).id for _ in range(4)]
        with ledger.begin() as tx:
            other = tx.apps.add("barge", app.owner, NOW)
            tx.builds.add(other.id, app.owner, "main", ZERO, SOURCE, NOW)
            assert [build.id for build in tx.builds.of_app(app.id, limit=3)] == ids[:0:-1]


class TestReleases:
    def test_i2_numbers_grow_by_one_and_per_app(self, ledger: Ledger, app: App) -> None:
        with ledger.begin() as tx:
            other = tx.apps.add("barge", app.owner, NOW)
        assert [append(ledger, each).name for each in (app, app, other, app)] == ["v1", "v2", "v1", "v3"]

    def test_i2_a_number_taken_back_by_an_error_was_never_given(self, ledger: Ledger, app: App) -> None:
        undone(ledger, lambda tx: tx.releases.append(app.id, app.owner, "Deploy", IMAGE, CONFIG, NOW))
        assert append(ledger, app).number == 1

    def test_a_release_is_kept_whole(self, ledger: Ledger, app: App) -> None:
        build = add_build(ledger, app)
        release = append(ledger, app, build)
        assert release == Release(
            id=release.id,
            app_id=app.id,
            number=1,
            actor=app.owner,
            description="Deploy",
            status=ReleaseStatus.PENDING,
            image=IMAGE,
            config=CONFIG,
            created_at=NOW,
            build_id=build.id,
            commit=SOURCE.commit,
        )
        assert list(release.image.processes) == ["web", "a"]
        with ledger.begin() as tx:
            assert tx.releases.by_id(release.id) == tx.releases.by_number(app.id, 1) == release
            assert tx.releases.of_build(build.id) == release

    def test_its_config_is_a_snapshot(self, ledger: Ledger, app: App) -> None:
        release = append(ledger, app)
        with ledger.begin() as tx:
            tx.apps.put_config(app.id, {})
            assert tx.releases.by_id(release.id).config == CONFIG

    def test_a_release_is_final_once(self, ledger: Ledger, app: App) -> None:
        release = append(ledger, app)
        later = NOW + timedelta(minutes=1)
        with ledger.begin() as tx:
            assert tx.releases.finish(release.id, ReleaseStatus.FAILED, later, "exited", "exit code 1") is True
            assert tx.releases.finish(release.id, ReleaseStatus.SUCCEEDED, later) is False
            assert tx.releases.by_id(release.id) == replace(
                release, status=ReleaseStatus.FAILED, finished_at=later, failure="exited", message="exit code 1"
            )

    def test_current_is_the_succeeded_one_with_the_highest_number(self, ledger: Ledger, app: App) -> None:
        releases = [append(ledger, app) for _ in range(4)]
        with ledger.begin() as tx:
            assert tx.releases.current(app.id) is None
            tx.releases.finish(releases[1].id, ReleaseStatus.SUCCEEDED, NOW)
            tx.releases.finish(releases[0].id, ReleaseStatus.SUCCEEDED, NOW)
            tx.releases.finish(releases[2].id, ReleaseStatus.FAILED, NOW)
            current = tx.releases.current(app.id)
            assert current is not None
            assert current.number == 2

    def test_releases_of_an_app_come_newest_first(self, ledger: Ledger, app: App) -> None:
        for _ in range(3):
            append(ledger, app)
        with ledger.begin() as tx:
            assert [release.number for release in tx.releases.of_app(app.id, limit=2)] == [3, 2]

    def test_the_first_release_of_a_build_is_its_release(self, ledger: Ledger, app: App) -> None:
        build = add_build(ledger, app)
        first = append(ledger, app, build)
        append(ledger, app, build)
        with ledger.begin() as tx:
            assert tx.releases.of_build(build.id) == first
            assert tx.releases.of_build(build.id + 1) is None

    def test_pages_and_standing_are_the_ledgers_to_cut(self, ledger: Ledger, app: App) -> None:
        made = [append(ledger, app) for _ in range(6)]
        with ledger.begin() as tx:
            for place, status in ((0, "succeeded"), (1, "failed"), (2, "succeeded"), (3, "succeeded"), (5, "failed")):
                tx.releases.finish(made[place].id, ReleaseStatus(status), NOW)
            other = tx.apps.add("barge", app.owner, NOW)
            tx.releases.append(other.id, app.owner, "Deploy", IMAGE, CONFIG, NOW)
        with ledger.begin(read_only=True) as tx:
            numbers = [each.number for each in tx.releases.page(app.id, Window(5, 2, True, 3, descending=True))]
            assert numbers == [4, 3, 2]
            by_id = tx.releases.page(app.id, Window(made[1].id, made[2].id), by_id=True)
            assert [each.number for each in by_id] == [2, 3]
            assert [each.number for each in tx.releases.kept(app.id, 2)] == [4, 3, 5]
            assert tx.releases.standing(app.id, 2) == Standing(current=4, newest=5, oldest=3)
            assert tx.releases.standing(other.id, 2) == Standing(newest=1)
            newest, before = tx.releases.newest(app.id), tx.releases.before(app.id, 4)
            assert (newest, before) == (made[4], tx.releases.by_number(app.id, 3))
            assert tx.releases.before(app.id, 1) is None
            currents = tx.releases.currents([app.id, other.id])
            assert {key: each.number for key, each in currents.items()} == {app.id: 4}
            newests = tx.releases.newests([app.id, other.id])
            assert {key: each.number for key, each in newests.items()} == {app.id: 5, other.id: 1}
            with pytest.raises(RuntimeError, match="without its config"):
                len(currents[app.id].config)

    def test_a_release_keeps_the_formation_and_the_settings_of_its_time(self, ledger: Ledger, app: App) -> None:
        formation: dict[str, Scale] = {"web": Scale(2, "large"), "job": Scale(1, autoscale=Autoscale(1, 5, cpu=80))}
        settings = BuildSettings("container", ("a/b",), "x")
        with ledger.begin() as tx:
            tx.releases.append(app.id, app.owner, "Deploy", IMAGE, {}, NOW, formation=formation, settings=settings)
            found = tx.releases.by_number(app.id, 1)
        assert (found.formation, found.settings) == (formation, settings)
        assert (append(ledger, app).formation, append(ledger, app).settings) == (None, None)


class TestEvents:
    def test_events_come_newest_first_with_what_they_hold(self, ledger: Ledger, app: App, actor: Actor) -> None:
        with ledger.begin() as tx:
            tx.events.add(NOW, actor, "ferry", "app.create")
            tx.events.add(NOW, actor, "ferry", "scale", {"web": 1}, {"web": None, "é": True}, "10.0.0.1")
            newest, oldest = tx.events.of_app("ferry")
        assert (newest.at, newest.actor, newest.app, newest.action, newest.before, newest.after, newest.origin) == (
            NOW,
            actor.email,
            "ferry",
            "scale",
            {"web": 1},
            {"web": None, "é": True},
            "10.0.0.1",
        )
        assert (oldest.action, oldest.before, oldest.after, oldest.origin) == ("app.create", {}, {}, "")

    def test_a_renamed_app_keeps_its_events(self, ledger: Ledger, app: App, actor: Actor) -> None:
        with ledger.begin() as tx:
            tx.events.add(NOW, actor, "ferry", "app.create")
            tx.apps.rename(app.id, "barge", NOW)
            tx.events.add(NOW, actor, "barge", "app.rename")
            assert [event.app for event in tx.events.of_app("barge")] == ["barge", "ferry"]

    def test_t24_who_takes_a_free_name_does_not_see_what_was(self, ledger: Ledger, app: App, actor: Actor) -> None:
        with ledger.begin() as tx:
            tx.events.add(NOW, actor, "ferry", "app.create")
            tx.apps.remove(app.id, NOW)
            assert [event.action for event in tx.events.of_app("ferry")] == ["app.create"]
            tx.apps.add("ferry", actor, NOW + timedelta(days=100))
            assert tx.events.of_app("ferry") == []


class TestAccounts:
    def test_one_address_is_one_account(self, ledger: Ledger, actor: Actor) -> None:
        with ledger.begin() as tx:
            assert tx.accounts.ensure("Ada@Example.org", admin=False) == actor
            assert tx.accounts.by_email("ADA@example.org") == actor
            assert tx.accounts.by_email("bob@example.org") is None

    def test_an_account_becomes_admin_and_stays_one(self, ledger: Ledger, actor: Actor) -> None:
        with ledger.begin() as tx:
            assert tx.accounts.ensure(actor.email, admin=True) == replace(actor, admin=True)
            assert tx.accounts.ensure(actor.email, admin=False) == replace(actor, admin=True)

    def test_a_token_names_its_actor_until_it_is_dropped(self, ledger: Ledger, actor: Actor) -> None:
        with ledger.begin() as tx:
            assert tx.accounts.by_token("ab" * 32, NOW) is None
            tx.accounts.add_token(actor, "ab" * 32, "laptop", NOW)
            tx.accounts.add_token(actor, "ab" * 32, "laptop", NOW)
            assert tx.accounts.by_token("ab" * 32, NOW + timedelta(days=9999)) == actor
            tx.accounts.drop_token("ab" * 32)
            tx.accounts.drop_token("ab" * 32)
            assert tx.accounts.by_token("ab" * 32, NOW) is None

    def test_a35_a_token_expires_a_minute_late_for_clocks_that_differ(self, ledger: Ledger, actor: Actor) -> None:
        with ledger.begin() as tx:
            tx.accounts.add_token(actor, "ab" * 32, "", NOW, expires_at=NOW + timedelta(hours=1))
            assert tx.accounts.by_token("ab" * 32, NOW + timedelta(hours=1, seconds=59)) == actor
            assert tx.accounts.by_token("ab" * 32, NOW + timedelta(hours=1, seconds=60)) is None

    def test_t04_a_login_link_works_once_and_is_no_token(self, ledger: Ledger, actor: Actor) -> None:
        with ledger.begin() as tx:
            tx.accounts.add_token(actor, "ab" * 32, "", NOW, NOW + timedelta(minutes=5), kind="link")
            assert tx.accounts.by_token("ab" * 32, NOW) is None
            assert tx.accounts.use_once("ab" * 32, NOW) == actor
            assert tx.accounts.use_once("ab" * 32, NOW) is None

    def test_a_login_link_that_expired_is_used_up(self, ledger: Ledger, actor: Actor) -> None:
        with ledger.begin() as tx:
            tx.accounts.add_token(actor, "ab" * 32, "", NOW, NOW + timedelta(minutes=5), kind="link")
            assert tx.accounts.use_once("ab" * 32, NOW + timedelta(minutes=10)) is None
            assert tx.accounts.use_once("ab" * 32, NOW) is None


def test_roles_on_an_app_are_given_changed_and_taken(ledger: Ledger, actor: Actor, app: App) -> None:
    with ledger.begin() as tx:
        bob, eve = (tx.accounts.ensure(f"{name}@example.org", admin=False) for name in ("bob", "eve"))
        given = tx.collaborators.put(app.id, bob, frozenset({Role.VIEW}), NOW)
        later = NOW + timedelta(hours=1)
        changed = tx.collaborators.put(app.id, bob, frozenset({Role.VIEW, Role.DEPLOY}), later)
        assert changed == replace(given, roles=frozenset({Role.VIEW, Role.DEPLOY}), updated_at=later)
        assert tx.collaborators.of_app(app.id) == [tx.collaborators.of(app.id, bob.id)] == [changed]
        assert (
            [each.id for each in tx.apps.seen_by(bob.id)] == [each.id for each in tx.apps.seen_by(actor.id)] == [app.id]
        )
        assert tx.apps.seen_by(eve.id) == []
        assert tx.collaborators.remove(app.id, bob.id)
        assert not tx.collaborators.remove(app.id, bob.id)
        assert tx.apps.seen_by(bob.id) == []
        tx.collaborators.put(app.id, eve, frozenset({Role.VIEW}), NOW)
        tx.apps.remove(app.id, NOW)
        assert tx.collaborators.of_app(app.id) == []
