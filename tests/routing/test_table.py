"""The table as a value, and its documents."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from wherry.domain.workload import AppRoute, Endpoint
from wherry.routing.envoy import cds_version, cluster_name, clusters, rds
from wherry.routing.store import TableFile, version_after
from wherry.routing.table import MOST_DRAINING, Entry, Table

A, B = Endpoint("10.0.0.1", 5000), Endpoint("10.0.0.2", 5000)


def v(release: int, *endpoints: Endpoint, app_id: int = 1, host: str = "shop") -> AppRoute:
    return AppRoute(app_id, (host,), release, endpoints)


def old(release: int, *endpoints: Endpoint) -> AppRoute:
    return AppRoute(1, (), release, endpoints)


def test_the_route_before_is_remembered_until_it_is_drained() -> None:
    table = Table().published(v(1, A)).published(v(2, B))
    assert table.entries[1] == Entry(v(2, B), (old(1, A),))
    assert table.entries[1].gone == {A}
    assert table.drained(1).entries[1] == Entry(v(2, B))


def test_a_new_host_alone_leaves_nothing_to_drain() -> None:
    assert Table().published(v(1, A)).published(v(1, A, host="store")).entries[1].draining == ()


def test_going_back_to_a_draining_release_takes_it_off_the_list() -> None:
    table = Table().published(v(1, A)).published(v(2, B)).published(v(1, A))
    assert table.entries[1] == Entry(v(1, A), (old(2, B),))


def test_the_list_of_draining_releases_is_bounded() -> None:
    table = Table()
    for release in range(50):
        table = table.published(v(release, Endpoint("10.0.0.1", 5000 + release)))
    assert len(table.entries[1].draining) == MOST_DRAINING


def test_a_host_belongs_to_whoever_published_it_last() -> None:
    table = Table().published(v(1, A)).published(v(1, B, app_id=2))
    assert (table.entries[1].route.hosts, table.entries[2].route.hosts) == ((), ("shop",))


def test_two_releases_at_the_same_processes_are_two_clusters() -> None:
    assert cluster_name(v(1, A)) != cluster_name(v(2, A)) != cluster_name(v(2, A, B))


def test_an_equal_set_of_clusters_has_an_equal_version() -> None:
    one, other = Table(1).published(v(1, A)), Table(2).published(v(1, A))
    assert cds_version(clusters(one)) == cds_version(clusters(other)) != cds_version({})


def test_no_domain_stands_twice_in_the_documents() -> None:
    table = Table().published(v(1, A)).published(v(1, B, app_id=2)).published(AppRoute(3, ("x", "x")))
    [config] = rds(table, "localhost")["resources"]
    domains = [domain for each in config["virtual_hosts"] for domain in each["domains"]]
    assert sorted(domains) == sorted(set(domains))


routes = st.builds(
    AppRoute,
    st.integers(1, 5),
    st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=2, unique=True).map(tuple),
    st.integers(0, 3),
    st.lists(st.sampled_from([A, B]), max_size=2, unique=True).map(tuple),
)


@given(st.lists(routes, max_size=12))
def test_any_story_of_publishes_leaves_each_host_to_one_app(story: list[AppRoute]) -> None:
    table = Table()
    for each in story:
        table = table.published(each)
        hosts = [host for entry in table.entries.values() for host in entry.route.hosts]
        assert len(hosts) == len(set(hosts))
        assert table.entries[each.app_id].route == each
    assert {entry.route.app_id for entry in table.entries.values()} == {each.app_id for each in story}


@given(st.lists(routes, max_size=8), st.lists(routes, max_size=8, unique_by=lambda each: each.app_id))
def test_replacing_is_publishing_each_and_withdrawing_the_rest(story: list[AppRoute], new: list[AppRoute]) -> None:
    table = Table()
    for each in story:
        table = table.published(each)
    one_by_one = table
    for app_id in list(table.entries):
        if app_id not in {each.app_id for each in new}:
            one_by_one = one_by_one.withdrawn(app_id)
    for each in new:
        one_by_one = one_by_one.published(each)
    assert table.replaced(new).entries == one_by_one.entries


def test_the_file_gives_back_what_it_was_given(tmp_path: Path) -> None:
    file = TableFile(tmp_path)
    table = Table(7).published(v(1, A)).published(v(2, A, B)).published(v(0, app_id=2, host="blog"))
    with file.writing():
        file.write(table)
    assert file.read() == table


def test_versions_grow_even_when_the_clock_goes_back() -> None:
    assert version_after(10**15) == 10**15 + 1
    assert 10**12 < version_after(0) < 10**14
