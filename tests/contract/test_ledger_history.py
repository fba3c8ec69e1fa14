"""What every Ledger adapter must do with builds and releases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from wherry.domain.autoscale import Autoscale
from wherry.domain.build_settings import BuildSettings
from wherry.domain.formation import Scale
from wherry.domain.model import App, Build, BuildStatus, Release, ReleaseStatus
from wherry.domain.paging import Window
from wherry.domain.retention import Standing
from wherry.flow.ledger_ports import Ledger

from tests.contract.ledger_world import CONFIG, IMAGE, NOW, SOURCE, ZERO, add_build, append, undone


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
