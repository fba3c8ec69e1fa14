"""What every Ledger adapter must do with apps: their names, config and formation."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from wherry.domain.autoscale import Autoscale
from wherry.domain.build_settings import BuildSettings
from wherry.domain.errors import Conflict, NotFound
from wherry.domain.formation import Scale
from wherry.domain.model import Actor, App, JobKind
from wherry.domain.secret import Secret
from wherry.flow.ledger_ports import Ledger

from tests.contract.ledger_world import CONFIG, IMAGE, NOW, SOURCE, ZERO, add_build, append, undone


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
