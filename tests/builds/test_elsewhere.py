"""Buildpacks from elsewhere, short of running them: what is fetched from where, what is unpacked, what is refused."""

from __future__ import annotations

import io
import json
import os
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from wherry.builds.asked import settle
from wherry.builds.catalogue import Catalogue
from wherry.builds.elsewhere import Elsewhere
from wherry.builds.shelf import Shelf
from wherry.domain.build_settings import BuildSettings
from wherry.domain.buildpacks import reference
from wherry.domain.errors import BuildFailed, BuildFailure, InvalidInput, PlatformFault
from wherry.images.registry import Registry
from wherry.settings import Settings
from wherry.sources.fetch import Trees

from tests.builds.elsewhere_kit import Package, about, lay, lay_composite, order, repository, served, tarball


@pytest.fixture
def web(tmp_path: Path) -> Path:
    (tmp_path / "web").mkdir()
    return tmp_path / "web"


@pytest.fixture
def served_web(web: Path) -> Iterator[tuple[str, list[str]]]:
    with served(web) as opened:
        yield opened


@pytest.fixture
def app(tmp_path: Path) -> Path:
    (tmp_path / "app").mkdir()
    return tmp_path / "app"


@pytest.fixture
def ours(tmp_path: Path) -> Catalogue:
    folder = tmp_path / "ours"
    for name in ("apt", "python", "procfile", "before"):
        lay(folder / name, f"wherry/{name}")
    (folder / "order.toml").write_text(order("wherry/python") + order("wherry/procfile"))
    (folder / "system.toml").write_text('[[system.pre.buildpacks]]\nid = "wherry/before"\n')
    return Catalogue.load(folder)


def elsewhere(tmp_path: Path, *prefixes: str) -> Elsewhere:
    return Elsewhere(Shelf(tmp_path / "shelf"), Registry("http://127.0.0.1:9"), prefixes, Trees())


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(BuildFailed) as caught:
        call()
    assert caught.value.kind is BuildFailure.BAD_SOURCE
    return "\n".join(caught.value.lines())


def shelved(tmp_path: Path) -> list[str]:
    return [each.name for each in (tmp_path / "shelf").iterdir() if each.is_dir()]


# -- by URL


def test_a_tarball_is_fetched_once_and_kept_by_its_digest(
    tmp_path: Path, web: Path, app: Path, served_web: tuple[str, list[str]]
) -> None:
    url, asked = served_web
    lay(tmp_path / "pack/inner-abc", "else/a")
    sha = tarball(tmp_path / "pack", web / "a.tgz")
    wanted = reference(f"{url}/again/a.tgz#sha256={sha}")
    for _ in range(2):
        found = elsewhere(tmp_path, url).find(wanted, app)
        assert [each.id for each in found.descriptors] == ["else/a"]
    assert asked == ["/again/a.tgz", "/a.tgz"]
    assert shelved(tmp_path) == [f"tar-{sha}"]


def test_t27_nothing_is_fetched_from_where_the_operator_did_not_allow(
    tmp_path: Path, web: Path, app: Path, served_web: tuple[str, list[str]]
) -> None:
    url, asked = served_web
    sha = tarball(lay(tmp_path / "pack", "else/a"), web / "a.tgz")
    allowed, from_app = elsewhere(tmp_path, f"{url}/a", f"{url}/away"), reference(f"{url}/b.tgz#sha256={sha}")
    assert "is not a place that buildpacks may come from here" in refusal(lambda: allowed.find(from_app, app))
    for wanted in (f"{url}/pack.git#main", f"docker://127.0.0.1:1/a@sha256:{sha}"):
        assert "is not a place" in refusal(lambda wanted=wanted: allowed.find(reference(wanted), app))  # type: ignore[misc]
    assert asked == []
    away = reference(f"{url}/away/a.tgz#sha256={sha}")
    assert "http://localhost:" in refusal(lambda: allowed.find(away, app))
    assert asked == ["/away/a.tgz"]


def test_a_file_that_is_another_or_not_there_is_the_apps_fault_and_a_dead_server_is_not(
    tmp_path: Path, web: Path, app: Path, served_web: tuple[str, list[str]]
) -> None:
    url, _ = served_web
    sha = tarball(lay(tmp_path / "pack", "else/a"), web / "a.tgz")
    there = elsewhere(tmp_path, url, "http://127.0.0.1:9")
    other = "0" * 64
    assert f"sha256:{sha}, and should be sha256:{other}" in refusal(
        lambda: there.find(reference(f"{url}/a.tgz#sha256={other}"), app)
    )
    assert "answered 404" in refusal(lambda: there.find(reference(f"{url}/b.tgz#sha256={sha}"), app))
    with pytest.raises(PlatformFault, match="does not answer"):
        there.find(reference(f"http://127.0.0.1:9/a.tgz#sha256={sha}"), app)
    assert list((tmp_path / "shelf").iterdir()) == []


def test_a_repository_is_fetched_by_branch_or_commit_and_without_redirects(
    tmp_path: Path, web: Path, app: Path, served_web: tuple[str, list[str]]
) -> None:
    url, _ = served_web
    name, commit = repository(lay(tmp_path / "pack", "else/git"), web)
    there = elsewhere(tmp_path, url)
    for wanted in (f"{url}/{name}", f"{url}/{name}#main", f"{url}/{name}#{commit}"):
        assert there.find(reference(wanted), app).member.id == "else/git"
    assert shelved(tmp_path) == [f"git-{commit}"]
    for wrong in (f"{url}/{name}#nothing", f"{url}/none.git", f"{url}/away/{name}", f"{url}/{name}#{'0' * 40}"):
        assert "that can be used here" in refusal(lambda wrong=wrong: there.find(reference(wrong), app))  # type: ignore[misc]


# -- what is no buildpack


def test_a_folder_that_is_no_buildpack_says_what_it_lacks(tmp_path: Path, app: Path) -> None:
    there = elsewhere(tmp_path)

    def said() -> str:
        return refusal(lambda: there.find(reference("./x"), app))

    assert "no such folder" in said()
    (app / "x").mkdir()
    assert "no buildpack.toml" in said()
    (app / "x/extension.toml").write_text("")
    assert "image extension" in said()
    (app / "x/buildpack.toml").write_text(about("else/x"))
    assert "has no bin/detect and no bin/build" in said()
    (app / "x/buildpack.toml").write_text(about("else/x").replace("0.10", "0.2"))
    assert "Buildpack API '0.2' is not 0.8 to 0.12" in said()
    (app / "x/buildpack.toml").write_text(about("../x"))
    assert "is not an id" in said()


def test_a_folder_behind_a_link_out_of_the_app_is_refused(tmp_path: Path, app: Path) -> None:
    lay(tmp_path / "outside", "else/x")
    (app / "x").symlink_to("../outside")
    assert "leads out of the app" in refusal(lambda: elsewhere(tmp_path).find(reference("./x"), app))
    (app / "x").unlink()
    lay_composite(app / "x", "else/all", "else/x")
    (app / "x/package.toml").write_text('[[dependencies]]\nuri = "../../outside"\n')
    assert "leads out of the app" in refusal(lambda: elsewhere(tmp_path).find(reference("./x"), app))


def test_a_composite_folder_brings_what_its_package_names(tmp_path: Path, app: Path) -> None:
    lay_composite(app / "packs/all", "else/all", "else/a", "else/b")
    lay(app / "packs/a", "else/a")
    tarball(lay(tmp_path / "b", "else/b"), app / "packs/b.tgz")
    (app / "packs/all/package.toml").write_text(
        '[buildpack]\nuri = "."\n[[dependencies]]\nuri = "../a"\n[[dependencies]]\nuri = "../b.tgz"\n'
    )
    found = elsewhere(tmp_path).find(reference("./packs/all"), app)
    assert (found.member.id, [each.id for each in found.descriptors]) == ("else/all", ["else/all", "else/a", "else/b"])
    (app / "packs/a/package.toml").write_text('[[dependencies]]\nuri = "../all"\n')
    assert "nested deeper than" in refusal(lambda: elsewhere(tmp_path).find(reference("./packs/all"), app))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda files: files.pop("index.json"), "it has no index.json"),
        (lambda files: files.update({"index.json": b"[" * 100_000}), "is not JSON"),
        (lambda files: files.update({"index.json": b'{"manifests": [1]}'}), "does not name one image"),
        (lambda files: files.update({max(files, key=len): b"{}"}), "has other bytes than its name says"),
    ],
)
def test_a_package_file_that_is_not_whole_is_refused(
    tmp_path: Path, app: Path, change: Callable[[dict[str, bytes]], object], words: str
) -> None:
    Package(("else/a", "1.0"), {"else/a": lay(tmp_path / "a", "else/a")}).write(tmp_path / "good.cnb")
    with tarfile.open(tmp_path / "good.cnb") as tar:
        files = {name: tar.extractfile(name).read() for name in tar.getnames()}  # type: ignore[union-attr]
    manifest = json.loads(files["index.json"])["manifests"][0]["digest"].partition(":")[2]
    files[f"blobs/sha256/{manifest}"] = files.pop(f"blobs/sha256/{manifest}")  # the last of the longest
    files = dict(sorted(files.items(), key=lambda item: manifest not in item[0]))
    change(files)
    with tarfile.open(app / "a.cnb", "w") as tar:
        for name, content in files.items():
            made = tarfile.TarInfo(name)
            made.size = len(content)
            tar.addfile(made, io.BytesIO(content))
    assert words in refusal(lambda: elsewhere(tmp_path).find(reference("./a.cnb"), app))


def test_a_package_for_what_it_does_not_bring_is_refused(tmp_path: Path, app: Path) -> None:
    folder = lay(tmp_path / "a", "else/a")
    Package(("else/b", "1.0"), {"else/a": folder}).write(app / "a.cnb")
    assert "does not bring else/b 1.0" in refusal(lambda: elsewhere(tmp_path).find(reference("./a.cnb"), app))


# -- which buildpacks build, in which order


def groups(tmp_path: Path, app: Path, ours: Catalogue, *names: str, toml: str = "") -> list[str]:
    if toml:
        (app / "project.toml").write_text(toml)
    asked = settle(app, BuildSettings(buildpacks=names), ours, elsewhere(tmp_path), lambda line: None)
    return [
        " ".join(member.id.removeprefix("wherry/") + "?" * member.optional for member in group)
        for group in asked.catalogue.order
    ]


def test_project_toml_counts_more_than_the_list_and_the_list_more_than_the_order(
    tmp_path: Path, app: Path, ours: Catalogue
) -> None:
    lay(app / "mine", "app/mine")
    assert groups(tmp_path, app, ours) == ["before python", "before procfile"]
    assert groups(tmp_path, app, ours, "heroku/python") == ["before apt? python procfile?"]
    assert groups(tmp_path, app, ours, "./mine", "heroku/procfile") == ["before apt? app/mine procfile"]
    mine = "[[io.buildpacks.group]]\nuri = './mine'\n"
    assert groups(tmp_path, app, ours, "heroku/python", toml=mine) == ["before app/mine procfile?"]
    around = "[[io.buildpacks.pre.group]]\nuri = './mine'\n[[io.buildpacks.post.group]]\nid = 'wherry/apt'\n"
    assert groups(tmp_path, app, ours, toml=around) == ["before app/mine python apt", "before app/mine procfile apt"]
    assert groups(tmp_path, app, ours, "wherry/python", toml=around) == ["before app/mine python apt procfile?"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("heroku/python", "wherry/python"),
        ("heroku/scala", "there is no buildpack heroku/scala here"),
        ("wherry/python@9", "there is no buildpack wherry/python 9: have 1.0"),
        ("./clash", "would share a folder"),
        ("./ours", "is the platform's own"),
        ("./lost", "there is no buildpack else/nowhere"),
    ],
)
def test_what_cannot_be_in_a_group_is_refused(
    tmp_path: Path, app: Path, ours: Catalogue, name: str, words: str
) -> None:
    lay(app / "clash", "wherry_python")
    lay(app / "ours", "wherry/apt")
    lay_composite(app / "lost", "else/lost", "else/nowhere")
    if name == "heroku/python":
        said: list[str] = []
        settle(app, BuildSettings(buildpacks=(name,)), ours, elsewhere(tmp_path), said.append)
        assert said == ["       heroku/python is built here by wherry/python"]
        return
    assert words in refusal(lambda: groups(tmp_path, app, ours, name))


def test_what_nobody_used_for_long_and_what_is_too_much_leaves_the_shelf(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wherry.builds.shelf.MOST_BYTES", 100_000)
    shelf = Shelf(tmp_path / "shelf")

    def keep(key: str, unused_hours: float) -> None:
        shelf.keep(key, lambda folder: (folder / "file").write_bytes(bytes(40_000)) and None)
        used = time.time() - unused_hours * 3600
        os.utime(tmp_path / "shelf" / key, (used, used))

    for key, hours in (("ancient", 31 * 24), ("older", 3), ("old", 2), ("busy", 0.1)):
        keep(key, hours)
    shelf.keep("new", lambda folder: None)
    assert sorted(each.name for each in (tmp_path / "shelf").iterdir()) == [
        *("busy", "busy.size", "new", "new.size", "old", "old.size")
    ]


def test_what_another_build_takes_away_meanwhile_fails_none(tmp_path: Path) -> None:
    """Between the list and the look: a name that leads nowhere is such a one."""
    shelf = Shelf(tmp_path / "shelf")
    with shelf.draft() as draft:
        draft.with_name(".draft-gone").symlink_to("nowhere")
    shelf.keep("new", lambda folder: None)
    assert shelf.get("new")


def test_a_source_that_is_no_url_prefix_is_refused_with_its_setting() -> None:
    with pytest.raises(InvalidInput) as caught:
        Settings.load({"WHERRY_BUILDPACK_SOURCES": "https://h.example/team h.example https://u:p@h.example"})
    assert [line.partition(": '")[0] for line in caught.value.evidence] == ["WHERRY_BUILDPACK_SOURCES"] * 2


@pytest.mark.parametrize("make", [lambda path: path.mkdir(), lambda path: path.symlink_to("other.toml")])
def test_b13_a_project_toml_that_is_no_file_is_refused(
    tmp_path: Path, app: Path, ours: Catalogue, make: Callable[[Path], None]
) -> None:
    (app / "other.toml").write_text("")
    make(app / "project.toml")
    assert "project.toml is not a regular file" in refusal(lambda: groups(tmp_path, app, ours))
