"""Bad pushes: a clear word, exit code 1, and nothing has changed."""

from __future__ import annotations

import subprocess

import pytest

from tests.journeys.harness import App, Platform


@pytest.fixture(scope="module")
def app(platform: Platform) -> App:
    app = platform.create("refusals", "procfile-only")
    app.push()
    return app


def refused(app: App, *args: str) -> str:
    """The words of a push that must be refused; the deploy branch, the releases and the answer stay."""
    head, history, answer = app.git("ls-remote", "wherry", "refs/heads/main").out, app.history(), app.get()
    said = app.push(*args, check=False)
    assert said.code != 0, said.all
    assert app.git("ls-remote", "wherry", "refs/heads/main").out == head
    assert app.history() == history
    assert app.get() == answer
    app.git("reset", "-q", "--hard", "wherry/main")
    return said.all


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("web", "Procfile:1"),
        ("web: a\nweb: b\n", "stands twice"),
        ("web:\n", "no command"),
        ("Web_1!: x\n", "not a process type"),
        ("web: \0x\n", "not a regular text file"),
    ],
)
def test_b12_b13_a_bad_procfile_refuses_the_push_with_its_line(app: App, content: str, word: str) -> None:
    app.write("Procfile", content)
    app.commit("A bad Procfile")
    assert word in refused(app)


def test_b13_a_procfile_that_is_a_link_is_never_followed(app: App) -> None:
    (app.folder / "Procfile").unlink()
    (app.folder / "Procfile").symlink_to("/etc/passwd")
    app.commit("A link")
    said = refused(app)
    assert "root:" not in said
    assert "Procfile" in said


def test_b20_only_branches_and_tags_may_be_pushed(app: App) -> None:
    for name in ("refs/notes/x", "refs/replace/x", "refs/pull/1", "refs/custom/x"):
        assert "hidden ref" in refused(app, f"main:{name}")


def test_b20_a_tag_is_stored_without_a_build(app: App) -> None:
    before = app.history()
    app.git("tag", "some-tag")
    assert app.push("some-tag").code == 0
    assert app.history() == before


def test_b21_another_branch_is_stored_with_the_command_that_deploys_it(app: App) -> None:
    before = app.history()
    said = app.push("main:feature").all
    assert "git push wherry feature:main" in said
    assert app.history() == before


def test_b22_the_deploy_branch_cannot_be_deleted(app: App) -> None:
    assert "cannot be deleted" in refused(app, ":main")


def test_b23_a_forced_push_of_another_history_is_a_release_like_any_other(platform: Platform) -> None:
    app = platform.create("forced", "procfile-only")
    app.push()
    first = app.git("rev-parse", "HEAD").out.strip()
    app.git("checkout", "-q", "--orphan", "other")
    app.say("Another history")
    assert app.push("other:main", check=False).code != 0, "without force it is no fast-forward"
    assert "Released v2" in app.push("+other:main").all
    assert "Another history" in app.get()[1]
    assert "Released v3" in app.push(f"+{first}:main").all
    assert next(row["commit"] for row in app.releases()) == first


def test_b25_a_tree_with_nothing_in_it_is_nothing_to_build(app: App) -> None:
    app.git("rm", "-q", "-r", ".")
    app.commit("Nothing")
    assert "nothing to build" in refused(app)


def test_b26_a_commit_that_serves_already_makes_no_release(app: App) -> None:
    before = app.history()
    app.git("checkout", "-q", "-b", "same")
    app.git("checkout", "-q", "main")
    app.push("same:other")
    assert app.history() == before


def test_b30_a_shallow_push_is_refused(app: App, platform: Platform) -> None:
    app.commit("Second to last")
    app.commit("Last")
    shallow = App(platform, app.name, platform.user / "shallow")
    platform.run("git", "clone", "-q", "--depth", "1", f"file://{app.folder}", str(shallow.folder))
    shallow.wherry("git:remote", "-a", app.name)
    said = shallow.push("main:shallow", check=False)
    app.git("reset", "-q", "--hard", "wherry/main")
    assert said.code != 0
    assert "shallow" in said.all


@pytest.mark.parametrize("branch", ["a;b", "$(id)", "a'b", "<script>", "x" * 200])
def test_b31_a_hostile_branch_is_stored_and_not_deployed(app: App, branch: str) -> None:
    before = app.history()
    said = app.push(f"main:refs/heads/{branch}").all
    assert "not deployed" in said
    assert app.history() == before


def test_b33_a_tree_that_hides_a_git_folder_is_refused(app: App) -> None:
    blob = app.platform.run("git", "hash-object", "-w", "Procfile", cwd=app.folder).out.strip()
    tree = _tree(app, f"100644 blob {blob}\t.GIT\n")
    commit = app.git("commit-tree", tree, "-m", "x").out.strip()
    assert "hasDotgit" in refused(app, f"+{commit}:main")


def test_b36_b37_only_plain_files_links_and_folders_are_built(app: App) -> None:
    commit = app.git("rev-parse", "HEAD").out.strip()
    app.git("update-index", "--add", "--cacheinfo", f"160000,{commit},vendored")
    app.git("commit", "-q", "-m", "A submodule")
    said = app.push().all
    assert "submodule" in said.lower()


@pytest.mark.parametrize("path", ["a" * 200 + "/" + "b/" * 210 + "c", "bad\nname", "esc\x1bname"])
def test_b38_a_path_that_cannot_be_built_is_refused_escaped(app: App, path: str) -> None:
    blob = app.platform.run("git", "hash-object", "-w", "Procfile", cwd=app.folder).out.strip()
    tree = blob
    mode = "100644 blob"
    for part in reversed(path.split("/")):
        tree = _tree(app, f"{mode} {tree}\t{part}\0", "-z")
        mode = "040000 tree"
    commit = app.git("commit-tree", tree, "-m", "x").out.strip()
    said = refused(app, f"+{commit}:main")
    assert "\x1b" not in said


def test_b40_attributes_do_not_change_what_is_built(app: App) -> None:
    app.write(".gitattributes", "Procfile export-ignore\n* export-subst\n")
    app.commit("Attributes")
    assert "Released" in app.push().all


def test_a_failed_build_refuses_the_push(platform: Platform) -> None:
    app = platform.create("broken-build", "python-hello")
    app.push()
    app.write("requirements.txt", "this-package-does-not-exist-anywhere==99.9\n")
    app.commit("A dependency that does not exist")
    said = refused(app)
    assert "this-package-does-not-exist-anywhere" in said


def test_a37_an_app_that_never_listens_fails_and_the_old_one_serves(platform: Platform) -> None:
    app = platform.create("deaf", "procfile-only")
    app.push()
    before = app.get()
    app.write("Procfile", "web: sleep 1000\n")
    app.commit("Never listens")
    said = app.push().all
    assert "$PORT" in said
    assert app.get() == before
    newest = app.releases()[0]
    assert newest["status"] == "failed"


def test_a38_an_app_that_exits_at_once_fails_with_its_last_words(platform: Platform) -> None:
    app = platform.create("quitter", "procfile-only")
    app.push()
    before = app.get()
    app.write("Procfile", "web: echo these are my last words; exit 3\n")
    app.commit("Exits")
    said = app.push().all
    assert "these are my last words" in said
    assert app.get() == before


@pytest.mark.parametrize("name", ["A", "a_b", "-a", "a" * 64, "a;id", "admin"])
def test_b01_b03_a_bad_name_is_refused(platform: Platform, name: str) -> None:
    answer = platform.wherry("create", "--no-remote", "--", name, check=False)
    assert answer.code not in (0, 1)


def _tree(app: App, lines: str, *args: str) -> str:
    argv = ["git", "mktree", *args]
    done = subprocess.run(argv, cwd=app.folder, env=app.platform.environ, input=lines, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
